"""`heldout pocket`: the small model, built from nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce
from pathlib import Path

from heldout.backend.processes import default_processes
from heldout.chains import slug_of
from heldout.config import with_overrides
from heldout.envs.registry import open_suite
from heldout.errors import BadCall, HeldoutError, unknown
from heldout.printable import printable_line
from heldout.records import Json
from heldout.reporting.tables import Table, align
from heldout.training.pocket_card import Compared, make
from heldout.training.pocket_card import check as compare
from heldout.training.pocket_recipe import Recipe

SCORED = ("CELL", "SCORE", "95 %", "SUCCESS", "USEFUL", "TURNS")
COMPARED = ("CELL", "SHIPPED", "95 %", "REBUILT", "95 %", "AGREE")


def pocket(
    *,
    check: bool,
    others: Sequence[str],
    without: Sequence[str],
    maps: int | None,
    part: float,
    out: Path | None,
    seed: int,
    settings: Sequence[str],
) -> None:
    """Builds the pocket model and measures it; `check` fails unless its scores agree with the shipped one's.

    It is shown the environments in `others` too; of those in `without` nothing but the form of a reply, in another
    game; with `maps`, some demonstrations are in made-up words. A `part` is made for a try.
    """
    recipe = replace(with_overrides(Recipe(), settings), seed=seed)
    recipe = recipe.with_renamed_words(maps) if maps else recipe
    recipe = _leave_out(reduce(_with, dict.fromkeys(others), recipe), without)
    recipe = recipe if part == 1 else recipe.scale(part)
    if check and (others or without or maps or part != 1):
        raise BadCall(
            "--check compares with the shipped model, of its environments in their own words: "
            "drop --with, --without, --maps and --part"
        )
    folder = out or Path("outputs") / _name(others, without, maps)
    if check:
        _refuse_difference(compare(recipe, folder, default_processes(), print))
    else:
        for env in without:
            print(_left_out(env, recipe))
        card = make(recipe, folder, default_processes(), print, part)
        before: Mapping[str, Json] = card["before"]
        header = (*SCORED, *map(str.upper, before))
        print(align(Table(header, [_score_row(cell, card) for cell in card["scores"]])))
        for name in before:
            told = f"{name.upper()}: its score after that lesson, and before the next ({folder / name})"
            print(printable_line(told))
    print(printable_line(f"model: {folder}"))


def _name(others: Sequence[str], without: Sequence[str], maps: int | None) -> str:
    """What is changed, such as `pocket-without-babyai-maps-4`."""
    parts = ["pocket", *(f"with-{slug_of(env)}" for env in sorted(others))]
    parts += [f"without-{env}" for env in sorted(without)]
    return "-".join([*parts, f"maps-{maps}"] if maps else parts)


def _with(recipe: Recipe, env: str) -> Recipe:
    """The recipe with one environment more: as long as its training's episodes, of as many tasks as it has."""
    if env in recipe.envs:
        raise BadCall(f"the pocket model is shown {env} already: leave it out of --with")
    suite = open_suite(env, recipe.source)
    if not (there := len(suite.tasks("demonstrations"))):
        raise BadCall(f"{env} has nothing to be shown: its pool `demonstrations` is empty")
    return recipe.with_env(env, turns=suite.max_turns, most=there)


def _leave_out(recipe: Recipe, envs: Sequence[str]) -> Recipe:
    for env in envs:
        if env not in recipe.envs:
            raise unknown("environment", env, recipe.envs)
    return recipe.without(envs)


def _left_out(env: str, recipe: Recipe) -> str:
    """What is shown of an environment that is left out."""
    if any(share.form_of == env for lesson in recipe.lessons for share in lesson.shares):
        return f"nothing of {env} is shown; the corridor is answered in the form of its replies"
    return f"nothing of {env} is shown; its replies have the form of the others'"


def _score_row(cell: str, card: Mapping[str, Json]) -> tuple[str, ...]:
    scores = card["scores"][cell]
    figures = (scores["score"], _span(scores["ci95"]), scores["success"], scores["useful"], scores["turns"])
    return (cell, *map(str, figures), *(str(each["scores"][cell]["score"]) for each in card["before"].values()))


def _refuse_difference(cells: Sequence[Compared]) -> None:
    print(align(Table(COMPARED, [_row(cell) for cell in cells])))
    apart = [cell.cell for cell in cells if not cell.agree]
    if apart:
        raise HeldoutError(f"the rebuilt model's scores are not the shipped one's: {', '.join(apart)}")


def _row(cell: Compared) -> tuple[str, ...]:
    figures = [text for scores in (cell.shipped, cell.rebuilt) for text in (scores["score"], _span(scores["ci95"]))]
    return (cell.cell, *map(str, figures), "yes" if cell.agree else "no")


def _span(ci95: Sequence[float]) -> str:
    return " to ".join(map(str, ci95))
