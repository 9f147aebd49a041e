"""What a study can detect: the smallest change that comes out significant four times in five, before it is run."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from scipy.special import nctdtrinc, stdtrit

from heldout.analysis.components import Components
from heldout.analysis.crossed import Part, Spread, combine
from heldout.analysis.endpoints import Endpoint
from heldout.analysis.scores import Cell
from heldout.chains import BASE
from heldout.errors import BadCall

LEVEL, POWER = 0.05, 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """How much is measured."""

    seeds: int
    """Training seeds of each checkpoint."""
    tasks: Mapping[Cell, int]
    k: int
    """Attempts at each task, by the base as by each training seed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detectable:
    """The smallest change of an endpoint that a design detects, in points, and what more of it would buy."""

    change: float
    """At 80 % power and 5 %, two-sided; of one training seed, given this run.

    Of an endpoint with a margin the smallest margin within which it would be shown to lie, were it 0.
    """
    beyond_this_run: float | None
    """Of one training seed, with the variance between trainings as assumed; None with several, where it is in."""
    with_one_more_seed: float
    with_twice_the_tasks: float
    with_twice_the_attempts: float


def detectable(
    endpoint: Endpoint, components: Components, design: Design, untrained: Collection[str] = (BASE,)
) -> Detectable:
    """What the design detects of an endpoint; `untrained` names the checkpoints that are no trainings."""

    def change(design: Design) -> float:
        return smallest(spread_of(endpoint, components, design, untrained))

    smallest = smallest_change if endpoint.margin is None else smallest_margin
    alone = spread_of(endpoint, components, design, untrained, with_seeds=True) if design.seeds == 1 else None
    return Detectable(
        change=change(design),
        beyond_this_run=None if alone is None else smallest(alone),
        with_one_more_seed=change(replace(design, seeds=design.seeds + 1)),
        with_twice_the_tasks=change(replace(design, tasks={cell: 2 * n for cell, n in design.tasks.items()})),
        with_twice_the_attempts=change(replace(design, k=2 * design.k)),
    )


def smallest_change(spread: Spread) -> float:
    """What is significant with 80 % power: its t is noncentral."""
    return float(nctdtrinc(spread.df, 1 - POWER, stdtrit(spread.df, 1 - LEVEL / 2)) * spread.se)


def smallest_margin(spread: Spread) -> float:
    """Within what two one-sided tests show a true 0 to lie, with 80 % power."""
    return float((stdtrit(spread.df, 1 - LEVEL) + stdtrit(spread.df, (1 + POWER) / 2)) * spread.se)


def spread_of(
    endpoint: Endpoint,
    components: Components,
    design: Design,
    untrained: Collection[str] = (BASE,),
    *,
    with_seeds: bool = False,
) -> Spread:
    """The variance to be expected of an endpoint's estimate, and its degrees of freedom.

    Of one training seed it is that given this run, unless `with_seeds` adds the one assumed. Trainings of different
    chains are taken to be independent: where they share a stage the variance is smaller.
    """
    _refuse_few(endpoint, design)
    weights = _weights(endpoint)
    trained = {key: weight for key, weight in weights.items() if key[0] not in untrained}
    early = {key: weight for key, weight in weights.items() if key[0] in untrained}
    seeds = components.seed**2 * _seed_weight(trained, components.seed_correlation) / design.seeds
    attempt = components.noise**2 / 2 * components.k / design.k
    tasks, rest = list[Part](), list[Part]()
    for cell, n in ((cell, design.tasks[cell]) for cell in dict.fromkeys(cell for _, _, cell in weights)):
        late = sum(weight**2 for (_, _, own), weight in trained.items() if own == cell)
        once = sum(weight**2 for (_, _, own), weight in early.items() if own == cell)
        both = late * (components.seed_task**2 + attempt) / (design.seeds * n)
        tasks.append(Part(variance=(late * components.task**2 + once * attempt) / n + both, df=n - 1))
        rest.append(Part(variance=both, df=(design.seeds - 1) * (n - 1)))
    return _combined(design, seeds, tasks, rest, components if with_seeds else None)


def _combined(
    design: Design, seeds: float, tasks: list[Part], rest: list[Part], assumed: Components | None
) -> Spread:
    total, both = sum(part.variance for part in tasks), sum(part.variance for part in rest)
    if design.seeds > 1:
        return combine([Part(variance=seeds + both, df=design.seeds - 1), *tasks, *rest], seeds + total)
    if assumed is None:
        return combine(tasks, total)
    known = [Part(variance=seeds, df=assumed.seed_df)] if assumed.seed_df else []
    return combine([*known, *tasks], seeds + total)


def _refuse_few(endpoint: Endpoint, design: Design) -> None:
    few = [term.cell.name for term in endpoint.terms if design.tasks.get(term.cell, 0) < 2]
    if few or min(design.seeds, design.k) < 1:
        raise BadCall(
            f"{endpoint.name}: a design has one training seed or more, one attempt or more, and two tasks or more "
            f"in each cell, not {design.seeds}, {design.k}, and fewer in {', '.join(dict.fromkeys(few)) or 'none'}"
        )


Weights = Mapping[tuple[str, str, Cell], float]
"""What counts how much: by checkpoint, variant and cell."""


def _weights(endpoint: Endpoint) -> Weights:
    weights = defaultdict[tuple[str, str, Cell], float](float)
    for term in endpoint.terms:
        weights[term.chain, term.variant, term.cell] += term.weight
    return weights


def _seed_weight(trained: Weights, correlation: float) -> float:
    """What the variance between trainings is multiplied by: in several cells the effects of one go together."""
    by_chain = defaultdict[str, list[float]](list)
    for (chain, _, _), weight in trained.items():
        by_chain[chain].append(weight)
    return sum(
        (1 - correlation) * sum(weight**2 for weight in own) + correlation * sum(own) ** 2
        for own in by_chain.values()
    )
