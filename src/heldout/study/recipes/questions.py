"""A study's questions as endpoints: sums of means, each said by whom and where."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from heldout.analysis.endpoints import Endpoint, Term
from heldout.analysis.scores import Cell
from heldout.chains import Chain, chain_name

MARGIN = 5.0
"""Points within which two models are held to be the same, where a finding says that nothing changed."""

Place = tuple[str, Cell, str]
"""A mean: the chain's name, the cell, and the variant of its own that it is measured under, by name."""

Sum = Mapping[Place, float]
"""Means and how much each counts."""


def cells_of(envs: Iterable[str], difficulty: str) -> tuple[Cell, ...]:
    """A test cell of each environment."""
    return tuple(Cell(env=env, split="test", difficulty=difficulty) for env in envs)


def change(before: Chain, after: Chain, cells: Sequence[Cell], variant: str = "") -> Sum:
    """How much one model is above another, as a mean over cells."""
    found = defaultdict[Place, float](float)
    for cell in cells:
        found[chain_name(after), cell, variant] += 1 / len(cells)
        found[chain_name(before), cell, variant] -= 1 / len(cells)
    return found


def mean(sums: Sequence[Sum]) -> Sum:
    """Of several sums one: their mean."""
    return _total((each, 1 / len(sums)) for each in sums)


def minus(one: Sum, other: Sum) -> Sum:
    """One sum without another: a difference of changes."""
    return _total(((one, 1.0), (other, -1.0)))


def endpoint(name: str, of: Sum, finding: str, margin: float | None = None) -> Endpoint:
    """A question: is the sum 0, or, with a margin, does it lie within it?"""
    terms = tuple(
        Term(weight=weight, chain=chain, cell=cell, variant=variant)
        for (chain, cell, variant), weight in of.items()
        if abs(weight) > 1e-12
    )
    return Endpoint(name=name, terms=_exact(terms), margin=margin, finding=finding)


def _exact(terms: tuple[Term, ...]) -> tuple[Term, ...]:
    """The terms with weights to twelve digits, so that a study's digest has no last bits of sums."""
    return tuple(replace(term, weight=round(term.weight, 12)) for term in terms)


def _total(weighted: Iterable[tuple[Sum, float]]) -> Sum:
    found = defaultdict[Place, float](float)
    for each, factor in weighted:
        for place, weight in each.items():
            found[place] += factor * weight
    return found
