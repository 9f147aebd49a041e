"""Policies that answer at once: from a function of the request, or from lines, which is the toy."""

from collections.abc import Callable
from typing import final

from heldout.policies.base import Request
from heldout.records import Reply


@final
class ScriptedPolicy:
    """Says what a function of the request says; `forget` is told of each conversation that is over."""

    in_flight = 64

    def __init__(self, say: Callable[[Request], str], forget: Callable[[str], object] = lambda _: None) -> None:
        self._say, self._forget = say, forget
        self._ready = list[tuple[str, Reply]]()

    def submit(self, request: Request) -> None:
        """Take a request and answer it at once."""
        self._ready.append((request.conversation, Reply(text=self._say(request))))

    def collect(self) -> list[tuple[str, Reply]]:
        """Every open reply."""
        ready, self._ready = self._ready, []
        return ready

    def release(self, conversation: str) -> None:
        """Forget a conversation."""
        self._forget(conversation)


def script(*lines: str) -> ScriptedPolicy:
    """Says its lines in order in every conversation, the last one again and again: the policy of tests and docs."""
    return ScriptedPolicy(lambda request: lines[min(request.turn, len(lines) - 1)])
