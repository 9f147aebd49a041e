"""The toy policy: says its lines in order."""

from collections.abc import Callable
from typing import final

from heldout.policies.base import Ask
from heldout.records import Reply


@final
class Scripted:
    """Says its lines in order in every conversation, the last one again and again.

    The policy of tests, examples and docs.
    """

    in_flight = 64

    def __init__(self, *lines: str) -> None:
        self._lines = lines
        self._ready = list[tuple[str, Reply]]()

    def submit(self, ask: Ask) -> None:
        """Take a request: the reply is the turn's line."""
        line = self._lines[min(ask.turn, len(self._lines) - 1)]
        self._ready.append((ask.conversation, Reply(text=line)))

    def collect(self) -> list[tuple[str, Reply]]:
        """Every open reply."""
        ready, self._ready = self._ready, []
        return ready

    def release(self, conversation: str) -> None:
        """Nothing is kept."""


@final
class Spoken:
    """A policy from a function of the request: one line of code where one line is enough."""

    in_flight = 64

    def __init__(self, say: Callable[[Ask], str]) -> None:
        self._say = say
        self._ready = list[tuple[str, Reply]]()

    def submit(self, ask: Ask) -> None:
        """Take a request and answer it at once."""
        self._ready.append((ask.conversation, Reply(text=self._say(ask))))

    def collect(self) -> list[tuple[str, Reply]]:
        """Every open reply."""
        ready, self._ready = self._ready, []
        return ready

    def release(self, conversation: str) -> None:
        """Nothing is kept."""
