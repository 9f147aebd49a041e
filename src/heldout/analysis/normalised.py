"""Scores between two players: what reading the texts alone comes to is 0, and the solution 1."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from heldout.analysis.crossed import Floats
from heldout.analysis.intervals import normalised_interval
from heldout.analysis.scores import Cell, task_values
from heldout.records import Row

Means = Mapping[tuple[int, str], float]
"""By training seed and task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalised:
    """(score − random) / (oracle − random): below 0 where random does better, above 1 beyond the oracle."""

    score: float
    ci95: tuple[float, ...]
    """Of tasks and training seeds that might have been drawn, the same ones for all three."""
    n: int
    """Tasks that all three have played."""


def normalised(
    rows: Iterable[Row], floor: Iterable[Row], ceiling: Iterable[Row], *, pool: bool = False
) -> dict[Cell, Normalised]:
    """Each cell's score between `random` and the oracle; a cell where the oracle does no better has none.

    All three are of the same tasks; those that one of them has not played are left out of all. Training seeds are
    paired too; a player of one seed is set against each.
    """
    found = dict[Cell, Normalised]()
    scores, floors, ceilings = (task_values(each, pool=pool) for each in (rows, floor, ceiling))
    for cell in sorted(scores.keys() & floors.keys() & ceilings.keys()):
        score_ST, floor_ST, ceiling_ST = _tables(scores[cell], floors[cell], ceilings[cell])
        if not score_ST.size or not (distance := float(np.nanmean(ceiling_ST - floor_ST))) > 0:
            continue
        found[cell] = Normalised(
            score=float(np.nanmean(score_ST - floor_ST)) / distance,
            ci95=normalised_interval(score_ST, floor_ST, ceiling_ST),
            n=score_ST.shape[1],
        )
    return found


def _tables(score: Means, floor: Means, ceiling: Means) -> tuple[Floats, ...]:
    """All three with a row for each training seed and a column for each task, where all three are known."""
    players = score, _for_seeds(floor, score), _for_seeds(ceiling, score)
    there = sorted(set.intersection(*(set(each) for each in players)))
    seeds, tasks = sorted({seed for seed, _ in there}), sorted({task for _, task in there})
    rows, columns = (
        {seed: row for row, seed in enumerate(seeds)},
        {task: column for column, task in enumerate(tasks)},
    )
    tables = tuple(np.full((len(seeds), len(tasks)), np.nan) for _ in players)
    for table, means in zip(tables, players, strict=True):
        for seed, task in there:
            table[rows[seed], columns[task]] = means[seed, task]
    return tables


def _for_seeds(player: Means, of: Means) -> Means:
    """A player's means for the seeds of others: one that has a single seed stands for each of them."""
    own, seeds = {seed for seed, _ in player}, {seed for seed, _ in of}
    if len(own) > 1:
        return player
    return {(seed, task): value for (_, task), value in player.items() for seed in seeds}
