"""TextCraft's real tasks: the 544 goals of the Minecraft tree, by their published numbers."""

import json
import os
from collections.abc import Sequence
from functools import cache
from itertools import chain
from pathlib import Path

from heldout.envs.lazy import Lazy
from heldout.envs.textcraft.language import line
from heldout.envs.textcraft.players import turns
from heldout.envs.textcraft.recipes import goal_order, real_book
from heldout.envs.textcraft.tasks import difficulty
from heldout.envs.textcraft.world import Book, Recipe, World, reachable
from heldout.errors import BadCall, unknown
from heldout.records import Task, digest
from heldout.seeds import stream

ARCHIVE = Path("textcraft", "recipes.tar.xz")
"""Under HELDOUT_DATA."""

IDS = {"train": Path("train", "textcraft_train.json"), "test": Path("eval", "textcraft_test.json")}
"""Under HELDOUT_DATA/agentgym_item_ids; CC BY-NC, so never part of this package."""

EASY_TURNS = 4
"""The most turns that the oracle takes for an easy goal: true of about half of the 544."""

DISTRACTORS = 10
"""The most recipes of no use that are shown; and the most uses of one ingredient to draw them from (spec §3.7)."""


def data_folder() -> Path:
    """The folder of the real tasks' data."""
    folder = os.environ.get("HELDOUT_DATA")
    if not folder:
        raise BadCall(f"HELDOUT_DATA is not set: it names the folder with {ARCHIVE}")
    return Path(folder)


def published(pool: str, data: Path) -> Sequence[Task]:
    """The goals of one pool: `test` the 100 published ids, `train` the other 444 (spec §11); no demonstrations."""
    if pool not in ("demonstrations", "train", "test"):
        raise unknown("pool", pool, ("demonstrations", "train", "test"))
    return Lazy(lambda number: _task(pool, number, data), _numbers(pool, data))


def opened(task: Task, data: Path, *, exact_original: bool) -> World:
    """The world of a real task: recipes that are not shown work as well, as in the original."""
    book = real_book(data / ARCHIVE)
    lines = _by_line(data)
    shown = tuple(lines[text] for text in task.world["recipes"])
    return World(book, task.world["goal"], shown, exact_original=exact_original)


def data_digest(data: Path) -> str:
    """A digest of the goals, the recipes and the ids."""
    book = real_book(data / ARCHIVE)
    lines = [line(recipe) for recipe in book.recipes]
    return digest([goal_order(), lines, _numbers("train", data), _numbers("test", data)])


def shown_for(book: Book, goal: str, number: int) -> list[Recipe]:
    """All recipes that could serve a goal, and distractors that use the same ingredients, shuffled.

    Q-TC4: the original draws these by the process's hash seed; here a number always shows the same.
    """
    chance = stream(0, "textcraft", "shown", number)
    useful = reachable(book, goal)
    uses = [_uses(book, need) for recipe in useful for need, _ in recipe.needs]
    near = chain.from_iterable(chance.sample(found, min(len(found), DISTRACTORS)) for found in uses)
    others = list(dict.fromkeys(recipe for recipe in near if recipe not in set(useful)))
    lines = {line(recipe): recipe for recipe in [*useful, *chance.sample(others, min(len(others), DISTRACTORS))]}
    shown = list(lines.values())
    chance.shuffle(shown)
    return shown


@cache
def _task(pool: str, number: int, data: Path) -> Task:
    book, goal = real_book(data / ARCHIVE), goal_order()[number]
    shown = tuple(shown_for(book, goal, number))
    return Task(
        env="textcraft",
        split=pool,
        id=f"textcraft_{number}",
        difficulty=difficulty(turns(World(book, goal, shown)), EASY_TURNS),
        world={"goal": goal, "recipes": [line(recipe) for recipe in shown]},
    )


@cache
def _numbers(pool: str, data: Path) -> list[int]:
    test = _read_ids(data / "agentgym_item_ids" / IDS["test"])
    train = _read_ids(data / "agentgym_item_ids" / IDS["train"])
    left = sorted(set(range(len(goal_order()))) - set(test) - set(train))
    return {"test": test, "train": sorted([*train, *left]), "demonstrations": []}[pool]


def _read_ids(path: Path) -> list[int]:
    try:
        found = [int(item["item_id"].removeprefix("textcraft_")) for item in json.loads(path.read_text("utf-8"))]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BadCall(f"cannot read {path} ({error}); HELDOUT_DATA has to name a folder that holds it") from None
    if not set(found) <= set(range(len(goal_order()))):
        raise BadCall(
            f"{path}: ids past textcraft_{len(goal_order()) - 1}; HELDOUT_DATA has to hold AgentGym's lists"
        )
    return found


@cache
def _by_line(data: Path) -> dict[str, Recipe]:
    return {line(recipe): recipe for recipe in real_book(data / ARCHIVE).recipes}


def _uses(book: Book, need: str) -> list[Recipe]:
    return [recipe for recipe in book.recipes if any(name == need for name, _ in recipe.needs)]
