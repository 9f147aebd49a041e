"""What a study's endpoints come to: the estimate in points, how exactly it is known, and the family's p-values.

Paired by task and training seed: in each cell the weighted sum over checkpoints is taken seed by seed and task by
task, and the estimate is the sum of the cells' means. Seeds and tasks are both drawn (`crossed`). Of one seed there
is no variance between trainings: the result is then given this run, unless the variance is known from elsewhere.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from heldout.analysis.alike import refuse_unlike_sides
from heldout.analysis.crossed import Floats, Part, Spread, combine, crossed_spread, tasks_spread
from heldout.analysis.endpoints import Endpoint, Term
from heldout.analysis.measured import TaskMeans, at_seeds, common_seeds, task_matrices
from heldout.analysis.scores import ALL, Cell
from heldout.chains import BASE
from heldout.errors import HeldoutError
from heldout.records import Row

ACROSS_VARIANTS = ("variant", "prompt")
"""In what the changes that an endpoint compares may differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedsElsewhere:
    """How much trainings of one checkpoint differ, where other cells or studies tell it."""

    sd: float
    """Between training seeds, of a cell's change, in points."""
    df: float
    source: str
    """Where it is from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A weighted sum of means, in points."""

    value: float
    se: float
    df: float
    ci95: tuple[float, float]
    ci90: tuple[float, float]
    """What two one-sided tests at 5 % look at."""
    p: float
    """Two-sided, that the sum is 0."""
    p_equivalence: float | None = None
    """Of two one-sided tests, that the sum is beyond the endpoint's margin; None without a margin."""
    seeds: int
    """Training seeds that all of it was measured by."""
    tasks: int
    """In all cells."""
    left_out: int
    """Tasks that not every checkpoint and seed was measured at."""
    given_this_run: bool
    """Whether no variance between trainings is in it: another training may come out otherwise."""
    seeds_from: str = ""
    """Where the variance between trainings is from, if not from these rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointResult:
    """What became of one endpoint: an estimate, or why there is none."""

    endpoint: Endpoint
    estimate: Estimate | None
    missing: str
    """Why there is no estimate; empty where there is one."""
    adjusted: float | None
    """The p-value of its question, by Holm's over all endpoints that were named, missing ones too."""


class _Missing(Exception):
    """An endpoint cannot be estimated: the message says why."""


Measured = Mapping[str, Mapping[tuple[Cell, str], TaskMeans]]
"""By checkpoint, and by cell and variant."""


def estimate_endpoints(
    endpoints: Sequence[Endpoint], rows: Mapping[str, Iterable[Row]], elsewhere: SeedsElsewhere | None = None
) -> list[EndpointResult]:
    """The family's results; `rows` are those of each checkpoint by its chain's name, as in `Term.chain`.

    An endpoint of which a cell is missing is missing, and the others stand. Rows that are not alike are refused.
    """
    needed = {term.chain for endpoint in endpoints for term in endpoint.terms}
    measured = {chain: task_matrices(rows[chain]) for chain in sorted(needed & rows.keys())}
    found = [_result(endpoint, measured, elsewhere) for endpoint in endpoints]
    adjusted = holm([_p_of(each) for each in found])
    return [replace(each, adjusted=p) for each, p in zip(found, adjusted, strict=True)]


def holm(ps: Sequence[float | None]) -> list[float | None]:
    """Holm's adjusted p-values; a test that could not be made (None) counts as one of the family."""
    order = sorted((p, place) for place, p in enumerate(ps) if p is not None)
    adjusted, highest = list[float | None]([None] * len(ps)), 0.0
    for rank, (p, place) in enumerate(order):
        highest = max(highest, min(1.0, (len(ps) - rank) * p))
        adjusted[place] = highest
    return adjusted


def _p_of(result: EndpointResult) -> float | None:
    if result.estimate is None:
        return None
    return result.estimate.p if result.endpoint.margin is None else result.estimate.p_equivalence


def _result(endpoint: Endpoint, measured: Measured, elsewhere: SeedsElsewhere | None) -> EndpointResult:
    try:
        estimate, missing = _estimate(endpoint, measured, elsewhere), ""
    except _Missing as why:
        estimate, missing = None, str(why)
    return EndpointResult(endpoint=endpoint, estimate=estimate, missing=missing, adjusted=None)


