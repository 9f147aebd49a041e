"""Which laws a suite keeps."""

from collections.abc import Iterator
from dataclasses import dataclass

from heldout.envs.base import Suite
from heldout.envs.laws import LAWS, Law


@dataclass(frozen=True, slots=True, kw_only=True)
class LawResult:
    """A law, and what breaks it, a line each."""

    law: str
    says: str
    breaches: tuple[str, ...]

    @property
    def smallest(self) -> str:
        """The breach that is read fastest; empty where the law is kept."""
        return min(self.breaches, key=len, default="")


def law_results(suite: Suite) -> Iterator[LawResult]:
    """Each law as soon as it has been looked at."""
    for law in LAWS:
        says = (law.__doc__ or "").partition("\n")[0]
        yield LawResult(law=law.__name__, says=says, breaches=tuple(_breaches(suite, law)))


def check(suite: Suite) -> list[str]:
    """What breaks the laws, a line each."""
    return [f"{result.law}: {breach}" for result in law_results(suite) for breach in result.breaches]


def _breaches(suite: Suite, law: Law) -> Iterator[str]:
    try:
        yield from law(suite)
    except Exception as error:  # a suite under test may do anything: the other laws are still to be looked at
        yield f"raises {error!r}"
