"""`heldout pocket`: the small model, built from nothing."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from heldout.config import changed
from heldout.train.pocket_recipe import Recipe, build


def pocket(*, out: Path | None, seed: int, settings: Sequence[str]) -> None:
    """Builds the pocket model and says where it lies."""
    recipe = replace(changed(Recipe(), settings), seed=seed)
    folder = out or Path("outputs") / "pocket"
    build(recipe, folder)
    print(folder)
