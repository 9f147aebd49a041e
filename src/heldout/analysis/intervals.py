"""Intervals that hold what they promise: 95 % over the training seeds and the tasks that might have been drawn.

Seeds and tasks are crossed: each seed's model is measured on the same tasks. The variance of the mean of a table of
S seeds × T tasks is the seeds' part and the tasks' part together (Searle, Casella & McCulloch, *Variance
Components*, ch. 4; Clark, 1973), with Satterthwaite's degrees of freedom. A mean of shares is not normal near 0 and
1, so its interval is Wilson's, of as many yes and no answers as would vary as much (Korn & Graubard, 1998).
A change is in the union of two intervals: of the paired changes, and of the two means (MOVER: Zou & Donner, 2008),
which has a width even where nothing was seen to vary. docs/statistics.md has what they cover.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from heldout.analysis.crossed import Floats, crossed_spread, tasks_spread

SURE = 0.975
"""The quantile of a two-sided interval of 95 %."""
RARE = 0.5
"""Tasks of the rarer kind at which the allowance for what was not seen has fallen to a quarter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """The mean of each of N tables `_NST`, and its variance over the seeds and tasks that might have been drawn."""

    mean_N: Floats
    variance_N: Floats
    """Of one seed it is the tasks' alone: given this run. NaN where there are fewer than two tasks."""
    df_N: Floats
    """Satterthwaite's degrees of freedom of the variance."""

    @property
    def reach_N(self) -> Floats:
        """From the mean to the end of a t interval; without end where no variance is known."""
        reach_N: Floats = stdtrit(self.df_N, SURE) * np.sqrt(self.variance_N)
        return np.nan_to_num(reach_N, nan=np.inf)


def moments(values_NST: Floats) -> Moments:
    """Mean, variance and degrees of freedom of each table; NaN marks what was not measured.

    The mean is of all that was measured, its variance of the tasks that every seed has.
    """
    mean_N = np.nanmean(values_NST, axis=(1, 2))
    if not np.isnan(values_NST).any():
        return Moments(mean_N=mean_N, **_spread(values_NST))
    [one_ST] = values_NST  # tables with gaps come one at a time
    return Moments(mean_N=mean_N, **_spread(one_ST[None, :, ~np.isnan(one_ST).any(axis=0)]))


def mean_intervals(values_NST: Floats) -> tuple[Floats, Floats]:
    """The 95 % interval of each mean of scores; of scores from 0 to 1 it has a width always, and stays within."""
    found = moments(values_NST)
    low_N, high_N = _wilson(found, values_NST.shape[2])
    are_shares_N, reach_N = _are_shares(values_NST), found.reach_N
    return (
        np.where(are_shares_N, low_N, found.mean_N - reach_N),
        np.where(are_shares_N, high_N, found.mean_N + reach_N),
    )


def change_intervals(before_NST: Floats, after_NST: Floats) -> tuple[Floats, Floats]:
    """The 95 % interval of each mean change, paired by task, and by seed where `before` has more than one."""
    paired_NST = after_NST - before_NST
    change, before, after = map(moments, (paired_NST, before_NST, after_NST))
    apart_N = _mover(before, mean_intervals(before_NST), after, mean_intervals(after_NST), change)
    reach_N = change.reach_N
    most_N = np.where(_are_shares(before_NST) & _are_shares(after_NST), 1.0, np.inf)
    return (
        np.maximum(np.minimum(change.mean_N - reach_N, apart_N[0]), -most_N),
        np.minimum(np.maximum(change.mean_N + reach_N, apart_N[1]), most_N),
    )


def mean_interval(values_ST: Floats) -> tuple[float, float]:
    """The same of one table."""
    return _only(mean_intervals(values_ST[None]))


def change_interval(before_ST: Floats, after_ST: Floats) -> tuple[float, float]:
    """The same of one change."""
    return _only(change_intervals(before_ST[None], after_ST[None]))


def normalised_interval(score_ST: Floats, floor_ST: Floats, ceiling_ST: Floats) -> tuple[float, float]:
    """The 95 % interval of (score − floor) / (ceiling − floor) of the means; the ceiling's is above the floor's.

    The union of the ratio's t interval, from the variance of what is left over once the ratio is taken away (the
    delta method), and of the change's over the floor in units of the distance.
    """
    over_ST, under_ST = score_ST - floor_ST, ceiling_ST - floor_ST
    distance = float(np.nanmean(under_ST))
    ratio = float(np.nanmean(over_ST)) / distance
    rest = moments((over_ST - ratio * under_ST)[None])
    low, high = change_interval(floor_ST, score_ST)
    reach = float(rest.reach_N[0]) / distance if score_ST.shape[1] > 1 else 0.0
    return min(ratio - reach, low / distance), max(ratio + reach, high / distance)


