"""TextCraft's real tasks: the 544 goals of the Minecraft tree, by their published numbers."""

from collections.abc import Iterator, Sequence
from functools import cache, partial
from itertools import chain
from pathlib import Path

from heldout.data.check import Check, check_source
from heldout.data.folder import Needs, ids_needed, ids_path, published_numbers
from heldout.data.pools import Pools, check_pools, refuse_twins
from heldout.envs.lazy import Lazy, difficulty, refuse_unknown_split
from heldout.envs.textcraft.language import line
from heldout.envs.textcraft.players import turns
from heldout.envs.textcraft.recipes import documents, goal_order, real_book
from heldout.envs.textcraft.world import Book, Recipe, World, reachable
from heldout.errors import BadCall
from heldout.records import Json, Task, digest
from heldout.seeds import stream

ARCHIVE = Path("textcraft", "recipes.tar.xz")
"""Under HELDOUT_DATA."""

NEEDS: Needs = ((str(ARCHIVE),), *ids_needed("textcraft"))
"""What the goals are read from."""

EASY_TURNS = 4
"""The most turns that the oracle takes for an easy goal: true of about half of the 544."""

DISTRACTORS = 10
"""The most recipes of no use that are shown; and the most uses of one ingredient to draw them from."""


def published_tasks(split: str, data: Path) -> Sequence[Task]:
    """The goals of one split: `test` the 100 published ids, `train` the other 444; no demonstrations."""
    refuse_unknown_split(split)
    return Lazy(lambda number: _task(split, number, data), _numbers(split, data))


def open_task(task: Task, data: Path, *, exact_original: bool) -> World:
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


def checks(data: Path) -> Iterator[Check]:
    """The recipe files, and the published ids."""
    archive = data / ARCHIVE

    def is_read(document: Json) -> bool:
        return isinstance(document, dict) and bool(real_book(archive))

    yield check_source(data, str(ARCHIVE), "recipe files of the known tree", partial(documents, archive), is_read)
    for split in ("train", "test"):
        ids, what = ids_path("textcraft", split), "ids with a goal that the oracle crafts"
        yield check_source(
            data, ids, what, partial(_published_numbers, split, data), partial(_can_be_crafted, split, data)
        )
    yield from check_pools(data, "textcraft", partial(_goals, data))


def _can_be_crafted(split: str, data: Path, number: int) -> bool:
    is_there = (data / ARCHIVE).exists()
    return is_there and turns(open_task(_task(split, number, data), data, exact_original=False)) > 0


def recipes_to_show(book: Book, goal: str, number: int) -> list[Recipe]:
    """All recipes that could serve a goal, and distractors that use the same ingredients, shuffled.

    Q-TC4: the original draws these by the process's hash seed; here a number always shows the same.
    """
    chance = stream(0, "textcraft", "shown", number)
    useful = reachable(book, goal)
    uses = [book.by_need[need] for recipe in useful for need, _ in recipe.needs]
    near = chain.from_iterable(chance.sample(found, min(len(found), DISTRACTORS)) for found in uses)
    known = set(useful)
    others = [recipe for recipe in dict.fromkeys(near) if recipe not in known]
    lines = {line(recipe): recipe for recipe in [*useful, *chance.sample(others, min(len(others), DISTRACTORS))]}
    shown = list(lines.values())
    chance.shuffle(shown)
    return shown


@cache
def _task(split: str, number: int, data: Path) -> Task:
    book, goal = real_book(data / ARCHIVE), goal_order()[number]
    shown = tuple(recipes_to_show(book, goal, number))
    return Task(
        env="textcraft",
        split=split,
        id=f"textcraft_{number}",
        difficulty=difficulty(turns(World(book, goal, shown)), EASY_TURNS),
        world={"goal": goal, "recipes": [line(recipe) for recipe in shown]},
    )


@cache
def _numbers(split: str, data: Path) -> list[int]:
    test, train = (_published_numbers(split, data) for split in ("test", "train"))
    refuse_twins(data, "textcraft", _goals(data))
    left = sorted(set(range(len(goal_order()))) - set(test) - set(train))
    return {"test": test, "train": sorted([*train, *left]), "demonstrations": []}[split]


def _goals(data: Path) -> Pools:
    return {
        split: [(f"textcraft_{number}", goal_order()[number]) for number in _published_numbers(split, data)]
        for split in ("train", "test")
    }


def _published_numbers(split: str, data: Path) -> list[int]:
    numbers = published_numbers(data, "textcraft", split)
    if past := [number for number in numbers if number >= len(goal_order())]:
        raise BadCall(
            f"there is no textcraft_{past[0]} among the {len(goal_order())} published goals, "
            f"as the {split} ids under {data} have it"
        )
    return numbers


@cache
def _by_line(data: Path) -> dict[str, Recipe]:
    return {line(recipe): recipe for recipe in real_book(data / ARCHIVE).recipes}
