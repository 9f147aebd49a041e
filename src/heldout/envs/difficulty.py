"""Easy and hard by a measured file: a suite whose tasks are those that were measured, each in its half."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from heldout.envs.base import Suite
from heldout.errors import BadCall, choose_from
from heldout.records import Difficulty, Task

MEASURED = ("train", "test")
"""The splits that a file tells; demonstrations stay as the suite has them."""


def with_measured_difficulty(suite: Suite, difficulty: Difficulty, name: str) -> Suite:
    """The suite with the tasks that the file knows; `name` is the file's, for errors.

    A file may have been measured on a part of a split (`--limit`): then that part is the split, so that `all` is
    easy and hard together. A file about other tasks is refused.
    """
    known = {env_split.env: env_split for env_split in difficulty.envs}
    if suite.name not in known:
        known_to_it = choose_from(suite.name, known, lead="it knows")
        raise BadCall(f"{name} tells nothing of {suite.name} ({known_to_it}); {_measure(suite)}")
    env_split = known[suite.name]
    if env_split.data != suite.data:
        raise BadCall(
            f"{name} was measured on other tasks of {suite.name} (source {env_split.data}, "
            f"and this is {suite.data}); {_measure(suite)}"
        )

    @cache
    def tasks(split: str) -> Sequence[Task]:
        if split not in MEASURED:
            return suite.tasks(split)
        half = {each.task: each.difficulty for each in env_split.of_split(split)}
        return [replace(task, difficulty=half[task.id]) for task in suite.tasks(split) if task.id in half]

    return replace(suite, tasks=tasks, difficulty_source=difficulty.digest)


def _measure(suite: Suite) -> str:
    return f"measure them: heldout difficulty --model M --envs {suite.name}"
