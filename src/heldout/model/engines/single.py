"""Generation with a model's own cache, one conversation after another: for models whose memory has no rows.

State-space layers, convolutions and the like keep a state of a conversation, not keys by position; transformers'
own cache for them has one length, so each conversation has a cache of its own here. Slower than rows side by side,
and as exact.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from inspect import signature
from random import Random
from typing import Any, final

import torch
from torch import Tensor

from heldout.model.engines.base import Completion, Weights, refuse_open
from heldout.model.engines.cache import memory_name
from heldout.model.engines.sampling import Open, sample
from heldout.model.head import body_of, head_of


@dataclass(slots=True, eq=False)
class _Conversation:
    length: int = 0
    """Ids that the memory holds."""
    memory: Any = None
    """The model's own cache, made by the model."""
    feed: list[int] = field(default_factory=list)
    """Ids to read next."""


@final
class SingleEngine:
    """Samples from a transformers model; `one_by_one` reads each later id by itself.

    Some models read several ids at once only where they begin: what they remember would be lost.
    """

    def __init__(
        self, model: Any, *, slots: int, context: int, end_ids: Sequence[int], one_by_one: bool = False
    ) -> None:
        self.slots = slots
        self.context = context
        self.model_seconds = 0.0
        """Time spent inside the model, for those who measure."""
        self._body, self._head = body_of(model), head_of(model)
        takes = signature(self._body.forward).parameters
        self._takes_positions = "position_ids" in takes
        self._memory = memory_name(self._body)
        self._device = model.device
        self._end_ids = frozenset(end_ids)
        self._one_by_one = one_by_one
        self._conversations = dict[str, _Conversation]()
        self._waiting = list[Open]()

    def submit(
        self, conversation: str, ids: Sequence[int], max_tokens: int, *, seed: int, temperature: float = 1.0
    ) -> None:
        """Read the ids after all that the conversation has, then sample up to `max_tokens`; 0 decodes greedily."""
        self._conversations.setdefault(conversation, _Conversation()).feed += ids
        self._waiting.append(
            Open(conversation=conversation, room=max_tokens, temperature=temperature, rng=Random(seed))
        )

    @torch.inference_mode()
    def collect(self) -> list[Completion]:
        """The request that waits longest, finished."""
        if not self._waiting:
            return []
        request = self._waiting.pop(0)
        conversation = self._conversations[request.conversation]
        while True:
            [(token, logprob)] = sample(self._read(conversation), [request])
            conversation.feed = [token]
            if done := request.take(token, logprob, self._end_ids):
                return [done]

    def release(self, conversation: str) -> None:
        """Forget a conversation."""
        self._conversations.pop(conversation, None)
        self._waiting = [each for each in self._waiting if each.conversation != conversation]

    def rest(self) -> None:
        """Nothing is kept between conversations."""
        refuse_open(self._conversations, "rest")

    def update(self, weights: Weights) -> None:
        """The model itself is the learner's: there is nothing to copy, but no conversation may cross an update."""
        del weights
        refuse_open(self._conversations, "take new weights")

    def _read(self, conversation: _Conversation) -> Tensor:
        """Logits (1 × V) of the token after all that is to be read."""
        feed = conversation.feed
        pieces = [[each] for each in feed] if self._one_by_one and conversation.length else [feed]
        for piece in pieces[:-1]:
            self._forward(conversation, piece)
        return self._forward(conversation, pieces[-1], self._head)

    def _forward(
        self, conversation: _Conversation, ids: list[int], head: Callable[[Tensor], Tensor] | None = None
    ) -> Tensor:
        begun = time.perf_counter()
        start = conversation.length
        ids_1Q = torch.tensor([ids], device=self._device)
        positions_1Q = torch.arange(start, start + len(ids), device=self._device)[None]
        output = self._body(
            input_ids=ids_1Q,
            use_cache=True,
            **{self._memory: conversation.memory},
            **({"position_ids": positions_1Q} if self._takes_positions else {}),
        )
        last_1E: Tensor = output.last_hidden_state[:, -1]
        logits_1V = head(last_1E) if head else last_1E
        conversation.memory = getattr(output, self._memory)
        conversation.length += len(ids)
        self.model_seconds += time.perf_counter() - begun
        return logits_1V
