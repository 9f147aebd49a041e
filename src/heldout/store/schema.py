"""The files that say what a folder is: each has the number of the form that it is written in."""

from collections.abc import Mapping
from pathlib import Path

from heldout.errors import HeldoutError
from heldout.records import Json
from heldout.store.files import read_json, replace_json

KNOWN = 2
"""One more whenever files of the old form could be misread."""


def replace(path: Path, value: Mapping[str, Json]) -> None:
    """Puts a JSON object in the file's place, with the number of its form."""
    replace_json(path, {"schema": KNOWN, **value})


def read(path: Path) -> dict[str, Json]:
    """The JSON object in a file; one of another form is refused, since it could be misread."""
    value = read_json(path)
    found = value.get("schema") if isinstance(value, dict) else None
    if found != KNOWN:
        raise HeldoutError(
            f"{path} has schema {found}, and this heldout knows {KNOWN}: "
            "use the heldout that wrote it, or choose another folder with --out"
        )
    return dict(value)
