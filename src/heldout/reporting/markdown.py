"""Text from outside in a Markdown page: it stays the text that it is, and marks nothing up."""

import re

from heldout.printable import printable, printable_line

_MARKS = re.compile(
    r"[\\`*<>#|~$]"  # code, emphasis, tags, a heading's end, columns, mathematics
    r"|(?<![^\W_])_|_(?![^\W_])"  # emphasis, where it is not inside a name
    r"|\](?=[(\[:])|(?<=:)//|(?<=\bwww)\.|@(?=[\w-]+\.\w)"  # links and addresses
    r"|&(?=#?\w+;)"  # a sign by its name
)
"""What marks something up inside a line."""


def escape(text: str) -> str:
    """A text inside a line of a page, such as a heading or a cell: blanks are single, marks are plain signs."""
    return _MARKS.sub(r"\\\g<0>", printable_line(" ".join(text.split())))


def code(text: str) -> str:
    """A text in one line as code, which nothing in it can end."""
    shown = printable_line(" ".join(text.split()))
    fence = "`" * (1 + max(map(len, re.findall("`+", shown)), default=0))
    space = " " if shown.startswith("`") or shown.endswith("`") or not shown else ""
    return f"{fence}{space}{shown}{space}{fence}"


def fence_block(text: str) -> str:
    """Text as a Markdown block that nothing in it can end."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}text\n{printable(text)}\n{fence}\n"
