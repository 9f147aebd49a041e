"""Policies that answer at once: from a function of the request, or from lines, which is the toy."""

from collections.abc import Callable
from typing import final

from heldout.policies.base import Ask
from heldout.records import Reply


@final
class Spoken:
    """Says what a function of the request says; `forget` is told of each conversation that is over."""

    in_flight = 64

    def __init__(self, say: Callable[[Ask], str], forget: Callable[[str], object] = lambda _: None) -> None:
        self._say, self._forget = say, forget
        self._ready = list[tuple[str, Reply]]()

    def submit(self, ask: Ask) -> None:
        """Take a request and answer it at once."""
        self._ready.append((ask.conversation, Reply(text=self._say(ask))))

    def collect(self) -> list[tuple[str, Reply]]:
        """Every open reply."""
        ready, self._ready = self._ready, []
        return ready

    def release(self, conversation: str) -> None:
        """Forget a conversation."""
        self._forget(conversation)


def scripted(*lines: str) -> Spoken:
    """Says its lines in order in every conversation, the last one again and again: the policy of tests and docs."""
    return Spoken(lambda ask: lines[min(ask.turn, len(lines) - 1)])
