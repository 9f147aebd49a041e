"""Whether the two sides of a question were trained on as many episodes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from heldout.analysis.endpoints import Endpoint, Term
from heldout.chains import BASE, chain_name
from heldout.study.plan import Study
from heldout.study.recipes.chains import training_episodes


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """How many training episodes each side of an endpoint has, a mean over its terms; None of the base alone."""

    endpoint: Endpoint
    one: float | None
    other: float | None

    @property
    def is_matched(self) -> bool:
        """Whether there is nothing to tell: as many on both sides, or one side is the base."""
        return None in (self.one, self.other) or self.one == self.other

    @property
    def told(self) -> str:
        """`not matched: 3,840 against 1,920 training episodes`; nothing where they are."""
        return (
            "" if self.is_matched else f"not matched: {self.one:,.0f} against {self.other:,.0f} training episodes"
        )


def matched_episodes(study: Study) -> list[Matched]:
    """Of each endpoint of the study."""
    episodes = {chain_name(chain): training_episodes(chain, study.config) for chain in study.chains}
    return [
        Matched(
            endpoint=endpoint,
            one=_mean((term for term in endpoint.terms if term.weight > 0), episodes),
            other=_mean((term for term in endpoint.terms if term.weight < 0), episodes),
        )
        for endpoint in study.endpoints
    ]


def _mean(terms: Iterable[Term], episodes: Mapping[str, int]) -> float | None:
    trained = [term for term in terms if term.chain != BASE]
    whole = sum(abs(term.weight) for term in trained)
    return round(sum(abs(term.weight) * episodes[term.chain] for term in trained) / whole, 6) if trained else None
