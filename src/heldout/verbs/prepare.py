"""`heldout data prepare`: what an environment reads, made once of what was fetched."""

from json import dumps
from pathlib import Path

from heldout.config import Source
from heldout.data.folder import data_folder
from heldout.envs.registry import names, open_suite
from heldout.errors import BadCall, unknown
from heldout.progress import Progress


def data_prepare(*, name: str, as_json: bool) -> None:
    """Makes what an environment's real tasks are read from, and prints what is new."""
    if name not in names():
        raise unknown("environment", name, names())
    if open_suite(name, Source()).real_data.prepare is None:
        raise BadCall(f"{name} reads its files as they were published: there is nothing to prepare")
    made = prepare_env(name, data_folder())
    if as_json:
        print(dumps(made))
    else:
        print(
            "".join(f"made {place}\n" for place in made) or f"what {name} reads is made of the files that are here"
        )


def prepare_env(name: str, data: Path) -> list[str]:
    """The places of what was made anew for an environment: none where it reads its files as they were published."""
    prepare = open_suite(name, Source()).real_data.prepare if name in names() else None
    if prepare is None:
        return []
    with Progress(f"prepare {name}: questions read") as progress:
        return list(prepare(data, progress.show))
