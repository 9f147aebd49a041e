"""The tasks that a server's numbers name, as the originals number them."""

from collections.abc import Callable, Mapping
from random import Random
from typing import final

from heldout.envs.agentgym.protocol import numbered_tasks
from heldout.envs.babyai.levels import place
from heldout.envs.base import Suite
from heldout.errors import OriginalError
from heldout.records import Json, Task

SPLITS = ("train", "test")

Find = Callable[[Mapping[int, Task], int], Task]
"""How a number is looked up among the tasks that there are; raises `OriginalError` where it names none."""


@final
class Items:
    """A suite's training and test tasks by their numbers."""

    def __init__(self, suite: Suite, find: Find) -> None:
        self._rows = {split: list(numbered_tasks(suite, split)) for split in SPLITS}
        self._known = {item: task for split in SPLITS for item, task in self._rows[split]}
        self._find = find
        self._numbers = {task.id: item for item, task in self._known.items()}
        self._task_id = suite.task_id

    def task(self, number: int) -> Task:
        """The task of that number; raises `OriginalError` where there is none."""
        return self._find(self._known, number)

    def named(self, number: int) -> Task | None:
        """The task of that number; None where there is none."""
        try:
            return self.task(number)
        except OriginalError:
            return None

    def number(self, named: str) -> int | None:
        """The number of a task that a program names by its id, as here or as it was published; None is no task."""
        return self._numbers.get(named, self._numbers.get(self._task_id(named)))

    def any(self, chance: Random) -> Task:
        """Any task."""
        return self._known[chance.choice(sorted(self._known))]

    def rows(self, split: str) -> list[Json]:
        """What a program is told of the tasks of a split; nothing of their worlds."""
        return [{"item": item, "id": task.id, "difficulty": task.difficulty} for item, task in self._rows[split]]


def find_listed(known: Mapping[int, Task], number: int) -> Task:
    """One of those that there are; from the end where the number is negative, as in a list."""
    if number < 0 and -number <= len(known):
        number = sorted(known)[number]
    if number not in known:
        raise OriginalError("list index out of range")
    return known[number]


def find_wrapping(known: Mapping[int, Task], number: int) -> Task:
    """TextCraft has a task for every number: after the last comes the first (spec §3.7)."""
    return known[number] if number in known else known[sorted(known)[number % len(known)]]


def any_world(known: Mapping[int, Task], number: int) -> Task:
    """BabyAI has a world for every number, also where no list has it."""
    if number < 0:
        raise OriginalError(f"Seed must be a non-negative integer or omitted, not {place(number)[1]}")
    if number in known:
        return known[number]
    level, seed = place(number)
    world = {"level": level, "seed": seed}
    return Task(env="babyai", split="", id=f"babyai_{number}", difficulty="", world=world)
