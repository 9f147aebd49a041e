"""Tables of text, for a Markdown page and for a terminal."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from shutil import get_terminal_size

from heldout.printable import printable_line
from heldout.reporting.markdown import escape

GAP = "  "
"""Between two columns."""

MISSING = "–"
"""What was not measured: a missing cell, never a zero."""


@dataclass(frozen=True, slots=True)
class Table:
    """Words above columns, and rows of words."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    keys: int = 1
    """How many of the first columns say what a row is about: each part of a folded table begins with them."""

    @property
    def lines(self) -> list[Sequence[str]]:
        """The header and the rows."""
        return [self.header, *self.rows]


def markdown(table: Table) -> str:
    """A Markdown table: the first column to the left, the others to the right."""
    rule = [":--"] + ["--:"] * (len(table.header) - 1)
    cells = [[escape(cell) for cell in line] for line in table.lines]
    return _join_lines("| " + " | ".join(line) + " |" for line in (cells[0], rule, *cells[1:]))


def align(table: Table, width: int | None = None) -> str:
    """Plain text in columns: the first to the left, the others to the right.

    A table that is wider than `width` (the terminal, or 80 columns where there is none) is folded into several.
    """
    most = width or get_terminal_size().columns
    header, *rows = [[printable_line(cell) for cell in line] for line in table.lines]
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    return "\n".join(_part(header, rows, widths, columns) for columns in _fold(widths, table.keys, most))


def _fold(widths: Sequence[int], keys: int, most: int) -> list[list[int]]:
    """The numbers of the columns of each part: as many as fit, one at least beside the keys."""
    parts, own = list[list[int]](), list(range(keys))
    for column in range(keys, len(widths)):
        last = parts[-1] if parts else own
        if not parts or sum(widths[each] + len(GAP) for each in last) + widths[column] > most:
            parts.append([*own, column])
        else:
            last.append(column)
    return parts or [own]


def _part(
    header: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int], columns: Sequence[int]
) -> str:
    own = [widths[column] for column in columns]
    rule = ["-" * width for width in own]
    shown = [[line[column] for column in columns] for line in (header, *rows)]
    return _join_lines(_pad(line, own) for line in (shown[0], rule, *shown[1:]))


def _pad(line: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(line, widths, strict=True)
    return GAP.join([str.ljust(*first), *(str.rjust(*other) for other in others)]).rstrip()


def _join_lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
