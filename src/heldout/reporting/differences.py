"""Where a replay differs from what was recorded, in lines of at most 100 columns."""

from itertools import takewhile

from heldout.envs.recorded import ERROR, Answer
from heldout.envs.replay import Difference
from heldout.printable import printable_line

COLUMNS = 100
BEFORE = 20
"""How much of two long texts is shown before the place where they part."""

INDENT = "  {:<13}{:<10}"
ROOM = COLUMNS - len(INDENT.format("", ""))


def format_difference(difference: Difference) -> str:
    """One difference: where it is, then each field that differs, as recorded and as ours."""
    place = f"step {difference.step}: {_quote(difference.action)}" if difference.step else "start"
    lines = [_fit(printable_line(f"{difference.episode}, {place}"), 0, COLUMNS)]
    for name in difference.fields:
        texts = [_format_field(answer, name) for answer in (difference.recorded, difference.ours)]
        start = max(0, _shared_length(*texts) - BEFORE) if max(map(len, texts)) > ROOM else 0
        recorded, ours = (_fit(text, start, ROOM) for text in texts)
        lines += [INDENT.format(name, "recorded") + recorded, INDENT.format("", "ours") + ours]
    return "\n".join(lines)


def _shared_length(one: str, other: str) -> int:
    """How many signs two texts begin with in common."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _format_field(answer: Answer, name: str) -> str:
    """A field of an answer; an error reply stands in place of all fields."""
    if name == ERROR:
        return f"error {_quote(answer.error)}" if answer.error is not None else _quote(answer.observation or "")
    value = getattr(answer, name)
    return _quote(value) if isinstance(value, str) else str(value)


def _quote(text: str) -> str:
    """A text in one line, its blanks to be seen: what a terminal cannot print is written as Python writes it."""
    return '"' + "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text) + '"'


def _fit(text: str, start: int, room: int) -> str:
    """What fits of a text from `start` on, with dots where it goes on."""
    shown = "…" + text[start + 1 :] if start else text
    return shown if len(shown) <= room else shown[: room - 1] + "…"
