"""What a gain must beat: players without a model, and the base decoded otherwise. Here is what needs no model.

A control's temperature is found once, on training tasks, and kept in the study's folder.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from heldout.records import Row

FLOOR, CEILING = "random", "oracle"
"""The players that a score is normalised by: one that has only read the texts, and one that knows the solution."""

CONTROL_PLAYERS = (FLOOR, "random-legal", CEILING)
"""Who is measured beside every model; `random-legal` sees the world, and draws among what would be carried out."""

COOLEST, HOTTEST = 0.05, 4.0
"""Between these temperatures the matching one is sought."""

ROUNDS, PARTS = 3, 16
"""How often the interval is cut, and into how many parts each time: what is left of it is a thousandth of T."""

CALIBRATION = (16, 3)
"""Training tasks, and attempts at each, on whose states two entropies are matched."""

GRID = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Among these temperatures, and the study's own, the best one is chosen."""

TUNING = (24, 2)
"""Training tasks of a cell, and attempts at each, by which it is chosen; greedy decoding has one attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """The temperature at which the base has the trained model's entropy, in the states that the latter visits."""

    temperature: float
    wanted: float
    """The trained model's entropy as it is measured, in nats a token."""
    reached: float
    """The base's at that temperature, at the same positions of the same sequences."""
    tokens: int
    """Over how many positions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuned:
    """The temperature at which a model does best on training tasks of a cell's kind."""

    temperature: float
    scores: Mapping[str, float] = field(hash=False)
    """The mean score, from 0 to 1, at each temperature that was tried."""
    tasks: int
    """On how many tasks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """The forward KL from the base to a checkpoint in one environment."""

    kl: float
    """Nats a token: the mean of KL(base ‖ checkpoint) over the positions at which the base said something."""
    tokens: int
    """Over how many positions."""
    episodes: int
    """Of how many episodes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlRows:
    """What was measured of the model, or of one of its controls."""

    name: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A control that could not be measured."""

    name: str
    why: str


@dataclass(slots=True, kw_only=True)
class Beside:
    """The model first, then its controls, and those that were left out."""

    measured: list[ControlRows] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


EntropiesAt = Callable[[Sequence[float]], Sequence[float]]
"""Nats a token at each of these temperatures."""


def match_temperature(wanted: float, entropies_at: EntropiesAt, tokens: int) -> Matched:
    """Cuts the interval of temperatures into parts, and goes on in the one that holds what is wanted.

    Entropy rises with temperature; where the interval does not hold it, its nearer end is taken. In the last part
    it is taken for a line, and what is reached is measured there.
    """
    low, high, line = COOLEST, HOTTEST, list[tuple[float, float]]()
    for _ in range(ROUNDS):
        step = (high / low) ** (1 / PARTS)
        temperatures = [low * step**part for part in range(PARTS + 1)]
        found = list(zip(temperatures, entropies_at(temperatures), strict=True))
        below = [point for point in found[:-1] if point[1] <= wanted]
        start = found.index(below[-1]) if below else 0
        line = found[start : start + 2]
        low, high = line[0][0], line[1][0]
    temperature = round(_on_line(line, wanted), 4)
    return Matched(
        temperature=temperature, wanted=wanted, reached=float(entropies_at([temperature])[0]), tokens=tokens
    )


def best_of(scores: Mapping[float, float], tasks: int) -> Tuned:
    """The temperature of the best mean score; of equals the highest, since it changes the model least."""
    best = max(scores, key=lambda temperature: (scores[temperature], temperature))
    return Tuned(
        temperature=best,
        scores={f"{temperature:g}": score for temperature, score in sorted(scores.items())},
        tasks=tasks,
    )


def grid(own: float) -> list[float]:
    """The temperatures that are tried where the study's own is this."""
    return sorted({*GRID, own})


def _on_line(line: Sequence[tuple[float, float]], wanted: float) -> float:
    """Where between two points the value is reached; outside, the nearer point."""
    (low, least), (high, most) = line
    if most <= least:
        return low
    share = min(1.0, max(0.0, (wanted - least) / (most - least)))
    return low + share * (high - low)
