"""What a page shows of outside text is that text, and never a heading, a link or a tag of the page."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heldout.reporting.markdown import code, escape, fence_block


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("webshop_5238 (3/4): 50 %", "webshop_5238 (3/4): 50 %"),
        ("# a\n## b", r"\# a \#\# b"),
        ("a|b `c` *d* __e__ ~~f~~", r"a\|b \`c\` \*d\* \_\_e\_\_ \~\~f\~\~"),
        ("[a](https://b) ![c](d)", r"[a\](https:\//b) ![c\](d)"),
        ("http://a www.b.org c@d.org", r"http:\//a www\.b.org c\@d.org"),
        ("<b>&lt;$x$\\", r"\<b\>\&lt;\$x\$\\"),
        ("41.7 [36.0, 47.3] +2 -3", "41.7 [36.0, 47.3] +2 -3"),
        ("a & c@2 ]", "a & c@2 ]"),
        ("a\x1b\u202e", r"a\\x1b\\u202e"),
    ],
)
def test_marks_are_plain_signs(text: str, escaped: str) -> None:
    assert escape(text) == escaped


def test_code_is_ended_by_nothing_in_it() -> None:
    assert code("base > a") == "`base > a`"
    assert code("a ` `` b\nc") == "```a ` `` b c```"
    assert code("`a") == "`` `a ``"


def test_a_block_has_a_fence_that_its_text_lacks() -> None:
    assert fence_block("plain") == "```text\nplain\n```\n"
    assert fence_block("```\n````") == "`````text\n```\n````\n`````\n"


@given(st.text(alphabet="`~a\n ", max_size=30))
def test_no_text_ends_its_block(text: str) -> None:
    fence, *_ = fence_block(text).partition("text\n")
    assert fence not in text


def test_a_block_shows_what_would_be_hidden() -> None:
    assert fence_block("a\x1b[2J\n\u202eb") == "```text\na\\x1b[2J\n\\u202eb\n```\n"