def _estimate(endpoint: Endpoint, measured: Measured, elsewhere: SeedsElsewhere | None) -> Estimate:
    by_cell = _by_cell(endpoint, measured)
    seeds = common_seeds([means for terms in by_cell.values() for _, means in terms])
    if not seeds:
        raise _Missing("no training seed is common to all of it")
    cells, left_out = list[Floats](), 0
    for cell, terms in by_cell.items():
        _refuse_unlike(cell, terms)
        weighted_ST, lost = _weighted(cell, terms, seeds)
        cells.append(weighted_ST)
        left_out += lost
    value = float(sum(cell_ST.mean() for cell_ST in cells))
    trained = [means for terms in by_cell.values() for _, means in terms if means.is_trained]
    one_seed = any(len(means.seeds) == 1 for means in trained) or (bool(trained) and len(seeds) == 1)
    spread = crossed_spread(cells) if len(seeds) > 1 else tasks_spread(cells)
    if one_seed and elsewhere:
        spread = _with_seeds(spread, by_cell, len(seeds), elsewhere)
    if spread.variance <= 0:
        spread = Spread(variance=_smallest(by_cell), df=min(cell_ST.shape[1] for cell_ST in cells) - 1)
    return Estimate(
        value=value,
        se=float(spread.se),
        df=float(spread.df),
        ci95=_around(value, spread, 0.95),
        ci90=_around(value, spread, 0.90),
        p=2 * float(spread.tail(abs(value))),
        p_equivalence=None if endpoint.margin is None else float(spread.tail(endpoint.margin - abs(value))),
        seeds=len(seeds),
        tasks=sum(cell_ST.shape[1] for cell_ST in cells),
        left_out=left_out,
        given_this_run=one_seed and elsewhere is None,
        seeds_from=elsewhere.source if one_seed and elsewhere else "",
    )


def _around(value: float, spread: Spread, level: float) -> tuple[float, float]:
    reach = float(spread.reach(level))
    return value - reach, value + reach


Terms = Sequence[tuple[Term, TaskMeans]]


def _by_cell(endpoint: Endpoint, measured: Measured) -> dict[Cell, list[tuple[Term, TaskMeans]]]:
    """The terms of each cell, with what was measured."""
    found = dict[Cell, list[tuple[Term, TaskMeans]]]()
    for term in endpoint.terms:
        means = measured.get(term.chain, {}).get((term.cell, term.variant))
        if means is None:
            variant = f" with {term.variant}" if term.variant else ""
            raise _Missing(f"{term.chain} was not measured in {term.cell.name}{variant}")
        found.setdefault(term.cell, []).append((term, means))
    for cell in found:
        if cell.difficulty == ALL and any(_is_part(other, cell) for other in found):
            raise HeldoutError(f"{endpoint.name}: {cell.name} holds the tasks of another cell of this endpoint")
    return found


def _is_part(cell: Cell, whole: Cell) -> bool:
    return (cell.env, cell.split) == (whole.env, whole.split) and cell.difficulty != whole.difficulty


def _refuse_unlike(cell: Cell, terms: Terms) -> None:
    """Refuses terms of a cell that are not of the same tasks and rules; of two variants each is a change."""
    for (one, before), (other, after) in pairwise(sorted(terms, key=lambda pair: pair[0].variant)):
        across = ACROSS_VARIANTS if one.variant != other.variant else ()
        players = any(
            term.chain != BASE and not means.is_trained for term, means in ((one, before), (other, after))
        )
        refuse_unlike_sides(cell.name, before.sample, after.sample, one_base=not players, across=across)
    weights = dict[str, float]()
    for term, _ in terms:
        weights[term.variant] = weights.get(term.variant, 0.0) + term.weight
    if len(weights) > 1 and any(abs(weight) > 1e-9 for weight in weights.values()):
        raise HeldoutError(
            f"{cell.name}: of different variants only changes are compared: the weights add up to 0 in each of "
            f"{' and '.join(sorted(name or 'none' for name in weights))}"
        )


def _weighted(cell: Cell, terms: Terms, seeds: Sequence[int]) -> tuple[Floats, int]:
    """The weighted sum by training seed and task, of tasks that all of it was measured at; how many were not."""
    tasks = sorted({task for _, means in terms for task in means.tasks})
    total_ST = np.zeros((len(seeds), len(tasks)))
    for term, means in terms:
        total_ST += term.weight * at_seeds(means, seeds, tasks)
    whole_T = np.isfinite(total_ST).all(axis=0)
    if whole_T.sum() < 2:
        raise _Missing(f"{cell.name} has {whole_T.sum()} tasks that all of it was measured at: two are needed")
    return total_ST[:, whole_T], int((~whole_T).sum())


def _with_seeds(spread: Spread, by_cell: Mapping[Cell, Terms], seeds: int, known: SeedsElsewhere) -> Spread:
    """The variance with that between trainings added, of what was trained once, as known from elsewhere.

    A training's effects in several cells are taken to go together, those of two checkpoints not to: the larger of
    what they can add up to.
    """
    weights = defaultdict[str, float](float)
    for term, means in (pair for terms in by_cell.values() for pair in terms):
        if means.is_trained and (seeds == 1 or len(means.seeds) == 1):
            weights[term.chain] += abs(term.weight)
    added = known.sd**2 * sum(weight**2 for weight in weights.values())
    parts = [Part(variance=spread.variance, df=float(spread.df)), Part(variance=added, df=known.df)]
    return combine(parts, spread.variance + added)


def _smallest(by_cell: Mapping[Cell, Terms]) -> float:
    """The variance where no task differs: that of each mean over its tasks, after Agresti and Coull, never 0."""
    total = 0.0
    for terms in by_cell.values():
        for term, means in terms:
            tasks = len(means.tasks)
            share = min(1.0, max(0.0, float(np.nanmean(means.mean_ST)) / 100))
            share = (share * tasks + 2) / (tasks + 4)
            total += (100 * term.weight) ** 2 * share * (1 - share) / (tasks + 4)
    return total
