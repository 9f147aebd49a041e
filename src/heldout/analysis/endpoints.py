"""What a study is asked, named before it runs: each endpoint a difference of means, said by whom and where."""

from dataclasses import dataclass, field

from heldout.analysis.scores import Cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One mean of an endpoint, and how much it counts."""

    weight: float
    """A gain has +1 for the trained model and −1 for its base; a mean over four cells a quarter of each."""
    chain: str
    """The checkpoint whose score it is, as `chain_name` writes it; `base` for what every chain starts from."""
    cell: Cell
    """Difficulty `all` is easy and hard together."""
    variant: str = field(default_factory=str, metadata={"written": "changed"})
    """Of the cell alone, by name (`actions=hidden`), where it is measured under one; empty as the study has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One question of a study: is the weighted sum of these means 0, or within a margin of it?

    The endpoints of a study are one family (Holm). Weights add up to 0, so that it is a change or a difference of
    changes; the same tasks are paired.
    """

    name: str
    """Such as `webshop, held out`."""
    terms: tuple[Term, ...]
    margin: float | None = None
    """In points: the question is then whether it lies within ±margin (equivalence, two one-sided tests)."""
    finding: str = ""
    """The paper's finding that it tests, by its key in docs/study.md."""
