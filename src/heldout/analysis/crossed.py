"""How exactly a sum of means is known, over training seeds and tasks that are both drawn: its variance and its df.

Each cell is a matrix of training seeds S and tasks T: the same seeds in all of them, since one training is measured
in each, and tasks of its own. With seeds, tasks and both at once as random effects, the variance of the sum of the
cells' means is

    seeds + tasks − rest,    seeds = var_S(Σ_c mean_T D_c) / S
                             tasks = Σ_c var_T(mean_S D_c) / T_c
                             rest  = Σ_c MS_rest,c / (S T_c)

since `rest` is in both others, and its degrees of freedom are Satterthwaite's. Seeds' effects may differ from cell
to cell and go together: their sum is what counts.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The variance of an estimate, and how many degrees of freedom stand behind it."""

    variance: float
    df: float

    @property
    def se(self) -> float:
        """The standard error."""
        return math.sqrt(self.variance)

    def reach(self, level: float = 0.95) -> float:
        """How far an interval of that level goes to either side."""
        return float(stdtrit(self.df, (1 + level) / 2)) * self.se

    def tail(self, distance: float) -> float:
        """How likely Student's t is at least so far above 0."""
        return float(stdtr(self.df, -distance / self.se))


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A mean square's share of a variance, and its degrees of freedom."""

    variance: float
    df: float


def crossed_spread(cells: Sequence[Floats]) -> Spread:
    """That of the sum of the means of the cells' matrices, two seeds or more and two tasks or more in each.

    A difference of mean squares can come out below one of them, or below 0, by chance: the variance is never taken
    to be less than what the seeds alone or the tasks alone account for.
    """
    seeds = seeds_part(cells)
    tasks, rest = _tasks_parts(cells), [_rest_part(cell_ST) for cell_ST in cells]
    all_tasks = sum(part.variance for part in tasks)
    both = seeds.variance + all_tasks - sum(part.variance for part in rest)
    if both >= max(seeds.variance, all_tasks):
        return combine([seeds, *tasks, *rest], both)
    return combine([seeds], seeds.variance) if seeds.variance > all_tasks else combine(tasks, all_tasks)


def tasks_spread(cells: Sequence[Floats]) -> Spread:
    """The same for these very trainings: only the tasks are drawn."""
    tasks = _tasks_parts(cells)
    return combine(tasks, sum(part.variance for part in tasks))


def combine(parts: Sequence[Part], variance: float) -> Spread:
    """A variance that is made of these, with Satterthwaite's degrees of freedom."""
    below = sum(part.variance**2 / part.df for part in parts)
    return Spread(variance=variance, df=variance**2 / below if below > 0 else min(part.df for part in parts))


def seeds_part(cells: Sequence[Floats]) -> Part:
    """What the seeds, and chance in each of them, add to the variance."""
    totals_S = np.sum([cell_ST.mean(axis=1) for cell_ST in cells], axis=0)
    return Part(variance=float(np.var(totals_S, ddof=1)) / len(totals_S), df=len(totals_S) - 1)


def _tasks_parts(cells: Sequence[Floats]) -> list[Part]:
    """What the tasks of each cell, and chance in each of them, add."""
    means = [cell_ST.mean(axis=0) for cell_ST in cells]
    return [Part(variance=float(np.var(mean_T, ddof=1)) / len(mean_T), df=len(mean_T) - 1) for mean_T in means]


def rest_square(cell_ST: Floats) -> float:
    """The mean square of what neither a seed nor a task accounts for."""
    seeds, tasks = cell_ST.shape
    rest_ST: Floats = cell_ST - cell_ST.mean(axis=1, keepdims=True) - cell_ST.mean(axis=0) + cell_ST.mean()
    return float(np.square(rest_ST).sum() / ((seeds - 1) * (tasks - 1)))


def _rest_part(cell_ST: Floats) -> Part:
    seeds, tasks = cell_ST.shape
    return Part(variance=rest_square(cell_ST) / cell_ST.size, df=(seeds - 1) * (tasks - 1))
