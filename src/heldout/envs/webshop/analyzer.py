"""A text as the terms of a search engine: what Lucene 8's analyser for English makes of it (spec §1.5)."""

import re
import unicodedata
from typing import final

from heldout.envs.webshop.porter import stem

_STOPPED = """a an and are as at be but by for if in into is it no not of on or such that the their then there these
they this to was will with"""
STOP_WORDS = frozenset(_STOPPED.split())
"""Lucene's for English."""

LONGEST = 255
"""Letters of a token; what is longer is cut."""

_PICTOGRAPHS = """
A9 AE 203C 2049 2122 2139 2194-2199 21A9-21AA 231A-231B 2328 2388 23CF 23E9-23F3 23F8-23FA 24C2 25AA-25AB 25B6 25C0
25FB-25FE 2600-2605 2607-2612 2614-2685 2690-2705 2708-2712 2714 2716 271D 2721 2728 2733-2734 2744 2747 274C 274E
2753-2755 2757 2763-2767 2795-2797 27A1 27B0 27BF 2934-2935 2B05-2B07 2B1B-2B1C 2B50 2B55 3030 303D 3297 3299
1F000-1F0FF 1F10D-1F10F 1F12F 1F16C-1F171 1F17E-1F17F 1F18E 1F191-1F19A 1F1AD-1F1E5 1F201-1F20F 1F21A 1F22F
1F232-1F23A 1F23C-1F23F 1F249-1F3FA 1F400-1F53D 1F546-1F64F 1F680-1F6FF 1F774-1F77F 1F7D5-1F7FF 1F80C-1F80F
1F848-1F84F 1F85A-1F85F 1F888-1F88F 1F8AE-1F8FF 1F90C-1F93A 1F93C-1F945 1F947-1FFFD
"""
"""Unicode 11's Extended_Pictographic: each is a token."""

_SIGNS = {
    ":": ":·\u0387\u05f4\u2027\ufe13\ufe55\uff1a",
    ".": ".‘’\u2024\ufe52\uff07\uff0e'",
    ",": ",;\u037e\u0589\u060c\u060d\u066c\u07f8\u2044\ufe10\ufe14\ufe50\ufe54\uff0c\uff1b",
    "_": "\u202f",
    "x": "\u200c\u200d\uff9e\uff9f",
    " ": "\u200b",
}
"""Kinds of single characters: signs that join letters, either, numbers; and so on, as `_kind` tells."""

_SCRIPTS = {
    "CJK UNIFIED": "h",
    "CJK COMPATIBILITY IDEOGRAPH": "h",
    "KATAKANA": "k",
    "HALFWIDTH KATAKANA": "k",
    "HIRAGANA": "i",
    "THAI": "s",
    "LAO": "s",
    "KHMER": "s",
    "MYANMAR": "s",
    "REGIONAL INDICATOR": "r",
}
"""The kinds of letters that stand alone, or only among their own."""


@final
class _Kinds(dict[int, str]):
    """The kind of each character, found when it is first asked for."""

    def __missing__(self, code: int) -> str:
        self[code] = kind = _kind(chr(code))
        return kind


def _kind(character: str) -> str:
    """Its class in Unicode's rules for words (annex 29), as a letter.

    a letter, n digit, k katakana, h and i a token each, s South-East Asian, e pictograph, r half a flag, x joined
    to what stands before, `_` joins all, `:` letters, `,` digits, `.` either, blank nothing.
    """
    for kind, those in _SIGNS.items():
        if character in those:
            return kind
    code, category = ord(character), unicodedata.category(character)
    if any(first <= code <= last for first, last in _RANGES):
        return "e"
    name = unicodedata.name(character, "")
    for beginning, kind in _SCRIPTS.items():
        if name.startswith(beginning) and category[0] in "LMSN":
            return kind
    by_category = {"Nd": "n", "Nl": "a", "Pc": "_", "Mn": "x", "Mc": "x", "Me": "x", "Cf": "x"}
    return "a" if category[0] == "L" else by_category.get(category, " ")


def _range(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    return int(first, 16), int(last or first, 16)


_RANGES = [_range(text) for text in _PICTOGRAPHS.split()]
_KINDS = _Kinds()

_LETTERS = "ax*(?:(?:[:.]x*)?ax*|_[_x]*ax*)*"
_DIGITS = "nx*(?:(?:[,.]x*)?nx*|_[_x]*nx*)*"
_WORD = f"(?:(?:{_LETTERS}|{_DIGITS})+|kx*(?:(?:_x*)*kx*)*)"
_TOKEN = re.compile(rf"(?:_x*)*{_WORD}(?:(?:_x*)+{_WORD})*(?:_x*)*|ex*|rx*rx*|(?:sx*)+|hx*|ix*")
"""Over the kinds of a text's characters."""

_POSSESSIVE = ("'s", "'S", "’s", "’S", "＇s", "＇S")


def terms(text: str) -> list[str]:
    """The terms of a text in its order: words in lower case, no stop words, each cut to its stem."""
    found = (text[match.start() : match.end()] for match in _TOKEN.finditer(text.translate(_KINDS)))
    words = (_bare(part) for token in found for part in ((token,) if len(token) <= LONGEST else _cut(token)))
    return [stem(word) for word in words if word not in STOP_WORDS]


def _bare(word: str) -> str:
    """In lower case, and without what marks an owner."""
    return (word[:-2] if word.endswith(_POSSESSIVE) else word).lower()


def _cut(token: str) -> list[str]:
    return [token[start : start + LONGEST] for start in range(0, len(token), LONGEST)]
