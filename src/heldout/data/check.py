"""What a look through the real tasks' data comes to."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from heldout.errors import HeldoutError

T = TypeVar("T")


class LeftOut(HeldoutError):
    """A thing of a source is not played, for a reason that is no fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One source, and how many of the things in it are what they should be."""

    source: str
    """Its place in the data folder."""
    what: str
    """What was counted, such as `games that load`."""
    there: int = 0
    good: int = 0
    unresolved: int = 0
    """What leads to data that is not in the folder: counted, and no fault."""
    faults: tuple[str, ...] = ()
    """What is wrong with each of the others."""
    left_out: tuple[str, ...] = ()
    """What is not played though nothing is wrong with it, and why: told, and no fault."""
    missing: bool = False
    """The source itself is not in the folder: no fault either."""


def check_source(
    data: Path, source: str, what: str, read: Callable[[], Iterable[T]], good: Callable[[T], bool]
) -> Check:
    """Reads a source and looks at each thing in it.

    `good` is false of what cannot be resolved, and raises `LeftOut` of what is not played; what is wrong, there or
    in reading, raises another `HeldoutError`.
    """
    if not (data / source).exists():
        return Check(source=source, what=what, missing=True)
    found, faults, left_out = {True: 0, False: 0}, list[str](), list[str]()
    try:
        things = list(read())
    except HeldoutError as error:
        return Check(source=source, what=what, there=1, faults=(str(error),))
    for thing in things:
        try:
            found[good(thing)] += 1
        except LeftOut as reason:
            left_out.append(str(reason))
        except HeldoutError as error:
            faults.append(str(error))
    return Check(
        source=source,
        what=what,
        there=len(things),
        good=found[True],
        unresolved=found[False],
        faults=tuple(faults),
        left_out=tuple(left_out),
    )
