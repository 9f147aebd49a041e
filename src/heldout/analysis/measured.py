"""Rows of one checkpoint as matrices: what each training seed comes to at each task of a cell."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from math import nan

import numpy as np
from numpy.typing import NDArray

from heldout.analysis.alike import each_once, refuse_unlike
from heldout.analysis.crossed import Floats
from heldout.analysis.scores import ALL, Cell
from heldout.chains import BASE
from heldout.records import Row

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


def _points(row: Row) -> float:
    """An episode's score, from 0 to 100."""
    return 100 * row.score


def task_matrices(rows: Iterable[Row], value: Callable[[Row], float] = _points) -> dict[Place, TaskMeans]:
    """What one checkpoint comes to in each cell; difficulty `all` too, where easy and hard were measured."""
    return {place: task_means(own, value) for place, own in by_place(rows).items()}


def by_place(rows: Iterable[Row]) -> dict[Place, list[Row]]:
    """The rows of one checkpoint by cell, and those of difficulty `all`; such that are not alike are refused.

    Each attempt is there once, and what the infrastructure broke is not.
    """
    found = defaultdict[Place, list[Row]](list)
    cells = dict[tuple[str, str, str], Cell]()
    for row in each_once(rows):
        if row.is_played:
            key = (row.env, row.split, row.difficulty)
            cell = cells.get(key) or cells.setdefault(key, Cell(env=key[0], split=key[1], difficulty=key[2]))
            found[cell, row.variant].append(row)
    every = _with_all(found)
    for (cell, _), own in every.items():
        refuse_unlike(cell.name, own)
    return every


def _with_all(found: Mapping[Place, list[Row]]) -> dict[Place, list[Row]]:
    """The cells, and for each environment with several difficulties one of all of them."""
    pooled = defaultdict[Place, list[Sequence[Row]]](list)
    for (cell, variant), rows in found.items():
        pooled[Cell(env=cell.env, split=cell.split, difficulty=ALL), variant].append(rows)
    return {**found, **{place: [*chain.from_iterable(own)] for place, own in pooled.items() if len(own) > 1}}


def task_means(rows: Sequence[Row], value: Callable[[Row], float] = _points) -> TaskMeans:
    """The matrices of rows that are one checkpoint's in one cell."""
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


def common_seeds(means: Iterable[TaskMeans]) -> tuple[int, ...]:
    """The training seeds of all that was trained more than once; a single one stands beside each of the others.

    Nothing where they share none.
    """
    trained = [each.seeds for each in means if each.is_trained]
    several = [set(seeds) for seeds in trained if len(seeds) > 1]
    if several:
        return tuple(sorted(set.intersection(*several)))
    return trained[0][:1] if trained else (0,)


def common_tasks(means: Iterable[TaskMeans]) -> tuple[str, ...]:
    """The tasks that all of them were measured at."""
    return tuple(sorted(set.intersection(*(set(each.tasks) for each in means))))


def at_seeds(means: TaskMeans, seeds: Sequence[int], tasks: Sequence[str]) -> Floats:
    """The means at these, NaN where there is none; what has a single training, or none, stands beside each seed."""
    several = means.is_trained and len(means.seeds) > 1
    rows_ST = means.mean_ST[[means.seeds.index(seed) for seed in seeds]] if several else _of_one(means.mean_ST)
    task_at = {task: place for place, task in enumerate(means.tasks)}
    absent_S1 = np.full((len(rows_ST), 1), nan)
    chosen_ST = np.concatenate([rows_ST, absent_S1], axis=1)[:, [task_at.get(task, -1) for task in tasks]]
    return chosen_ST if several else np.repeat(chosen_ST, len(seeds), axis=0)


def _of_one(mean_ST: Floats) -> Floats:
    """The mean over the draws of one agent, as one row."""
    known_ST = np.isfinite(mean_ST)
    total_T = np.where(known_ST, mean_ST, 0.0).sum(axis=0, keepdims=True)
    count_T = known_ST.sum(axis=0, keepdims=True)
    return np.where(count_T > 0, total_T / np.maximum(count_T, 1), nan)
