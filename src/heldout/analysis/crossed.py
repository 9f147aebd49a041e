"""How exactly a sum of means is known, over training seeds and tasks that are both drawn: its variance and its df.

Each cell is a table of training seeds S and tasks T: the same seeds in all of them, since one training is measured
in each, and tasks of its own. With seeds, tasks and both at once as random effects, the variance of the sum of the
cells' means is

    seeds + tasks − rest,    seeds = var_S(Σ_c mean_T D_c) / S
                             tasks = Σ_c var_T(mean_S D_c) / T_c
                             rest  = Σ_c MS_rest,c / (S T_c)

since `rest` is in both others, and its degrees of freedom are Satterthwaite's. Seeds' effects may differ from cell
to cell and go together: their sum is what counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

Floats = NDArray[np.float64]
"""`_ST` has a row for each training seed and a column for each task; of N such tables it is `_NST`."""
Real = Floats | float
"""One number, or one for each of many tables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The variance of an estimate, and how many degrees of freedom stand behind it."""

    variance: Real
    df: Real

    @property
    def se(self) -> Floats:
        """The standard error."""
        se: Floats = np.sqrt(np.asarray(self.variance))
        return se

    def reach(self, level: float = 0.95) -> Floats:
        """How far an interval of that level goes to either side."""
        reach: Floats = stdtrit(self.df, (1 + level) / 2) * self.se
        return reach

    def tail(self, distance: float) -> Floats:
        """How likely Student's t is at least so far above 0."""
        tail: Floats = stdtr(self.df, -distance / self.se)
        return tail


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A mean square's share of a variance, and its degrees of freedom."""

    variance: Real
    df: float


def crossed_spread(cells: Sequence[Floats]) -> Spread:
    """That of the sum of the means of the cells' tables, two seeds or more and two tasks or more in each.

    A difference of mean squares can come out below one of them, or below 0, by chance: the variance is never taken
    to be less than what the seeds alone or the tasks alone account for, nor the degrees of freedom less than the
    worst of the mean squares has.
    """
    seeds = seeds_part(cells)
    tasks, rest = _tasks_parts(cells), [_rest_part(cell_ST) for cell_ST in cells]
    all_tasks = _total(tasks)
    variance = np.maximum(np.maximum(seeds.variance, all_tasks), seeds.variance + all_tasks - _total(rest))
    return combine([seeds, *tasks, *rest], variance)


def tasks_spread(cells: Sequence[Floats]) -> Spread:
    """The same for these very trainings: only the tasks are drawn."""
    tasks = _tasks_parts(cells)
    return combine(tasks, _total(tasks))


def combine(parts: Sequence[Part], variance: Real) -> Spread:
    """A variance that is made of these, with Satterthwaite's degrees of freedom."""
    least = min(part.df for part in parts)
    below = np.asarray(sum(np.square(part.variance) / part.df for part in parts))
    df = np.divide(np.square(variance), below, out=np.full(below.shape, float(least)), where=below > 0)
    return Spread(variance=variance, df=np.maximum(df, least))


def seeds_part(cells: Sequence[Floats]) -> Part:
    """What the seeds, and chance in each of them, add to the variance."""
    totals_S: Floats = np.sum([cell_ST.mean(axis=-1) for cell_ST in cells], axis=0)
    seeds = totals_S.shape[-1]
    return Part(variance=np.var(totals_S, axis=-1, ddof=1) / seeds, df=seeds - 1)


def rest_square(cell_ST: Floats) -> Floats:
    """The mean square of what neither a seed nor a task accounts for."""
    seeds, tasks = cell_ST.shape[-2:]
    of_seeds, of_tasks = cell_ST.mean(axis=-1, keepdims=True), cell_ST.mean(axis=-2, keepdims=True)
    rest_ST: Floats = cell_ST - of_seeds - of_tasks + of_seeds.mean(axis=-2, keepdims=True)
    square: Floats = np.square(rest_ST).sum(axis=(-2, -1)) / ((seeds - 1) * (tasks - 1))
    return square


def _tasks_parts(cells: Sequence[Floats]) -> list[Part]:
    """What the tasks of each cell, and chance in each of them, add."""
    means = [cell_ST.mean(axis=-2) for cell_ST in cells]
    return [
        Part(variance=np.var(mean_T, axis=-1, ddof=1) / mean_T.shape[-1], df=mean_T.shape[-1] - 1)
        for mean_T in means
    ]


def _rest_part(cell_ST: Floats) -> Part:
    seeds, tasks = cell_ST.shape[-2:]
    return Part(variance=rest_square(cell_ST) / (seeds * tasks), df=(seeds - 1) * (tasks - 1))


def _total(parts: Sequence[Part]) -> Floats:
    total: Floats = np.sum(np.stack([np.asarray(part.variance) for part in parts]), axis=0)
    return total
