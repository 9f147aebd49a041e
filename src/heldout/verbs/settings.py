"""What a command line asks for, as one configuration and one place to write to."""

from collections.abc import Mapping, Sequence
from hashlib import file_digest
from pathlib import Path

from heldout.agents import PLAYERS
from heldout.config import Config, changed, pocket
from heldout.model.load import place_of
from heldout.store.runs import slug


def settled(model: str, flags: Mapping[str, object], settings: Sequence[str]) -> Config:
    """The model's defaults, then the flags that were given (by setting's path), then every `--set`."""
    given = [f"{path}={value}" for path, value in flags.items() if value is not None]
    return changed(pocket() if model == "pocket" else Config(), [*given, *settings])


def base_of(model: str) -> str:
    """An agent's name in rows, with its weights' digest where they are here: others are never taken for them.

    A name that is nothing is refused.
    """
    place = model if model in PLAYERS else place_of(model)
    weights = sorted(place.glob("model*.safetensors")) if isinstance(place, Path) else []
    name = model if isinstance(place, str) else place.resolve().name
    return "-".join([name, *map(_digest, weights)])


def run_folder(verb: str, base: str) -> Path:
    """Where a run lies when the call does not say: `runs/evaluate-pocket`."""
    return Path("runs") / f"{verb}-{slug(base.replace('/', '--'))}"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()[:8]
