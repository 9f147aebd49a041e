"""Which worlds are tasks: published ids where their files lie, or the table of worlds that splits.py made."""

from collections.abc import Callable, Sequence
from functools import cache
from json import loads
from pathlib import Path

from heldout.config import Source
from heldout.data.folder import data_folder, published_numbers
from heldout.data.pools import refuse_twins
from heldout.envs.babyai.levels import item, place
from heldout.errors import unknown
from heldout.records import Task, digest

Row = tuple[int, int, int]
"""Level, seed, and how many turns the oracle needs."""

SPLITS = ("demonstrations", "train", "test")
EASY_TURNS = 9
"""A generated task is easy where the oracle needs no more turns."""
HARD_LEVELS = frozenset({6, 7, 8, 31, 33, 36})
"""Levels where the oracle mostly needs more than two turns: the difficulty of published tasks."""

TABLE = Path(__file__).with_name("tasks.json")
PUBLISHED = ("train", "test")
"""The splits that have published tasks."""


def tasks_of(source: Source) -> Callable[[str], Sequence[Task]]:
    """The function from a split to its tasks; demonstrations are generated for both kinds of source."""
    if source.kind not in ("generated", "real"):
        raise unknown("task source", source.kind, ("generated", "real"))

    @cache
    def tasks(split: str) -> Sequence[Task]:
        if split not in SPLITS:
            raise unknown("split", split, SPLITS)
        if source.kind == "real" and split in PUBLISHED:
            return _published_tasks(split)
        return [_task(split, level, seed, turns > EASY_TURNS) for level, seed, turns in _table()[split]]

    return tasks


def data_digest(source: Source) -> str:
    """A digest of the tasks that a source gives."""
    if source.kind == "real":
        return digest(_disjoint_numbers())
    return digest(_table())


def _published_tasks(split: str) -> list[Task]:
    """The published tasks of a split, from the files under HELDOUT_DATA (CC BY-NC: read there, never copied)."""
    places = [place(number) for number in _numbers(split)]
    return [_task(split, level, seed, level in HARD_LEVELS) for level, seed in places]


def _numbers(split: str) -> list[int]:
    return published_numbers(data_folder(), "babyai", split)


def _disjoint_numbers() -> dict[str, list[int]]:
    """The published numbers of each split; lists that overlap are refused (what worlds are alike, a check says)."""
    numbers = {split: _numbers(split) for split in PUBLISHED}
    pools = {split: [(f"babyai_{n}", n) for n in each] for split, each in numbers.items()}
    refuse_twins(data_folder(), "babyai", pools)
    return numbers


def _task(split: str, level: int, seed: int, hard: bool) -> Task:
    return Task(
        env="babyai",
        split=split,
        id=f"babyai_{item(level, seed)}",
        difficulty="hard" if hard else "easy",
        world={"level": level, "seed": seed},
    )


@cache
def _table() -> dict[str, list[Row]]:
    return {split: [(row[0], row[1], row[2]) for row in rows] for split, rows in loads(TABLE.read_text()).items()}
