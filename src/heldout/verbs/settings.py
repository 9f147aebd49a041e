"""What a command line asks for, as one configuration and one place to write to."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from heldout.agents import PLAYERS, Agent, defaults_of
from heldout.config import Config, Variant, with_overrides


def resolve_config(model: str, flags: Mapping[str, object], settings: Sequence[str]) -> Config:
    """The model's defaults, then the flags that were given (by setting's path), then every `--set`."""
    given = [f"{path}={value}" for path, value in flags.items() if value is not None]
    return with_overrides(defaults_of(model), [*given, *settings])


def run_folder(verb: str, agent: Agent, variant: Variant) -> Path:
    """Where a run lies when the call does not say: `runs/evaluate-pocket-1a2b3c4d`, then the variant if any.

    The digits are of what plays, so that models of one name do not share a folder.
    """
    digits = "" if agent.model in PLAYERS else agent.identity.rpartition("@")[2]
    name, digits = (re.sub(r"[^A-Za-z0-9_.+-]", "-", each.replace("/", "--")) for each in (agent.base, digits))
    return Path("runs") / "-".join(filter(None, [verb, name[:80], digits[:8], variant.name]))
