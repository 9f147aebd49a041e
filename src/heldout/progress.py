"""How far long work is: one line, rewritten on a terminal, printed now and then elsewhere."""

import sys
from collections.abc import Callable
from time import monotonic
from typing import Self, TextIO, final

from heldout.printable import printable_line

ON_A_TERMINAL = 0.1
"""Seconds between two looks of the line on a terminal."""
ELSEWHERE = 10.0
"""Seconds between two lines in a file or a pipe."""


@final
class Progress:
    """Says how far one piece of work is; a context manager, whose end leaves the last line standing."""

    def __init__(
        self,
        title: str,
        total: int | None = None,
        *,
        out: TextIO | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._title, self._total = title, total
        self._out = sys.stderr if out is None else out
        self._clock = clock
        self._began = clock()
        self._rewrites = self._out.isatty()
        self._every = ON_A_TERMINAL if self._rewrites else ELSEWHERE
        self._said = self._began
        self._unsaid = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def show(self, done: int, **figures: float | str) -> None:
        """Now this much is done, and this is worth a look: `reward=0.41` is shown as `reward 0.41`."""
        now = self._clock()
        self._unsaid = self._line(done, now - self._began, figures)
        if now - self._said >= self._every:
            self._say(now)

    def close(self) -> None:
        """Leave the last line standing."""
        if self._unsaid:
            self._say(self._clock())
        if self._rewrites:
            print(file=self._out, flush=True)

    def _say(self, now: float) -> None:
        start, end = ("\r\x1b[K", "") if self._rewrites else ("", "\n")
        print(start + self._unsaid, end=end, file=self._out, flush=True)
        self._said, self._unsaid = now, ""

    def _line(self, done: int, seconds: float, figures: dict[str, float | str]) -> str:
        parts = [self._title, str(done) if self._total is None else f"{done}/{self._total}"]
        parts += [f"{name.replace('_', ' ')} {figure(value)}" for name, value in figures.items()]
        parts.append(span(seconds))
        if self._total is not None and 0 < done < self._total:
            parts.append(f"{span(seconds / done * (self._total - done))} left")
        return printable_line("  ".join(parts))


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
