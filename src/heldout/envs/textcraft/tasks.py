"""TextCraft's generated tasks: trees without end, in splits that share no goal."""

from collections.abc import Mapping, Sequence
from functools import cache

from heldout.envs.lazy import Lazy, difficulty, numbers_of
from heldout.envs.textcraft.grow import SHAPES, goals, group_of, grow
from heldout.envs.textcraft.language import line, recipe
from heldout.envs.textcraft.players import turns
from heldout.envs.textcraft.world import Book, Recipe, World
from heldout.records import Json, Task, to_json
from heldout.seeds import derive, stream

SHARES = ("test", "train", "demonstrations", "demonstrations")
"""How the goals are shared out."""

EASY_TURNS = {"pocket": 4, "standard": 7}
"""The most turns that the oracle takes in an easy task: true of about half of all trees."""

MOST_TURNS = 20
"""Trees that take the oracle longer are not used: K = 20 is what every evaluation allows (paper §3.2)."""


def form_of(profile: str) -> Mapping[str, Json]:
    """All that decides a profile's tasks beside the seed, for a digest of the source."""
    return {"shape": to_json(SHAPES[profile]), "easy": EASY_TURNS[profile], "most": MOST_TURNS}


def generated_tasks(split: str, seed: int, profile: str) -> Sequence[Task]:
    """The tasks of one split, easy and hard in turn; no goal of one split is in another, whatever the seeds."""
    return Lazy(lambda number: _task(split, number, seed, profile), numbers_of(split))


def open_task(task: Task, *, exact_original: bool) -> World:
    """The world of a generated task."""
    shown = tuple(_recipe(text) for text in task.world["recipes"])
    return world_of_tree(task.world["goal"], shown, exact_original=exact_original)


def world_of_tree(goal: str, shown: tuple[Recipe, ...], *, exact_original: bool = False) -> World:
    """The world of a grown tree: what is shown is all there is."""
    tag_of = {recipe.output: recipe.group for recipe in shown if recipe.group}
    tags = frozenset(tag_of.values())
    names = {recipe.output for recipe in shown} | {need for recipe in shown for need, _ in recipe.needs}
    return World(Book(shown, frozenset(names - tags), tags, tag_of), goal, shown, exact_original=exact_original)


@cache
def _task(split: str, number: int, seed: int, profile: str) -> Task:
    chance = stream(seed, "textcraft", profile, split, number)
    wanted = ("easy", "hard")[number % 2]
    taken = MOST_TURNS + 1
    while taken > MOST_TURNS or difficulty(taken, EASY_TURNS[profile]) != wanted:
        goal = chance.choice(_goals_of(split))
        shown = grow(goal, SHAPES[profile], chance)
        taken = turns(world_of_tree(goal, shown))
    world = {"goal": goal, "recipes": [line(recipe) for recipe in shown]}
    return Task(env="textcraft", split=split, id=f"textcraft_{number}", difficulty=wanted, world=world)


@cache
def _goals_of(split: str) -> list[str]:
    # A hash without the seed decides: demonstrations of one seed hold no goal that is tested under another.
    return [goal for goal in goals() if SHARES[derive(0, "textcraft", "goal", goal) % len(SHARES)] == split]


def _recipe(text: str) -> Recipe:
    read = recipe(text)
    return Recipe(read.output, read.makes, read.needs, group_of(read.output))
