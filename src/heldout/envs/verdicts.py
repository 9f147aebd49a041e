"""Which laws a suite keeps."""

from collections.abc import Iterator
from dataclasses import dataclass

from heldout.envs.base import Suite
from heldout.envs.laws import LAWS, Law


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A law, and what breaks it, a line each."""

    law: str
    says: str
    breaches: tuple[str, ...]

    @property
    def smallest(self) -> str:
        """The breach that is read fastest; empty where the law is kept."""
        return min(self.breaches, key=len, default="")


def verdicts(suite: Suite) -> Iterator[Verdict]:
    """Each law as soon as it has been looked at."""
    for law in LAWS:
        says = (law.__doc__ or "").partition("\n")[0]
        yield Verdict(law=law.__name__, says=says, breaches=tuple(_breaches(suite, law)))


def check(suite: Suite) -> list[str]:
    """What breaks the laws, a line each."""
    return [f"{verdict.law}: {breach}" for verdict in verdicts(suite) for breach in verdict.breaches]


def _breaches(suite: Suite, law: Law) -> Iterator[str]:
    try:
        yield from law(suite)
    except Exception as error:  # a suite under test may do anything: the other laws are still to be looked at
        yield f"raises {error!r}"
