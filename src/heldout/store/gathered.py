"""Rows of many files, and what of these could not be read: one damaged file does not take the others with it."""

from collections.abc import Iterable
from dataclasses import dataclass

from heldout.errors import HeldoutError
from heldout.records import Row
from heldout.store.rows import Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What files hold, and why something of them is not in it."""

    rows: tuple[Row, ...]
    left_out: tuple[str, ...]
    """A line for each file that is missing, torn at its end, or of another form."""


def gather(files: Iterable[Rows[Row]]) -> Gathered:
    """The rows of all files that can be read; a file that is damaged or of another form is left out whole."""
    found, left_out = list[Row](), list[str]()
    for file in files:
        try:
            own = list(file)
        except HeldoutError as why:
            left_out.append(f"{why}: nothing of it is taken")
            continue
        found += own
        if not file.path.exists():
            left_out.append(f"{file.path} is not there: nothing was measured")
        elif file.is_torn:
            left_out.append(f"{file.path} ends in half a line after {len(own)} rows, which is left out")
    return Gathered(rows=tuple(found), left_out=tuple(left_out))
