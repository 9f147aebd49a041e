"""Which numbers a setting can be: said where the setting is declared, held by one check."""

import typing
from dataclasses import dataclass
from functools import cache
from math import inf
from typing import Any

from heldout.errors import BadCall


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers from `least` to `most`, both among them unless `open` leaves the least out; NaN is in none."""

    least: float
    most: float = inf
    open: bool = False

    def __contains__(self, value: float) -> bool:
        return (self.least < value if self.open else self.least <= value) and value <= self.most

    def __str__(self) -> str:
        """In words: from 1 up; above 0; above 0, at most 1."""
        if self.open:
            return f"above {self.least:g}" + (f", at most {self.most:g}" if self.most < inf else "")
        return f"from {self.least:g} " + (f"to {self.most:g}" if self.most < inf else "up")


class Ranged:
    """A frozen dataclass whose `Annotated[…, Range]` fields are checked when one is made."""

    __slots__ = ()

    def __post_init__(self) -> None:
        for name, allowed in ranges_of(type(self)).items():
            value = getattr(self, name)
            if value is not None and value not in allowed:
                raise BadCall(f"setting {_path_of(type(self), name)!r} takes a number {allowed}, not {value!r}")


def _path_of(section: type, name: str) -> str:
    """A setting's dotted path: the class `Train` is the section `train`, and `Config` is all of them."""
    own = section.__name__.lower()
    return name if own == "config" else f"{own}.{name}"


def ranges_of(section: type) -> dict[str, Range]:
    """The range of each field of a class that has one."""
    return _ranges(typing.cast(Any, section))


@cache
def _ranges(section: type) -> dict[str, Range]:
    hints: dict[str, Any] = typing.get_type_hints(section, include_extras=True)
    told = [
        (name, each)
        for name, hint in hints.items()
        if typing.get_origin(hint) is typing.Annotated
        for each in typing.get_args(hint)[1:]
    ]
    return {name: each for name, each in told if isinstance(each, Range)}
