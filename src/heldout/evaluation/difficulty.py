"""How a reference model does at each task, by draws that score nothing else: what halves the tasks."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache

from heldout.analysis.scores import ALL, Cell
from heldout.config import Config
from heldout.envs.base import Suite
from heldout.envs.difficulty import MEASURED
from heldout.records import Json, Task, digest

PURPOSE = "difficulty"
"""Names the streams of chance: no episode that measures difficulty is one that scores a model."""


def cells_of(suite: Suite) -> list[Cell]:
    """What is measured of one environment: all training tasks, and all test tasks."""
    return [Cell(env=suite.name, split=split, difficulty=ALL) for split in MEASURED]


def in_drawn_order(suites: Callable[[str], Suite]) -> Callable[[str], Suite]:
    """The suites with their splits in the order of a hash, so that the first N tasks stand for all of them.

    A split's own order may go from easy to hard. With a larger N the tasks that were measured stay among the first.
    """

    @cache
    def suite(env: str) -> Suite:
        plain = suites(env)
        return replace(plain, tasks=cache(lambda split: _shuffle(plain.tasks(split))))

    return suite


def settings_of(config: Config, seed: int) -> dict[str, Json]:
    """What of a configuration the scores depend on, as a difficulty file says it."""
    evaluate, limits, source = config.evaluate, config.limits, config.source
    return {
        "seed": seed,
        "tasks": evaluate.tasks,
        "max_turns": evaluate.max_turns,
        "temperature": evaluate.temperature,
        "response_budget": limits.response_budget,
        "reply_tokens": limits.reply_tokens,
        "source": source.kind,
        "profile": source.profile,
        **({"variant": source.variant.name} if source.variant.changes else {}),
    }


def _shuffle(tasks: Iterable[Task]) -> Sequence[Task]:
    return sorted(tasks, key=lambda task: digest(["drawn", task.env, task.id]))
