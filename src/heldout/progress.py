"""How far long work is: one line, rewritten on a terminal, printed now and then elsewhere."""

import sys
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Self, TextIO, final

from rich.console import Console
from rich.live import Live
from rich.text import Text

from heldout.printable import printable_line

WIDTH = 80
"""Columns of a line that is no terminal's."""
ELSEWHERE = 10.0
"""Seconds between two lines in a file or a pipe; the first comes at once."""
A_SECOND = 4
"""How often a second a terminal's line is written anew, so that its times go on."""


@final
class StatusLine:
    """Says how things stand; a context manager, whose end leaves the last line standing.

    `out` is standard error where it is None; `clock` gives seconds.
    """

    def __init__(self, *, out: TextIO | None = None, clock: Callable[[], float] = monotonic) -> None:
        self._out, self._clock = sys.stderr if out is None else out, clock
        self._began = self._said = clock()
        self._title, self._figures, self._left = "", "", dict[str, float]()
        self._told = True
        self._printed = False
        self._live: Live | None = None  # it looks at the line when it is made
        if self._out.isatty():
            self._live = _live(self._out, self._line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def say(self, title: str, *figures: str, **left: float) -> None:
        """Now this is so far; `left` are seconds by what they are of: `step=12` is shown as `step 12 s left`.

        Where a line has too little room the title is cut.
        """
        now = self._clock()
        self._title, self._left, self._told = title, left, False
        self._figures = "".join(f"  {figure}" for figure in figures)
        if self._live:
            self._live.start()
        elif not self._printed or now - self._said >= ELSEWHERE:
            self._print(now)
        else:
            return
        self._said = now

    def note(self, text: str) -> None:
        """A line that stays, above the one that says how things stand."""
        if self._live and self._live.is_started:
            self._live.console.print(_fit(text, self._live.console.width), markup=False, highlight=False)
        else:
            print(_fit(text, WIDTH), file=self._out, flush=True)

    def close(self) -> None:
        """Leave the last line standing."""
        if self._live:
            self._live.stop()
        elif not self._told:
            self._print(self._clock())

    def _print(self, now: float) -> None:
        print(self._line(WIDTH), file=self._out, flush=True)
        self._said, self._told, self._printed = now, True, True

    def _line(self, width: int) -> str:
        now = self._clock()
        since = now - self._said if self._live else 0.0
        times = [span(now - self._began)]
        times += [f"{of} {span(max(0.0, seconds - since))} left".strip() for of, seconds in self._left.items()]
        after = "".join([self._figures, *(f"  {time}" for time in times)])
        return _fit(self._title, width - len(after)) + after


@final
class Progress:
    """How far one piece of work is: so much of so much, and some figures."""

    def __init__(
        self,
        title: str,
        total: int | None = None,
        *,
        out: TextIO | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._title, self._total = title, total
        self._clock, self._began = clock, clock()
        self._line = StatusLine(out=out, clock=clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def show(self, done: int, **figures: float | str) -> None:
        """Now this much is done, and this is worth a look: `reward=0.41` is shown as `reward 0.41`."""
        left = dict[str, float]()
        if self._total is not None and 0 < done < self._total:
            left = {"": (self._clock() - self._began) / done * (self._total - done)}
        self._line.say(self._title, of(done, self._total), *figure_texts(figures), **left)

    def close(self) -> None:
        """Leave the last line standing."""
        self._line.close()


def of(done: int, total: int | None) -> str:
    """So much of so much: 3/20."""
    return str(done) if total is None else f"{done}/{total}"


def figure_texts(figures: Mapping[str, float | str]) -> list[str]:
    """Each figure with its name before it."""
    return [f"{name.replace('_', ' ')} {figure(value)}" for name, value in figures.items()]


def figure(value: float | str) -> str:
    """A number in at most five signs, thousands as k; text as it is."""
    if isinstance(value, str):
        return value
    if abs(value) >= 10_000:
        return f"{value / 1000:.0f}k"
    if abs(value) >= 100 or value == int(value):
        return f"{value:.0f}"
    return f"{value:.3g}"


def span(seconds: float) -> str:
    """A time as people say it: 42 s, 3:07, 1:02:03."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _fit(text: str, width: int) -> str:
    """A text in so many columns, its end left out where it is longer, and nothing in it that a terminal obeys."""
    text = printable_line(text)
    return text if len(text) <= width else text[: max(0, width - 1)] + "…"


def _live(out: TextIO, line: Callable[[int], str]) -> Live:
    """A line of a terminal that is written anew by itself."""
    console = Console(file=out, highlight=False)
    return Live(
        get_renderable=lambda: Text(line(console.width), no_wrap=True),
        console=console,
        refresh_per_second=A_SECOND,
        redirect_stdout=False,
        redirect_stderr=False,
    )
