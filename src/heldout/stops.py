"""What ends a program from outside: SIGINT and SIGTERM, and standard streams that are not there."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from time import monotonic
from types import FrameType
from typing import Any, Self, final

CLEANING_UP = 1.0
"""Seconds after a signal in which another one changes nothing: what is under way is being cleared away."""

STATUSES = {signal.SIGINT: 130, signal.SIGTERM: 143}
"""What a shell reports for a process that such a signal ended."""

WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}


class _Held:
    """Whether a stop waits: what is under way has to come to its end first."""

    depth = 0
    came = False

    @classmethod
    def hear(cls) -> None:
        """A stop: raised at once, or noted while it has to wait."""
        if not cls.depth:
            raise KeyboardInterrupt
        cls.came = True

    @classmethod
    def let_go(cls) -> None:
        """Nothing has to come to its end any more: what waits is raised."""
        cls.depth -= 1
        if cls.came and not cls.depth:
            cls.came = False
            raise KeyboardInterrupt


@final
class Stops:
    """While it is open, SIGINT and SIGTERM raise KeyboardInterrupt, and it remembers which came.

    So a stop is told from a failure even where a library that was just being loaded turned it into one.
    """

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None
        self._came = -CLEANING_UP
        self._before = dict[signal.Signals, Any]()

    def __enter__(self) -> Self:
        if current_thread() is main_thread():  # no other thread may say what a signal does
            heard = [each for each in STATUSES if signal.getsignal(each) != signal.SIG_IGN]  # as in nohup
            self._before = {each: signal.signal(each, self._stop) for each in heard}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _stop(self, number: int, _: FrameType | None) -> None:
        now = monotonic()
        if now - self._came < CLEANING_UP:
            return
        self.signal, self._came = signal.Signals(number), now
        _Held.hear()


def forget_interrupts() -> None:
    """So that this process ends with its own exit status, whatever was under way when a stop came.

    CPython ends a process by SIGINT where a KeyboardInterrupt has left text that some library evaluated, though it
    was caught afterwards (`unhandled_keyboard_interrupt` in its pythonrun.c); evaluating any text clears that.
    """
    exec("")


@contextmanager
def held_back() -> Iterator[None]:
    """A stop that comes meanwhile is raised at the end, also one that a mask of this thread does not hold back."""
    _Held.depth += 1
    try:
        yield
    finally:
        _Held.let_go()


def mend_streams() -> None:
    """Opens standard streams that are closed onto nothing, and lets none fail at a sign that it does not have."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:  # else the next file that is opened would be one
        pass
    os.close(descriptor)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None or stream.closed:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115
        elif name != "stdin" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
