from hypothesis import given
from hypothesis import strategies as st

from heldout.reporting.tables import Table, align, fence_block, markdown

TABLE = Table(("cell", "score"), [("textcraft.easy", "41.7"), ("a|b\nc", "–")])


def test_a_table_in_markdown() -> None:
    assert markdown(TABLE) == "| cell | score |\n| :-- | --: |\n| textcraft.easy | 41.7 |\n| a\\|b c | – |\n"


def test_a_table_in_a_terminal() -> None:
    table = Table(("cell", "score"), [("textcraft.easy", "41.7"), ("babyai.hard", "7.25 [1, 9]")])
    assert align(table).splitlines() == [
        "cell                  score",
        "--------------  -----------",
        "textcraft.easy         41.7",
        "babyai.hard     7.25 [1, 9]",
    ]


def test_a_table_that_is_too_wide_is_folded_and_each_part_says_what_its_rows_are_about() -> None:
    table = Table(("cell", "n", "score", "endings"), [("textcraft.easy", "50", "41.7", "solved 3")], keys=1)
    assert align(table, 28).splitlines() == [
        "cell             n  score",
        "--------------  --  -----",
        "textcraft.easy  50   41.7",
        "",
        "cell             endings",
        "--------------  --------",
        "textcraft.easy  solved 3",
    ]
    assert align(table, 10).count("textcraft.easy") == 3, (
        "a column that is too wide by itself is shown all the same"
    )


def test_a_table_without_rows_is_its_header() -> None:
    assert align(Table(("a", "b"), [])) == "a  b\n-  -\n"


def test_a_block_has_a_fence_that_its_text_lacks() -> None:
    assert fence_block("plain") == "```text\nplain\n```\n"
    assert fence_block("```\n````") == "`````text\n```\n````\n`````\n"


@given(st.text(alphabet="`~a\n ", max_size=30))
def test_no_text_ends_its_block(text: str) -> None:
    fence, *_ = fence_block(text).partition("text\n")
    assert fence not in text
