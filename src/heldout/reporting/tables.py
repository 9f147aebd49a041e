"""Tables of text, for a Markdown page and for a terminal."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

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
    cells = [[_escaped(cell) for cell in line] for line in table.lines]
    return _joined("| " + " | ".join(line) + " |" for line in (cells[0], rule, *cells[1:]))


def aligned(table: Table) -> str:
    """Plain text in columns: the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*table.lines, strict=True)]
    rule = ["-" * width for width in widths]
    return _joined(_padded(line, widths) for line in (table.header, rule, *table.rows))


def fenced(text: str) -> str:
    """Text as a Markdown block that nothing in it can end."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}text\n{text}\n{fence}\n"


def _padded(line: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(line, widths, strict=True)
    return "  ".join([str.ljust(*first), *(str.rjust(*other) for other in others)]).rstrip()


def _escaped(cell: str) -> str:
    return " ".join(cell.split()).replace("|", "\\|")


def _joined(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
