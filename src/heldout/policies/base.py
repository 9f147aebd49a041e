"""Who replies: many conversations in flight at once, each answered when it is ready."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from heldout.errors import Unavailable
from heldout.records import Reply, Task

Answer = Reply | Unavailable
"""What comes of a request: a reply, or why there is none; the conversation is over then, and others go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request for a reply: what is new in a conversation since the policy last spoke."""

    conversation: str
    """Its name, unique among those in flight."""
    task: Task
    turn: int
    """From 0; at 0 the text is the opening, later an observation."""
    text: str
    reply_tokens: int
    """The most tokens that the reply may have."""
    response_budget: int
    """The most tokens that the conversation may have after its opening."""
    seed: int
    """Of this reply's random stream."""


class Policy(Protocol):
    """Anything that replies."""

    @property
    def in_flight(self) -> int:
        """How many conversations it takes at a time."""
        ...

    def submit(self, request: Request) -> None:
        """Take a request; the reply comes by `collect`."""
        ...

    def collect(self) -> Sequence[tuple[str, Answer]]:
        """Some answers, by conversation: at least one where any request is open."""
        ...

    def release(self, conversation: str) -> None:
        """Forget a conversation."""
        ...
