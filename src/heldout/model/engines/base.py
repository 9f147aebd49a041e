"""What generates tokens for a local model: ids in, ids and their log-probabilities out."""

from collections.abc import Callable, Iterable, Sequence, Sized
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from heldout.errors import HeldoutError
from heldout.records import Stop


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What an engine sampled for one request."""

    conversation: str
    token_ids: tuple[int, ...]
    """The end token included when it came."""
    logprobs: tuple[float, ...]
    """Under the distribution sampled from: after temperature; 0 when decoding greedily."""
    stop: Stop
    """`END` or `LENGTH`."""


def refuse_open(conversations: Sized, what: str) -> None:
    """Refuses to do that to an engine which holds conversations: none crosses new weights."""
    if conversations:
        raise HeldoutError(f"the engine cannot {what} while {len(conversations)} conversations are open")


Weights = Callable[[], Iterable[tuple[str, Tensor]]]
"""A model's weights by name, read only by an engine that holds a copy of its own."""


class Engine(Protocol):
    """Continues conversations of ids; what a conversation has read and said stays in its memory.

    It outlives what is played on it: between plays it holds no conversation, and takes new weights by `update`.
    """

    @property
    def slots(self) -> int:
        """How many conversations it holds at a time."""
        ...

    @property
    def context(self) -> int:
        """How many ids one conversation may have."""
        ...

    def submit(
        self, conversation: str, ids: Sequence[int], max_tokens: int, *, seed: int, temperature: float = 1.0
    ) -> None:
        """Read the ids after all that the conversation has, then sample up to `max_tokens`; 0 decodes greedily."""
        ...

    def collect(self) -> list[Completion]:
        """Some finished requests: at least one where any is open."""
        ...

    def release(self, conversation: str) -> None:
        """Forget a conversation."""
        ...

    def rest(self) -> None:
        """Give back the memory of conversations, until the next one begins."""
        ...

    def update(self, weights: Weights) -> None:
        """Sample from these weights from now on; refused while a conversation is open, since none crosses one."""
        ...
