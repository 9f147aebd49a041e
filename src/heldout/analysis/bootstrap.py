"""Intervals by resampling: training seeds and tasks are drawn again, with replacement."""

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 10_000

Floats = NDArray[np.float64]


def interval(values_ST: Floats, seed: int = 0) -> tuple[float, float]:
    """The 95 % percentile interval of the mean over seeds S and tasks T; NaN marks what was not measured.

    Each resample draws S seeds and T tasks and takes the mean of what is measured where they cross.
    """
    total_R, count_R = _sums(values_ST, seed)
    drawn_R = count_R > 0
    low, high = np.percentile(total_R[drawn_R] / count_R[drawn_R], (2.5, 97.5))
    return float(low), float(high)


def ratio_interval(over_ST: Floats, under_ST: Floats, seed: int = 0) -> tuple[float, float]:
    """The same of a ratio of two means that are known at the same places: both are drawn at once.

    A resample whose lower mean is not above 0 has no ratio, and is left out.
    """
    (over_R, _), (under_R, _) = _sums(over_ST, seed), _sums(under_ST, seed)
    drawn_R = under_R > 0
    low, high = np.percentile(over_R[drawn_R] / under_R[drawn_R], (2.5, 97.5))
    return float(low), float(high)


def _sums(values_ST: Floats, seed: int) -> tuple[Floats, Floats]:
    """What the known values of each resample add up to, and how many there are; one seed draws the same ones."""
    rng = np.random.default_rng(seed)
    seeds_RS = _draws(rng, values_ST.shape[0])
    tasks_RT = _draws(rng, values_ST.shape[1])
    known_ST = ~np.isnan(values_ST)
    total_R = ((seeds_RS @ np.where(known_ST, values_ST, 0.0)) * tasks_RT).sum(axis=1)
    count_R = ((seeds_RS @ known_ST.astype(float)) * tasks_RT).sum(axis=1)
    return total_R, count_R


def _draws(rng: np.random.Generator, size: int) -> Floats:
    """How often each of `size` things comes up in each resample."""
    return rng.multinomial(size, np.full(size, 1 / size), size=RESAMPLES).astype(float)
