"""What can go wrong, by whose mistake it is.

An agent's mistakes are observations, never exceptions. What is here is ours or
the caller's: the command line prints one line of it and exits with `status`.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import ClassVar


class HeldoutError(Exception):
    """Something failed that the caller should hear about in one line (exit status 1)."""

    status: ClassVar[int] = 1


class BadCall(HeldoutError):
    """The caller asked for something that is not there or cannot be (exit status 2)."""

    status: ClassVar[int] = 2


class Unavailable(HeldoutError):
    """Something that we depend on did not answer; the same work may be tried again."""


class BadReward(HeldoutError):
    """An environment gave a reward or score that is no finite number."""


class NotFinite(HeldoutError):
    """Logits, a gradient or weights are NaN or inf: a training has run away."""


class OriginalError(HeldoutError):
    """An error reply of the original servers, as text; only rules `agentgym` raise it."""


def unknown(kind: str, value: object, choices: Iterable[str]) -> BadCall:
    """The error for a name that is not among its choices, with the nearest one suggested."""
    names = sorted(choices)
    near = get_close_matches(str(value), names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return BadCall(f"unknown {kind} {str(value)!r}{hint} (choose from: {', '.join(names)})")
