"""A recipe's name → its studies, looked through before anything is trained or played."""

from collections.abc import Mapping

from heldout.errors import BadCall
from heldout.study.plan import Study
from heldout.study.recipes.asked import Asked, Recipe
from heldout.study.recipes.checked import check_studies, refuse_ignored
from heldout.study.recipes.loading import own_recipe, refuse_unknown_recipe
from heldout.study.recipes.paper import paper
from heldout.study.recipes.pocket import (
    pocket_difficulty,
    pocket_interface,
    pocket_orders,
    pocket_paper,
    pocket_sequence,
    pocket_transfer,
)
from heldout.study.recipes.said import said

BUILT_IN: Mapping[str, Recipe] = {
    "pocket-difficulty": pocket_difficulty,
    "pocket-transfer": pocket_transfer,
    "pocket-sequence": pocket_sequence,
    "pocket-orders": pocket_orders,
    "pocket-interface": pocket_interface,
    "pocket-paper": pocket_paper,
    "paper": paper,
}
"""Recipes of ours, by their names."""

SAID = "study"
"""What a study is called whose chains the call itself says."""


def recipe_named(name: str) -> Recipe:
    """One of ours, or the function at `FILE.py:function` or `module:function`; empty: the call says its chains."""
    if name in ("", SAID):
        return said
    if name in BUILT_IN:
        return BUILT_IN[name]
    refuse_unknown_recipe(name, BUILT_IN)
    return own_recipe(name)


def studies_of(recipe: Recipe, asked: Asked) -> tuple[Study, ...]:
    """The recipe's studies of what is asked: all of one base, for one folder.

    Refused by name: studies that cannot share a folder, environments that there are not, endpoints of what is not
    measured, and whatever was asked that the recipe makes no use of.
    """
    found: object = recipe(asked)
    whole = found if isinstance(found, tuple | list) else (found,)
    studies = tuple(study for study in whole if isinstance(study, Study))
    if len(studies) < len(whole):
        raise BadCall(f"a recipe gives a Study or a tuple of them, not {found!r:.80}")
    check_studies(studies)
    refuse_ignored(asked, studies)
    return studies
