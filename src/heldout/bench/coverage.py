"""How often the 95 % intervals hold the truth, on simulated rows whose truth is known (docs/statistics.md).

A task has a chance p of its own; a training seed moves all of them on the logit scale, and each task a little
besides; each of k attempts succeeds with the chance that comes of it, or earns a share around it. What is asked for
is the mean over all tasks and seeds that might have been drawn, and its change from a base to what was trained.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from typing import final

import numpy as np
from scipy.special import expit

from heldout.analysis.crossed import Floats
from heldout.analysis.intervals import change_intervals, mean_intervals

ATTEMPTS = 8
CONCENTRATION = 3.0
"""Of a dense score, which is drawn from Beta(p · 3, (1 − p) · 3)."""
MANY = 20_000
"""Tasks that true means are taken from."""
CHANGES = (None, 0.0, 0.1)
MEANS = (0.02, 0.10, 0.50, 0.90, 0.98)
TASKS = (12, 24, 50, 200)
SEEDS = (1, 3, 5)
SEED_SDS = (0.0, 0.2, 0.35)
INTERACTION_SDS = (0.0, 0.3)
GRID = np.linspace(-14.0, 14.0, 561)
"""Shifts of all logits at which true means are known."""
ROUNDING = 1e-9

Spread = Callable[[np.random.Generator, tuple[int, ...]], Floats]
"""Draws the logits of tasks, up to a shift."""


def _two_kinds(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    return np.where(rng.random(shape) < 0.5, -2.5, 2.5)


def _a_tail(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    return rng.exponential(2.0, shape)


Group = tuple[bool, int, bool, int]
"""Whether changes are asked for; seeds; whether the mean is from 10 to 90 %; tasks."""

SHAPES: Mapping[str, Spread] = {
    "alike": lambda rng, shape: rng.normal(0.0, 0.3, shape),
    "apart": lambda rng, shape: rng.normal(0.0, 2.0, shape),
    "two kinds": _two_kinds,
    "a tail": _a_tail,
}
"""How the tasks of an environment may be spread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What is simulated."""

    shape: str
    mean: float
    tasks: int
    seeds: int
    seed_sd: float
    """Of a training seed's effect, in logits."""
    interaction_sd: float
    """Of a seed's effect on a single task."""
    dense: bool
    change: float | None = None
    """By how much training raises the mean; None asks for the mean alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """What the intervals of one condition came to."""

    condition: Condition
    share: float
    """Of the trials whose interval holds the truth."""
    of_run: float
    """Of those whose interval holds the truth of the seeds that were trained: over tasks alone."""
    width: float
    """The mean width, in points."""


def conditions() -> Iterator[Condition]:
    """Every condition of the tables in docs/statistics.md."""
    for change, shape, mean, tasks, seeds, seed_sd, interaction_sd, dense in product(
        CHANGES, SHAPES, MEANS, TASKS, SEEDS, SEED_SDS, INTERACTION_SDS, (False, True)
    ):
        if mean + (change or 0.0) < 1:
            yield Condition(
                shape=shape,
                mean=mean,
                tasks=tasks,
                seeds=seeds,
                seed_sd=seed_sd,
                interaction_sd=interaction_sd,
                dense=dense,
                change=change,
            )


def cover(condition: Condition, trials: int, seed: int = 0) -> Covered:
    """Simulates one condition."""
    rng = np.random.default_rng(seed)
    base, trained = replace(condition, seed_sd=0.0, interaction_sd=0.0, seeds=1), _World(condition)
    spread_NT = SHAPES[condition.shape](rng, (trials, condition.tasks))
    effects_NS = rng.normal(0.0, condition.seed_sd, (trials, condition.seeds))
    shift = trained.shift(condition.mean + (condition.change or 0.0))
    after_NST = _means(rng, spread_NT + shift, effects_NS, condition)
    of_run_N = trained.of_run(shift + effects_NS).mean(axis=1)
    if condition.change is None:
        low_N, high_N = mean_intervals(after_NST)
        truth, before = condition.mean, 0.0
    else:
        start = _World(base).shift(condition.mean)
        before_NST = _means(rng, spread_NT + start, np.zeros((trials, 1)), base)
        low_N, high_N = change_intervals(before_NST, after_NST)
        truth, before = condition.change, condition.mean
    return Covered(
        condition=condition,
        share=_held(low_N, high_N, np.full(trials, truth)),
        of_run=_held(low_N, high_N, of_run_N - before),
        width=100 * float((high_N - low_N).mean()),
    )


def group_of(condition: Condition) -> Group:
    """The line of the tables that a condition is in."""
    middle = MEANS[1] <= condition.mean <= MEANS[-2]
    return condition.change is not None, condition.seeds, middle, condition.tasks


def _held(low_N: Floats, high_N: Floats, truth_N: Floats) -> float:
    return float(((low_N <= truth_N + ROUNDING) & (truth_N - ROUNDING <= high_N)).mean())


def _means(rng: np.random.Generator, logits_NT: Floats, effects_NS: Floats, condition: Condition) -> Floats:
    """The mean score of each seed's attempts at each task."""
    logits_NST = logits_NT[:, None, :] + effects_NS[:, :, None]
    if condition.interaction_sd:
        logits_NST = logits_NST + rng.normal(0.0, condition.interaction_sd, logits_NST.shape)
    chances_NST = expit(logits_NST)
    if not condition.dense:
        solved_NST: Floats = rng.binomial(ATTEMPTS, chances_NST) / ATTEMPTS
        return solved_NST
    chances_NST = np.clip(chances_NST, 1e-6, 1 - 1e-6)
    shares_KNST = rng.beta(
        CONCENTRATION * chances_NST, CONCENTRATION * (1 - chances_NST), (ATTEMPTS, *chances_NST.shape)
    )
    mean_NST: Floats = shares_KNST.mean(axis=0)
    return mean_NST


@final
class _World:
    """All tasks and seeds that might be drawn under a condition, to take true means from."""

    def __init__(self, condition: Condition) -> None:
        self._seed_sd = condition.seed_sd
        self._curve = _curve(condition.shape, condition.interaction_sd)
        nodes, weights = np.polynomial.hermite_e.hermegauss(21)
        self._nodes, self._weights = nodes * condition.seed_sd, weights / weights.sum()

    def of_run(self, shifts: Floats) -> Floats:
        """The mean over tasks where all logits are moved by so much."""
        means: Floats = np.interp(shifts, GRID, self._curve)
        return means

    def shift(self, mean: float) -> float:
        """By how much the logits are moved where that is the mean over tasks and seeds."""
        means = self.of_run(GRID[:, None] + self._nodes) @ self._weights
        return float(np.interp(mean, means, GRID))


@cache
def _curve(shape: str, interaction_sd: float) -> Floats:
    """The mean over tasks at each shift of the grid."""
    rng = np.random.default_rng(1)
    logits = SHAPES[shape](rng, (MANY,)) + rng.normal(0.0, interaction_sd, MANY)
    return np.array([expit(logits + shift).mean() for shift in GRID])
