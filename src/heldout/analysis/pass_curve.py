"""pass@k for every k: how many tasks are done by one of k attempts, before training and after.

Training that only makes a model surer raises pass@1 and leaves pass@k, for a large k, where it was or below: then
what the trained model does the base could do as well, more seldom (Yue et al. 2025, arXiv 2504.13837).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from heldout.analysis.intervals import mean_interval
from heldout.analysis.scores import Cell, Change, matrix, paired_change, pass_at, task_values
from heldout.records import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class PassAt:
    """pass@k of one checkpoint in one cell, from 0 to 1."""

    cell: Cell
    k: int
    share: float
    """Of the tasks, those that any of k attempts did; unbiased, of all attempts that there are."""
    ci95: tuple[float, float]
    """Over tasks and training seeds that might have been drawn (docs/statistics.md)."""
    n: int
    """Tasks."""
    seeds: int


def powers_to(k: int) -> tuple[int, ...]:
    """1, 2, 4 and so on up to k, and k itself."""
    doubled = (1 << power for power in range(k.bit_length()))
    return tuple(dict.fromkeys([*doubled, k]))


def pass_curve(rows: Sequence[Row], ks: Iterable[int], *, pool: bool = False) -> list[PassAt]:
    """pass@k of one checkpoint in each cell at each of these k; a k above the attempts of a task is refused."""
    found = list[PassAt]()
    for k in ks:
        for cell, values in task_values(rows, pool=pool, value=pass_at(k)).items():
            values_ST = matrix(values)
            share, ends = float(np.nanmean(values_ST)), mean_interval(values_ST)
            seeds, tasks = values_ST.shape
            found.append(PassAt(cell=cell, k=k, share=share, ci95=ends, n=tasks, seeds=seeds))
    return sorted(found, key=lambda each: (each.cell, each.k))


def pass_change(
    before: Sequence[Row], after: Sequence[Row], ks: Iterable[int], *, pool: bool = False
) -> Mapping[Cell, Mapping[int, Change]]:
    """How pass@k changed in each cell, at each of these k, paired by task and by training seed."""
    found = dict[Cell, dict[int, Change]]()
    for k in ks:
        for cell, change in paired_change(before, after, pool=pool, value=pass_at(k)).items():
            found.setdefault(cell, {})[k] = change
    return found
