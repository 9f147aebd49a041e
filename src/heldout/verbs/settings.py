"""What a command line asks for, as one configuration and one place to write to."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from heldout.agents import PLAYERS, Agent
from heldout.config import Config, Variant, changed, pocket
from heldout.model import load
from heldout.model.pocket import CONTEXT
from heldout.store.files import read_json


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


def run_folder(verb: str, agent: Agent, variant: Variant) -> Path:
    """Where a run lies when the call does not say: `runs/evaluate-pocket-1a2b3c4d`, then the variant if any.

    The digits are of what plays, so that models of one name do not share a folder.
    """
    digits = "" if agent.model in PLAYERS else agent.identity.rpartition("@")[2][:8]
    name = re.sub(r"[^A-Za-z0-9_.+-]", "-", agent.base.replace("/", "--"))
    return Path("runs") / "-".join(filter(None, [verb, name[:80], digits, variant.name]))


def _context(folder: Path) -> float:
    described = folder / "config.json"
    context = read_json(described).get("max_position_embeddings") if described.is_file() else None
    return context or float("inf")
