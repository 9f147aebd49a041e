"""Which rows may be averaged as one figure, or paired as one change: others are refused by the field that differs.

Each field of a row is in exactly one of the groups below, or in `OUTCOMES`; tests/analysis/test_alike.py holds it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter

from heldout.chains import BASE
from heldout.errors import HeldoutError
from heldout.records import Row

CELL = ("env", "split", "difficulty")
"""What a figure is of: rows are gathered by it before they are averaged, and only the same cell is paired."""
PLAYED_BY = (
    "difficulty_source",
    "variant",
    "rules",
    "rules_version",
    "data",
    "prompt",
    "max_turns",
    "response_budget",
    "reply_tokens",
)
"""Which tasks, and in which game: alike in a figure and on both sides of a change, or it compares two games."""
STARTED_FROM = ("base",)
"""The same, but it is a name, and a folder may be renamed: rows of one model have one base by whatever name."""
CHECKPOINT = ("chain", "step")
"""Whose figure it is: alike in a figure, and what a change is between."""
OF_A_SEED = ("model", "temperature")
"""Alike in one training seed, and free to differ between the sides of a change.

Another seed has weights of its own, but for the base, which is not trained; a control a temperature of its own.
"""
AVERAGED = ("seed", "task", "attempt")
"""What the mean is over."""
LABELS = ("study",)
"""What people call things: it decides nothing."""


def each_once(rows: Iterable[Row]) -> list[Row]:
    """Each attempt once: of one that was played twice the last, of one that broke off and was played again that."""
    found = dict[tuple[object, ...], Row]()
    for row in rows:
        if (key := row.key) not in found or row.is_played:
            found[key] = row
    return list(found.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """Rows of attempts that are there more than once, and are left out (`each_once`)."""

    again: int
    """The attempt was played to its end and is there once more, as after a crash or in a copied file."""
    broken: int
    """The infrastructure broke it, and it was tried again."""


def count_repeated(rows: Iterable[Row]) -> Repeated:
    """How many rows `each_once` leaves out."""
    rows = list(rows)
    kept = each_once(rows)
    broken = sum(not row.is_played for row in rows) - sum(not row.is_played for row in kept)
    return Repeated(again=len(rows) - len(kept) - broken, broken=broken)


def refuse_unlike(cell: str, rows: Sequence[Row], *, also: Sequence[str] = ()) -> None:
    """Refuses rows of a cell that are about to be averaged as one figure and are not of one.

    `also` are fields that one figure of these rows has in common besides.
    """
    kinds = _kinds(rows, (*also, *PLAYED_BY, *CHECKPOINT, *STARTED_FROM, *OF_A_SEED, "seed"))
    for name in (*also, *PLAYED_BY, *CHECKPOINT, *_bases_to_compare(kinds)):
        _refuse_several(cell, name, kinds)
    seeds = defaultdict[int, list[Row]](list)
    for row in kinds:
        seeds[row.seed].append(row)
    for seed, own in seeds.items():
        for name in OF_A_SEED:
            _refuse_several(f"{cell}, seed {seed} of {own[0].chain}", name, own)
    if rows[0].chain == BASE:
        _refuse_several(cell, "model", kinds)


def refuse_unlike_sides(
    cell: str, before: Sequence[Row], after: Sequence[Row], *, one_base: bool = True, across: Sequence[str] = ()
) -> None:
    """Refuses rows of a cell that are about to be paired as one change and are not of the same tasks and rules.

    `one_base`: both sides began with the same model; else one is set against another, such as a player. `across`
    are fields that may differ: what the change is across.
    """
    refuse_unlike(cell, before)
    refuse_unlike(cell, after)
    for name in (*PLAYED_BY, *(_bases_to_compare([*before, *after]) if one_base else ())):
        if name in across:
            continue
        old, new = _values(name, before), _values(name, after)
        if old != new:
            raise HeldoutError(
                f"{cell}: rows of different {name} are never paired: {_words(old)} before and {_words(new)} after"
            )


def _kinds(rows: Sequence[Row], names: Sequence[str]) -> list[Row]:
    """A row of each kind there is by these fields: few, however many rows there are."""
    return list(dict(zip(map(attrgetter(*names), rows), rows, strict=True)).values())


def _bases_to_compare(rows: Iterable[Row]) -> Sequence[str]:
    """`STARTED_FROM` where the models share no name of what they started from, else nothing."""
    names = defaultdict[str, set[str]](set)
    for row in rows:
        names[row.model].add(row.base)
    return () if set.intersection(*names.values()) else STARTED_FROM


def _refuse_several(place: str, name: str, rows: Iterable[Row]) -> None:
    if len(values := _values(name, rows)) > 1:
        raise HeldoutError(f"{place}: rows of different {name} are never averaged: {_words(values)}")


def _values(name: str, rows: Iterable[Row]) -> list[int | float | str]:
    return sorted({getattr(row, name) for row in rows})


def _words(values: Iterable[int | float | str]) -> str:
    """The values, with `none` for the empty text."""
    return " and ".join("none" if value == "" else str(value) for value in values)
