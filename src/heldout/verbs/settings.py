"""What a command line asks for, as one configuration and one place to write to."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from heldout.agents import PLAYERS
from heldout.config import Config, Variant, changed, pocket
from heldout.model import load
from heldout.model.pocket import CONTEXT
from heldout.store.files import read_json
from heldout.store.runs import slug


def settled(model: str, flags: Mapping[str, object], settings: Sequence[str]) -> Config:
    """The model's defaults, then the flags that were given (by setting's path), then every `--set`."""
    given = [f"{path}={value}" for path, value in flags.items() if value is not None]
    return changed(defaults_of(model), [*given, *settings])


def defaults_of(model: str) -> Config:
    """The pocket model's for it and for models with a context as short, such as one trained from it."""
    if model == load.POCKET:
        return pocket()
    place = model if model in PLAYERS else load.place_of(model)
    return pocket() if isinstance(place, Path) and _context(place) <= CONTEXT else Config()


def base_of(model: str) -> str:
    """An agent's name in rows; a name that is nothing is refused."""
    return model if model in PLAYERS else load.base_of(model)


def run_folder(verb: str, base: str, variant: Variant) -> Path:
    """Where a run lies when the call does not say: `runs/evaluate-pocket`, then the variant if there is one."""
    parts = [verb, slug(base.replace("/", "--")), variant.name]
    return Path("runs") / "-".join(filter(None, parts))


def _context(folder: Path) -> float:
    described = folder / "config.json"
    context = read_json(described).get("max_position_embeddings") if described.is_file() else None
    return context or float("inf")
