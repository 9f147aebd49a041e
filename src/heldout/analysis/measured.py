"""Rows of one checkpoint as matrices: what each training seed comes to at each task of a cell."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from math import nan

import numpy as np
from numpy.typing import NDArray

from heldout.analysis.alike import each_once, refuse_unlike
from heldout.analysis.scores import ALL, Cell
from heldout.chains import BASE
from heldout.records import Row

Floats = NDArray[np.float64]

Place = tuple[Cell, str]
"""A cell, and the variant that it was played in; none is empty."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TaskMeans:
    """One checkpoint in one cell, by training seed S and task T; NaN where nothing was played."""

    seeds: tuple[int, ...]
    tasks: tuple[str, ...]
    mean_ST: Floats
    """Of a task's attempts; of scores in points."""
    variance_ST: Floats
    """Between a task's attempts, with n − 1; NaN where there is one."""
    count_ST: Floats
    """Attempts."""
    sample: tuple[Row, ...]
    """A row of each training seed: what all of its rows have in common."""

    @property
    def is_trained(self) -> bool:
        """Whether its seeds are trainings; a base and a player are one agent, whatever seed it was measured by."""
        return self.sample[0].chain != BASE


def points(row: Row) -> float:
    """An episode's score, from 0 to 100."""
    return 100 * row.score


def task_matrices(rows: Iterable[Row], value: Callable[[Row], float] = points) -> dict[Place, TaskMeans]:
    """What one checkpoint comes to in each cell; difficulty `all` too, where easy and hard were measured.

    Each attempt counts once, what the infrastructure broke in nothing. Rows that are not of one figure are refused.
    """
    found = defaultdict[Place, list[Row]](list)
    cells = dict[tuple[str, str, str], Cell]()
    for row in each_once(rows):
        if row.is_played:
            key = (row.env, row.split, row.difficulty)
            cell = cells.get(key) or cells.setdefault(key, Cell(env=key[0], split=key[1], difficulty=key[2]))
            found[cell, row.variant].append(row)
    return {place: _task_means(place[0], own, value) for place, own in _with_all(found).items()}


def _with_all(found: Mapping[Place, Sequence[Row]]) -> dict[Place, Sequence[Row]]:
    """The cells, and for each environment with several difficulties one of all of them."""
    pooled = defaultdict[Place, list[Sequence[Row]]](list)
    for (cell, variant), rows in found.items():
        pooled[Cell(env=cell.env, split=cell.split, difficulty=ALL), variant].append(rows)
    return {**found, **{place: [*chain.from_iterable(own)] for place, own in pooled.items() if len(own) > 1}}


def _task_means(cell: Cell, rows: Sequence[Row], value: Callable[[Row], float]) -> TaskMeans:
    refuse_unlike(cell.name, rows)
    samples = {row.seed: row for row in rows}
    seeds, tasks = tuple(sorted(samples)), tuple(sorted({row.task for row in rows}))
    seed_at, task_at = ({key: i for i, key in enumerate(keys)} for keys in (seeds, tasks))
    values = np.array([value(row) for row in rows])
    places = np.array([seed_at[row.seed] * len(tasks) + task_at[row.task] for row in rows])
    mean_ST, variance_ST, count_ST = (
        each.reshape(len(seeds), len(tasks)) for each in _moments(values, places, len(seeds) * len(tasks))
    )
    return TaskMeans(
        seeds=seeds,
        tasks=tasks,
        mean_ST=mean_ST,
        variance_ST=variance_ST,
        count_ST=count_ST,
        sample=tuple(samples[seed] for seed in seeds),
    )


def _moments(values: Floats, places: NDArray[np.int64], size: int) -> tuple[Floats, Floats, Floats]:
    """Mean, variance and number of the values at each place."""
    count = np.bincount(places, minlength=size).astype(float)
    mean = np.bincount(places, values, minlength=size) / np.where(count > 0, count, nan)
    squares = np.bincount(places, (values - mean[places]) ** 2, minlength=size)
    return mean, squares / np.where(count > 1, count - 1, nan), count
