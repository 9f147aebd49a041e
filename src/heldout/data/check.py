"""What a look through the real tasks' data comes to."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from heldout.errors import HeldoutError

T = TypeVar("T")


class Noted(HeldoutError):
    """A thing of a source is not as the good ones are, and yet no fault."""


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
    noted: tuple[str, ...] = ()
    """What is otherwise than the good ones and yet no fault, such as a question that another one stands for."""
    missing: bool = False
    """The source itself is not in the folder: no fault either."""


def check_source(
    data: Path, source: str, what: str, read: Callable[[], Iterable[T]], good: Callable[[T], bool]
) -> Check:
    """Reads a source and looks at each thing in it.

    `good` is false of what cannot be resolved, and raises `Noted` of what is to be told; what is wrong, there or
    in reading, raises another `HeldoutError`.
    """
    if not (data / source).exists():
        return Check(source=source, what=what, missing=True)
    found, faults, noted = {True: 0, False: 0}, list[str](), list[str]()
    try:
        things = list(read())
    except HeldoutError as error:
        return Check(source=source, what=what, there=1, faults=(str(error),))
    for thing in things:
        try:
            found[good(thing)] += 1
        except Noted as reason:
            noted.append(str(reason))
        except HeldoutError as error:
            faults.append(str(error))
    return Check(
        source=source,
        what=what,
        there=len(things),
        good=found[True],
        unresolved=found[False],
        faults=tuple(faults),
        noted=tuple(noted),
    )
