"""What can go wrong, by whose mistake it is.

An agent's mistakes are observations, never exceptions. What is here is ours or
the caller's: the command line prints one line of it and exits with `status`.
"""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from heapq import nlargest
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


WHOLE = 8
"""A list of choices that is no longer is shown whole; of a longer one the nearest."""

NEAREST = 3

_LIKELY = 200
"""Of a long list so many choices are compared in full that begin, and so many that end, as the value does."""

_LONGEST = 200
"""Characters of a value that an error shows."""


def in_one_line(error: Exception) -> str:
    """The first line of what an error says, and the next where that ends in a colon; a mute one's type."""
    if isinstance(error, KeyError):
        return f"there is no {error}"
    first, *others = [line for line in map(str.strip, str(error).splitlines()) if line] or [type(error).__name__]
    return f"{first} {others[0]}" if first.endswith(":") and others else first


def unknown(kind: str, value: object, choices: Iterable[str]) -> BadCall:
    """The error for a name that is not among its choices, with the nearest one suggested."""
    names, text = sorted(choices), str(value)
    near = get_close_matches(text, _likely(text, names), n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return BadCall(f"unknown {kind} {shown!r}{hint} ({choose_from(text, names)})")


def choose_from(value: str, choices: Iterable[str], *, lead: str = "choose from") -> str:
    """What there is instead of a value: `choose from: a, b`, or of many how many and the three nearest."""
    names = list(choices)
    if len(names) <= WHOLE:
        return f"{lead}: {', '.join(names) or 'none'}"
    return f"{lead} {len(names)}, the nearest: {', '.join(_nearest(value, names))}"


def _nearest(value: str, choices: Sequence[str]) -> list[str]:
    """The three choices that are most like a value, the most like first."""
    return get_close_matches(value, _likely(value, choices), n=NEAREST, cutoff=0)


def _likely(value: str, names: Sequence[str]) -> list[str]:
    """All of a few names; of many those that share most with a value at its beginning, or at its end."""
    if len(names) <= _LIKELY:
        return list(names)
    begin = nlargest(_LIKELY, names, key=lambda name: _shared(value, name))
    back = value[::-1]
    end = nlargest(_LIKELY, names, key=lambda name: _shared(back, name[::-1]))
    return list(dict.fromkeys([*begin, *end]))


def _shared(one: str, other: str) -> int:
    """How many characters two texts have in common at their beginning."""
    apart = (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(apart, min(len(one), len(other)))
