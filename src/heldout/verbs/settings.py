"""What a command line asks for, as one configuration."""

from collections.abc import Mapping, Sequence

from heldout.config import Config, changed, pocket


def settled(model: str, flags: Mapping[str, object], settings: Sequence[str]) -> Config:
    """The model's defaults, then the flags that were given (by setting's path), then every `--set`."""
    given = [f"{path}={value}" for path, value in flags.items() if value is not None]
    return changed(pocket() if model == "pocket" else Config(), [*given, *settings])
