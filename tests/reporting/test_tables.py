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


def test_a_table_without_rows_is_its_header() -> None:
    assert align(Table(("a", "b"), [])) == "a  b\n-  -\n"


def test_a_cell_in_a_terminal_stays_in_its_line_and_column() -> None:
    table = Table(("cell", "score"), [("a\nb\x1b[2J", "1"), ("c", "22")])
    assert align(table).splitlines()[2:] == [r"a\nb\x1b[2J      1", "c               22"]