def _are_shares(values_NST: Floats) -> NDArray[np.bool_]:
    """Whether all values of each table are from 0 to 1."""
    shares: NDArray[np.bool_] = (np.nanmin(values_NST, axis=(1, 2)) >= 0) & (
        np.nanmax(values_NST, axis=(1, 2)) <= 1
    )
    return shares


def _only(ends: tuple[Floats, Floats]) -> tuple[float, float]:
    low_N, high_N = ends
    return float(low_N[0]), float(high_N[0])


def _spread(values_NST: Floats) -> dict[str, Floats]:
    """The variance of each mean of a whole table, and its degrees of freedom."""
    tables, seeds, tasks = values_NST.shape
    if tasks < 2:
        return {"variance_N": np.full(tables, np.nan), "df_N": np.full(tables, np.nan)}
    found = crossed_spread([values_NST]) if seeds > 1 else tasks_spread([values_NST])
    variance_N = np.asarray(found.variance)
    return {"variance_N": variance_N, "df_N": np.where(variance_N > 0, found.df, tasks - 1.0)}


def _wilson(found: Moments, tasks: int) -> tuple[Floats, Floats]:
    """Wilson's interval with as many yes and no answers as would vary so much; the whole range of a single task.

    Tasks do not show what is rare among them: of a mean near 0 or 1 a kind of task that none of T is may be a good
    part. So the variance that T yes and no answers would have is added, by a weight that falls from 1, where not
    half a task is unlike the others, as the square of their number. Where all is 0 or 1, a task is one answer.
    """
    p_N = np.clip(found.mean_N, 0.0, 1.0)
    unlike_N = tasks * np.minimum(p_N, 1 - p_N)
    variance_N = found.variance_N + p_N * (1 - p_N) / tasks / (1 + unlike_N / RARE) ** 2
    varies_N = (variance_N > 0) & (p_N > 0) & (p_N < 1)
    answers_N = np.where(varies_N, p_N * (1 - p_N) / np.where(varies_N, variance_N, 1.0), tasks)
    q2_N = stdtrit(found.df_N, SURE) ** 2
    middle_N = (p_N + q2_N / (2 * answers_N)) / (1 + q2_N / answers_N)
    reach_N = np.sqrt(p_N * (1 - p_N) * q2_N / answers_N + (q2_N / (2 * answers_N)) ** 2) / (1 + q2_N / answers_N)
    return (
        np.nan_to_num(np.maximum(0.0, middle_N - reach_N), nan=0.0),
        np.nan_to_num(np.minimum(1.0, middle_N + reach_N), nan=1.0),
    )


def _mover(
    before: Moments,
    ends_of_before: tuple[Floats, Floats],
    after: Moments,
    ends_of_after: tuple[Floats, Floats],
    change: Moments,
) -> tuple[Floats, Floats]:
    """The interval of a difference of two means that vary together, from the ends of their own intervals."""
    product_N = np.sqrt(before.variance_N * after.variance_N)
    with np.errstate(invalid="ignore", divide="ignore"):
        together_N = (before.variance_N + after.variance_N - change.variance_N) / (2 * product_N)
    together_N = np.where(product_N > 0, np.clip(together_N, -1.0, 1.0), 0.0)
    (low_N, high_N), (lowest_N, highest_N) = ends_of_before, ends_of_after
    down_N, up_N = after.mean_N - lowest_N, highest_N - after.mean_N
    under_N, over_N = before.mean_N - low_N, high_N - before.mean_N
    return (
        change.mean_N - _third_side(down_N, over_N, together_N),
        change.mean_N + _third_side(up_N, under_N, together_N),
    )


def _third_side(one_N: Floats, other_N: Floats, cosine_N: Floats) -> Floats:
    """Of a triangle with these two sides, and the cosine of the angle between them; endless where a side is."""
    with np.errstate(invalid="ignore"):
        square_N = one_N**2 + other_N**2 - 2 * cosine_N * one_N * other_N
    return np.sqrt(np.maximum(0.0, np.nan_to_num(square_N, nan=np.inf)))
