"""The progress line: rewritten on a terminal, rare and plain elsewhere."""

from io import StringIO
from typing import final

import pytest

from heldout.progress import Progress, figure, span


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


def test_in_a_file_a_line_comes_every_ten_seconds_and_at_the_end() -> None:
    assert told(StringIO(), seconds_a_step=4, steps=4).splitlines() == [
        "train  3/4  reward 0.3  tokens per second 1234  12 s  4 s left",
        "train  4/4  reward 0.4  tokens per second 1234  16 s",
    ]


def test_on_a_terminal_one_line_is_rewritten_and_left_standing() -> None:
    written = told(Terminal(), seconds_a_step=1, steps=2)
    assert written == (
        "\r\x1b[Ktrain  1/2  reward 0.1  tokens per second 1234  1 s  1 s left"
        "\r\x1b[Ktrain  2/2  reward 0.2  tokens per second 1234  2 s\n"
    )


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
