"""What of a gain is only sharper choice: the base decoded greedily, and the base at the trained model's entropy."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import fmean

from heldout.records import Trajectory

COOLEST, HOTTEST = 0.05, 2.0
"""Between these temperatures the matching one is sought."""
HALVINGS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """The temperature at which the base's replies have the trained model's entropy."""

    temperature: float
    wanted: float
    """The trained model's entropy as it is measured, in nats a token."""
    reached: float
    """The base's entropy at that temperature."""


def entropy(trajectories: Iterable[Trajectory]) -> float:
    """Nats a token, estimated without bias from what was sampled: the mean of −log p of each sampled token."""
    logprobs = [
        logprob for trajectory in trajectories for turn in trajectory.turns for logprob in turn.reply.logprobs
    ]
    return -fmean(logprobs) if logprobs else 0.0


def match_temperature(wanted: float, entropy_at: Callable[[float], float]) -> Matched:
    """Halves the interval of temperatures until the base is as random as wanted, as near as `HALVINGS` gets.

    Entropy rises with temperature; where the interval does not hold it, its nearer end is approached.
    """
    low, high = COOLEST, HOTTEST
    temperature, reached = 1.0, entropy_at(1.0)
    for _ in range(HALVINGS):
        low, high = (temperature, high) if reached < wanted else (low, temperature)
        temperature = (low + high) / 2
        reached = entropy_at(temperature)
    return Matched(temperature=round(temperature, 4), wanted=wanted, reached=reached)
