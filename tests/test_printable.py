"""What comes from outside is seen for what it is, whatever it holds."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heldout.printable import printable, printable_json, printable_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2Jgone", r"\x1b[2Jgone"),
        ("a\rb\x00\x07\x08", r"a\rb\x00\x07\x08"),
        ("\x9b31m red\x7f", r"\x9b31m red\x7f"),
        ("a\u202egpj.exe\u2066\u200f\u061c", r"a\u202egpj.exe\u2066\u200f\u061c"),
        ("pass\u200bword\ufeff\u2060\xad\u3164", r"pass\u200bword\ufeff\u2060\xad\u3164"),
        ("hi\U000e0041\U000e007f", r"hi\U000e0041\U000e007f"),
        ("half \ud83d", r"half \ud83d"),
        ("a\u2028b\u2029\x85", r"a\u2028b\u2029\x85"),
        ("ad\u200dmin \u200d", r"ad\u200dmin \u200d"),
    ],
)
def test_what_moves_turns_or_hides_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert printable(text) == printable_line(text) == shown


@pytest.mark.parametrize(
    "text", ["Grüße, ñandú", "日本語 한국어 العربية", "👩‍👩‍👧 👍🏽 ❤️ 🏳️‍🌈", "می‌خواهم", "a\\b", "½ € – …"]
)
def test_ordinary_text_stays(text: str) -> None:
    assert printable(text) == printable_line(text) == text


def test_newlines_and_tabs_are_kept_in_a_text_and_escaped_in_a_line() -> None:
    assert printable("a\n\tb") == "a\n\tb"
    assert printable_line("a\n\tb") == r"a\n\tb"


@given(st.text(st.characters(exclude_categories=()), max_size=30).filter(lambda text: text == as_utf_16(text)))
def test_json_is_read_back_exactly_and_can_be_printed_anywhere(text: str) -> None:
    shown = printable_json({text: [text]})
    assert json.loads(shown) == {text: [text]}
    assert printable(shown) == shown
    printable_line(text).encode()


def as_utf_16(text: str) -> str:
    """The text, its two halves of a pair one sign: JSON cannot tell them apart."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
