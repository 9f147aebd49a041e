"""Tables of text, for a Markdown page and for a terminal."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from heldout.printable import printable_line
from heldout.reporting.markdown import escape

MISSING = "–"
"""What was not measured: a missing cell, never a zero."""


@dataclass(frozen=True, slots=True)
class Table:
    """Words above columns, and rows of words."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]

    @property
    def lines(self) -> list[Sequence[str]]:
        """The header and the rows."""
        return [self.header, *self.rows]


def markdown(table: Table) -> str:
    """A Markdown table: the first column to the left, the others to the right."""
    rule = [":--"] + ["--:"] * (len(table.header) - 1)
    cells = [[escape(cell) for cell in line] for line in table.lines]
    return _join_lines("| " + " | ".join(line) + " |" for line in (cells[0], rule, *cells[1:]))


def align(table: Table) -> str:
    """Plain text in columns: the first to the left, the others to the right."""
    header, *rows = [[printable_line(cell) for cell in line] for line in table.lines]
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    rule = ["-" * width for width in widths]
    return _join_lines(_pad(line, widths) for line in (header, rule, *rows))


def _pad(line: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(line, widths, strict=True)
    return "  ".join([str.ljust(*first), *(str.rjust(*other) for other in others)]).rstrip()


def _join_lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
