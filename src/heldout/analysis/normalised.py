"""Scores between two players: what reading the texts alone comes to is 0, and the solution 1."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from heldout.analysis.bootstrap import Floats, ratio_interval
from heldout.analysis.scores import Cell, task_means
from heldout.records import Row

Means = Mapping[tuple[int, str], float]
"""By training seed and task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalised:
    """(score − random) / (oracle − random): below 0 where random does better, above 1 beyond the oracle."""

    score: float
    ci95: tuple[float, ...]
    """Tasks and training seeds resampled, the same ones of all three."""
    n: int
    """Tasks that all three have played."""


def normalised(
    rows: Iterable[Row], floor: Iterable[Row], ceiling: Iterable[Row], *, pool: bool = False, seed: int = 0
) -> dict[Cell, Normalised]:
    """Each cell's score between `random` and the oracle; a cell where the oracle does no better has none.

    All three are of the same tasks; those that one of them has not played are left out of all. Training seeds are
    paired too; a player of one seed is set against each.
    """
    found = dict[Cell, Normalised]()
    scores, floors, ceilings = (task_means(each, pool=pool) for each in (rows, floor, ceiling))
    for cell in sorted(scores.keys() & floors.keys() & ceilings.keys()):
        over_ST, under_ST = _over_and_under(scores[cell], floors[cell], ceilings[cell])
        if over_ST.size and np.nanmean(under_ST) > 0:
            found[cell] = Normalised(
                score=float(np.nanmean(over_ST) / np.nanmean(under_ST)),
                ci95=ratio_interval(over_ST, under_ST, seed),
                n=over_ST.shape[1],
            )
    return found


def _over_and_under(score: Means, floor: Means, ceiling: Means) -> tuple[Floats, Floats]:
    """Score and ceiling above the floor, with a row for each training seed and a column for each task."""
    floors, ceilings = _for_seeds(floor, score), _for_seeds(ceiling, score)
    there = sorted(score.keys() & floors.keys() & ceilings.keys())
    seeds, tasks = sorted({seed for seed, _ in there}), sorted({task for _, task in there})
    over_ST, under_ST = (np.full((len(seeds), len(tasks)), np.nan) for _ in range(2))
    for seed, task in there:
        place, key = (seeds.index(seed), tasks.index(task)), (seed, task)
        over_ST[place] = score[key] - floors[key]
        under_ST[place] = ceilings[key] - floors[key]
    return over_ST, under_ST


def _for_seeds(player: Means, of: Means) -> Means:
    """A player's means for the seeds of others: one that has a single seed stands for each of them."""
    own, seeds = {seed for seed, _ in player}, {seed for seed, _ in of}
    if len(own) > 1:
        return player
    return {(seed, task): value for (_, task), value in player.items() for seed in seeds}
