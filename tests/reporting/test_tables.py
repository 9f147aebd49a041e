from heldout.reporting.tables import Table, align, markdown

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


def test_a_cell_in_a_terminal_stays_in_its_line_and_column() -> None:
    table = Table(("cell", "score"), [("a\nb\x1b[2J", "1"), ("c", "22")])
    assert align(table).splitlines()[2:] == [r"a\nb\x1b[2J      1", "c               22"]
