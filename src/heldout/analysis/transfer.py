"""Table 3 of the paper: what training in one environment is worth there, elsewhere, and on the whole.

Scores are in points, by chain and environment. What was not measured is not there, and a mean that needs it is
missing: it is never taken over the rest.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from heldout.chains import BASE, parse_chain

Scores = Mapping[tuple[str, str], float]
"""Points by chain, as `chain_name` writes it, and environment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """The gains of one chain over its base, in points."""

    chain: str
    gains: Mapping[str, float | None]
    """By environment; None where one of the two was not measured."""
    held_in: float | None
    """ΔHeld-In: the mean over the environments that it was trained in; of none of them is none."""
    held_out: float | None
    """ΔHeld-Out: the mean over the others."""
    overall: float | None
    """ΔOverall: the mean over all."""


def transfer(scores: Scores, envs: Sequence[str], base: str = BASE) -> list[Transfer]:
    """The gains of each chain but the base, in the order that they are there; `envs` are the table's columns."""
    chains = dict.fromkeys(chain for chain, _ in scores if chain != base)
    return [_transfer(scores, envs, chain, base) for chain in chains]


def environments_of(chain: str) -> frozenset[str]:
    """Those that a chain is trained in, at any stage: for it they are held in."""
    return frozenset(env for stage in parse_chain(chain) for env in stage.envs)


def difference(after: float | None, before: float | None) -> float | None:
    """What is gained; missing where one of the two is."""
    return None if after is None or before is None else after - before


def mean_of(values: Iterable[float | None]) -> float | None:
    """The mean of values that are all there; of none, or where one is missing, missing."""
    there = list(values)
    known = [value for value in there if value is not None]
    return fmean(known) if known and len(known) == len(there) else None


def _transfer(scores: Scores, envs: Sequence[str], chain: str, base: str) -> Transfer:
    gains = {env: difference(scores.get((chain, env)), scores.get((base, env))) for env in envs}
    held_in = environments_of(chain)
    return Transfer(
        chain=chain,
        gains=gains,
        held_in=mean_of(gain for env, gain in gains.items() if env in held_in),
        held_out=mean_of(gain for env, gain in gains.items() if env not in held_in),
        overall=mean_of(gains.values()),
    )
