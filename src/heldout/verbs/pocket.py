"""`heldout pocket`: the small model, built from nothing."""

from collections.abc import Sequence
from pathlib import Path

from heldout.config import changed
from heldout.config import pocket as defaults
from heldout.train import pocket_recipe


def pocket(*, check: bool, out: Path | None, seed: int, settings: Sequence[str]) -> None:
    """Builds the pocket model; with `check`, compares its scores with the shipped one's."""
    config = changed(defaults(), settings)
    folder = out or Path("outputs") / "pocket"
    pocket_recipe.build(folder, config=config, seed=seed)
    if check:
        print(pocket_recipe.check(folder, config=config))
    print(folder)
