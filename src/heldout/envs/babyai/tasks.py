"""Which worlds are tasks: published ids where their files lie, or the tables of worlds that splits.py made."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from json import loads
from pathlib import Path

from heldout.config import Source
from heldout.data.folder import data_folder, published_numbers
from heldout.data.pools import refuse_twins
from heldout.envs.babyai.levels import item, place
from heldout.errors import unknown
from heldout.records import Json, Task, digest

Row = tuple[int, int, int]
"""Level, seed, and how many turns the oracle needs."""

SPLITS = ("demonstrations", "train", "test")
EASY_TURNS = 9
"""A generated task is easy where the oracle needs no more turns."""
HARD_LEVELS = frozenset({6, 7, 8, 31, 33, 36})
"""Levels where the oracle mostly needs more than two turns: the difficulty of published tasks."""

Table = Mapping[str, list[Row]]
"""A split's rows, by its name."""

TABLE = Path(__file__).with_name("tasks.json")
OTHER_TABLES = Path(__file__).with_name("tasks_of_other_seeds.json")
"""Training and test tasks of the source's seeds from 1 up; demonstrations are the same under every seed."""
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
        return [_task(split, level, seed, turns > EASY_TURNS) for level, seed, turns in table[split]]

    table = _table(source.seed) if source.kind == "generated" else _table(0)
    return tasks


def data_digest(source: Source) -> str:
    """A digest of the tasks that a source gives."""
    if source.kind == "real":
        return digest(_disjoint_numbers())
    return digest(_table(source.seed))


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
def _table(seed: int) -> Table:
    """The generated tasks of one of the source's seeds; one that no table was made for is refused."""
    if not seed:
        return _read(loads(TABLE.read_text()))
    others: dict[str, Json] = loads(OTHER_TABLES.read_text())
    if str(seed) not in others:
        raise unknown("seed of BabyAI's generated tasks", str(seed), ["0", *others])
    return {"demonstrations": _table(0)["demonstrations"], **_read(others[str(seed)])}


def _read(table: Mapping[str, Json]) -> Table:
    return {split: [(row[0], row[1], row[2]) for row in rows] for split, rows in table.items()}
