"""How much better each trajectory of a group did than its group (Eq. 4)."""

from collections.abc import Sequence
from statistics import fmean, stdev

ZERO_VARIANCE = 1e-9
"""A group whose rewards differ by less than this has nothing to teach."""


def zero_variance(rewards_G: Sequence[float]) -> bool:
    """Whether all of a group earned the same."""
    return max(rewards_G) - min(rewards_G) < ZERO_VARIANCE


def group_advantages(rewards_G: Sequence[float]) -> list[float]:
    """Eq. 4 with the n - 1 deviation: each reward against its own group; zeros where all earned the same."""
    if len(rewards_G) < 2 or zero_variance(rewards_G):
        return [0.0] * len(rewards_G)
    mean, deviation = fmean(rewards_G), stdev(rewards_G)
    return [(reward - mean) / (deviation + 1e-6) for reward in rewards_G]
