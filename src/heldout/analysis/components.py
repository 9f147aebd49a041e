"""What makes a change differ: tasks, training seeds and chance, as variance components measured from rows.

Of a checkpoint and its base, the change of seed s at task t is the mean change, an effect of the seed, one of the
task, one of both, and the sampling error of the attempts on either side; the base is measured once and its error is
common to all seeds. Each component is estimated by equating mean squares with what they are expected to be. One
cell's estimate may fall below 0 by chance: cells are pooled first, and only then is nothing below 0.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import sqrt

import numpy as np

from heldout.analysis.alike import refuse_unlike_sides
from heldout.analysis.crossed import Floats, rest_square
from heldout.analysis.measured import Place, TaskMeans, at_seeds, common_tasks, task_matrices
from heldout.analysis.scores import ALL
from heldout.chains import BASE
from heldout.errors import HeldoutError
from heldout.records import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Components:
    """Standard deviations in points, of changes between a checkpoint and its base in one cell."""

    task: float
    """How much tasks differ in how they change."""
    noise: float
    """Of one task's change, by one seed: the sampling error of `k` attempts before and `k` after."""
    k: int
    seed: float
    """Between trainings, of a cell's change."""
    seed_task: float = 0.0
    """How much one training differs from another at a task, above what it does on the whole."""
    seed_correlation: float = 0.0
    """How far a training's effects in different cells go together, from 0 to 1."""
    seed_df: int = 0
    """Degrees of freedom behind `seed`; 0 where it is assumed."""
    source: str


POCKET = Components(task=8.0, noise=16.0, k=8, seed=4.0, source="assumed, from pocket's first trainings")
"""What holds until they are measured; every base has its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Squares:
    """Unbiased estimates of one checkpoint's variance components in one cell, in squared points."""

    task: float
    attempt: float
    """Of single attempts, before and after together."""
    seed: float
    seed_task: float
    effects_S: Floats
    """The cell's change by training seed."""


def measure_components(rows: Mapping[str, Iterable[Row]], *, source: str, k: int = 8) -> Components:
    """The components over all trained checkpoints and their cells; `rows` by the checkpoint's chain, as elsewhere.

    It takes two training seeds, two tasks and two attempts: what has fewer is left out, and refused if it is all.
    `k` is how many attempts the noise is said at.
    """
    base = task_matrices(rows.get(BASE, ()))
    checkpoints = [_checkpoint(base, own) for chain, own in rows.items() if chain != BASE]
    cells = [cell for own in checkpoints for cell in own]
    if not cells:
        raise HeldoutError(
            "variance components take a base and a checkpoint of two training seeds or more, at two tasks or more "
            "with two attempts or more: there is none"
        )
    return Components(
        task=_root(_mean([cell.task for cell in cells])),
        noise=_root(_mean([cell.attempt for cell in cells]) / k),
        k=k,
        seed=_root(_mean([cell.seed for cell in cells])),
        seed_task=_root(_mean([cell.seed_task for cell in cells])),
        seed_correlation=_correlation(checkpoints),
        seed_df=sum(len(own[0].effects_S) - 1 for own in checkpoints if own),
        source=source,
    )


def _mean(values: Sequence[float]) -> float:
    """The mean over cells: each counts once."""
    return float(np.mean(values))


def _checkpoint(base: Mapping[Place, TaskMeans], rows: Iterable[Row]) -> list[_Squares]:
    """One checkpoint's cells that say something, by the training seeds that all of them have."""
    after = task_matrices(rows)
    shared = [place for place in sorted(base.keys() & after.keys()) if place[0].difficulty != ALL]
    trained = [place for place in shared if after[place].is_trained]
    if not trained:
        return []
    seeds = sorted(set.intersection(*(set(after[place].seeds) for place in trained)))
    found = [_squares(place, base[place], after[place], seeds) for place in trained] if len(seeds) > 1 else []
    return [each for each in found if each is not None]


def _squares(place: Place, before: TaskMeans, after: TaskMeans, seeds: Sequence[int]) -> _Squares | None:
    refuse_unlike_sides(place[0].name, before.sample, after.sample)
    tasks = common_tasks([before, after])
    change_ST = at_seeds(after, seeds, tasks) - at_seeds(before, seeds, tasks)
    change_ST = change_ST[:, np.isfinite(change_ST).all(axis=0)]
    early, late = _attempts(before), _attempts(after)
    if change_ST.shape[1] < 2 or early is None or late is None:
        return None
    rest = float(rest_square(change_ST))
    effects_S: Floats = change_ST.mean(axis=1)
    tasks_T: Floats = change_ST.mean(axis=0)
    return _Squares(
        task=float(np.var(tasks_T, ddof=1)) - rest / len(seeds) - early[1],
        attempt=early[0] + late[0],
        seed=float(np.var(effects_S, ddof=1)) - rest / len(tasks_T),
        seed_task=rest - late[1],
        effects_S=effects_S,
    )


def _attempts(means: TaskMeans) -> tuple[float, float] | None:
    """The variance of an attempt at a task, and of the mean of those played; None where each was played once."""
    known_ST = np.isfinite(means.variance_ST)
    if not known_ST.any():
        return None
    variance = float(means.variance_ST[known_ST].mean())
    pooled_ST = means.count_ST if means.is_trained else means.count_ST.sum(axis=0, keepdims=True)
    return variance, variance * float((1 / pooled_ST[pooled_ST > 0]).mean())


def _correlation(checkpoints: Sequence[Sequence[_Squares]]) -> float:
    """How far seeds' effects in two cells of a checkpoint go together, over all pairs."""
    together, apart = 0.0, 0.0
    for cells in checkpoints:
        for one, other in combinations(cells, 2):
            together += float(np.cov(one.effects_S, other.effects_S)[0, 1])
            apart += (one.seed + other.seed) / 2
    return min(1.0, max(0.0, together / apart)) if apart > 0 else 0.0


def _root(square: float) -> float:
    return sqrt(max(0.0, square))
