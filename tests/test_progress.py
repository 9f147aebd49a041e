"""The progress line: rewritten on a terminal, rare and plain elsewhere."""

import re
from io import StringIO
from typing import final

import pytest

from heldout.progress import Progress, StatusLine, figure, span


@final
class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@final
class Clock:
    """Says the time that it is set to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def told(out: StringIO, seconds_a_step: float, steps: int) -> str:
    """What is written of a work of some steps."""
    clock = Clock()
    with Progress("train", steps, out=out, clock=clock) as progress:
        for step in range(1, steps + 1):
            clock.now += seconds_a_step
            progress.show(step, reward=step / 10, tokens_per_second=1234.5)
    return out.getvalue()


def test_in_a_file_a_line_comes_at_once_then_every_ten_seconds_and_at_the_end() -> None:
    assert told(StringIO(), seconds_a_step=4, steps=5).splitlines() == [
        "train  1/5  reward 0.1  tokens per second 1234  4 s  16 s left",
        "train  4/5  reward 0.4  tokens per second 1234  16 s  4 s left",
        "train  5/5  reward 0.5  tokens per second 1234  20 s",
    ]


def test_on_a_terminal_one_line_is_rewritten_and_left_standing() -> None:
    written = told(Terminal(), seconds_a_step=1, steps=2)
    assert written.count("\n") == 1
    assert written.rstrip("\n\x1b[?25hl").endswith("train  2/2  reward 0.2  tokens per second 1234  2 s")


def test_a_terminals_times_go_on_while_nothing_is_said() -> None:
    out, clock = Terminal(), Clock()
    with StatusLine(out=out, clock=clock) as line:
        line.say("train", "1/3", step=12, run=600)
        clock.now += 7
    assert "train  1/3  7 s  step 5 s left  run 9:53 left" in out.getvalue()


@pytest.mark.parametrize("out", [StringIO(), Terminal()])
def test_a_line_has_80_columns_and_only_its_title_is_cut(out: StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with StatusLine(out=out, clock=Clock()) as line:
        line.say("a chain of many stages > " * 9, "12/20", "playing 7/96", step=12, run=500)
    plain = re.sub(r"\x1b\[[0-9?]*[a-zA-Z]", "", out.getvalue())
    [shown] = {text.strip("\r") for text in plain.split("\n") if text.strip("\r")}
    assert len(shown) == 80
    assert shown.startswith("a chain of many stages")
    assert shown.endswith("…  12/20  playing 7/96  0 s  step 12 s left  run 8:20 left")


def test_a_note_stays_above() -> None:
    out = StringIO()
    with StatusLine(out=out, clock=Clock()) as line:
        line.say("train", "1/2")
        line.note("step 1/2  score 55")
        line.say("train", "2/2")
    assert out.getvalue().splitlines() == ["train  1/2  0 s", "step 1/2  score 55", "train  2/2  0 s"]


def test_work_without_an_end_says_how_much_is_done() -> None:
    out = StringIO()
    with Progress("play", out=out, clock=Clock()) as progress:
        progress.show(3)
    assert out.getvalue() == "play  3  0 s\n"


def test_work_that_never_began_says_nothing() -> None:
    out = StringIO()
    with Progress("play", out=out):
        pass
    assert out.getvalue() == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.4123, "0.412"), (3.0, "3"), (123.4, "123"), (12_345.0, "12k"), (0.0, "0"), ("easy", "easy")],
)
def test_figures_are_short(value: float | str, text: str) -> None:
    assert figure(value) == text


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (59.4, "59 s"), (187, "3:07"), (3723, "1:02:03")])
def test_times_are_as_people_say_them(seconds: float, text: str) -> None:
    assert span(seconds) == text
