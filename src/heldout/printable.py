"""Text from outside, made harmless to show: what moves a cursor, hides or turns text around is an escape."""

import re
from json import dumps

_HIDDEN = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls, newline and tab apart
    "\xad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b\u2060-\u2065\u206a-\u206f"  # unseen
    "\u3164\ufeff\uffa0\ufff0-\ufffb"
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # which way text runs
    "\u2028\u2029"  # line and paragraph separators
    "\ud800-\udfff"  # half a surrogate pair, which no file can hold
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"  # unseen, among them tags
    "]|(?<![^\x00-\x7f\u200b-\u200f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f\u200b-\u200f])"
)
"""What is not shown as it stands. A joiner between two signs of a script or an emoji is."""

_NAMED = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def printable(text: str) -> str:
    r"""A text of several lines for a person: controls, bidi and unseen signs are escapes such as `\x1b`."""
    return _HIDDEN.sub(lambda found: _escape(found[0]), text)


def printable_line(text: str) -> str:
    """The same for a place in one line: a newline and a tab are escapes too."""
    return printable(text).replace("\n", _NAMED["\n"]).replace("\t", _NAMED["\t"])


def printable_json(value: object, *, indent: int | None = 2) -> str:
    """JSON for standard output: a program reads exactly the value from it, and a terminal shows it harmlessly."""
    text = dumps(value, indent=indent, ensure_ascii=False)
    return _HIDDEN.sub(lambda found: dumps(found[0])[1:-1] if ord(found[0]) != 0x7F else r"\u007f", text)


def _escape(sign: str) -> str:
    code = ord(sign)
    if sign in _NAMED:
        return _NAMED[sign]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
