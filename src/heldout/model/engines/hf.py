"""Continuous generation on a transformers causal language model, on CPU or GPU.

Each conversation keeps a row of the cache from its first turn to its last. Those that decode lie in the
first rows and get one token in each step; those that wait are read together once they are a quarter of
those at work. Nothing is padded on the left and nothing is read twice.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, final

import torch
from torch import Tensor

from heldout.model.engines.base import Completion, Weights, refuse_open
from heldout.model.engines.cache import SlotCache, memory_name
from heldout.model.engines.masks import Masks
from heldout.model.engines.sampling import Open, sample
from heldout.model.head import body_of, head_of

PADDING = 1.5
"""Rows are read in one batch while the longest has at most this many times the ids of the shortest."""
SHORT = 16
"""Rows with at most so many ids to read go into one batch, whatever the ratio."""


@dataclass(slots=True, eq=False)
class _Row:
    """One conversation in the cache."""

    conversation: str
    place: int
    """Which row of the cache is its own."""
    length: int = 0
    """Ids whose keys and values are stored."""
    feed: list[int] = field(default_factory=list)
    """Ids to read next."""
    request: Open | None = None


@final
class HfEngine:
    """Samples from a transformers model; the model's weights are read anew at every step.

    Right for models whose layers keep keys and values by position, which `model/proof.py` finds out.
    """

    def __init__(self, model: Any, *, slots: int, context: int, end_ids: Sequence[int]) -> None:
        self.slots = slots
        self.context = context
        self.model_seconds = 0.0
        """Time spent inside the model, for those who measure."""
        self._body, self._head = body_of(model), head_of(model)
        self._device = model.device
        self._end_ids = frozenset(end_ids)
        self._masks = Masks(model)
        self._memory = memory_name(self._body)
        self._cache = SlotCache(rows=slots, context=context)
        self._rows = dict[str, _Row]()
        self._places: list[_Row | None] = [None] * slots
        self._decoding = list[_Row]()
        self._waiting = list[_Row]()

    def submit(
        self, conversation: str, ids: Sequence[int], max_tokens: int, *, seed: int, temperature: float = 1.0
    ) -> None:
        """Read the ids after all that the conversation has, then sample up to `max_tokens`; 0 decodes greedily."""
        row = self._rows.get(conversation)
        if row is None:
            place = self._places.index(None)
            row = self._rows[conversation] = self._places[place] = _Row(conversation, place)
        self._waiting.append(row)
        row.feed += ids
        row.request = Open(conversation=conversation, room=max_tokens, temperature=temperature, rng=Random(seed))

    @torch.inference_mode()
    def collect(self) -> list[Completion]:
        """Steps until some request is finished."""
        finished = list[Completion]()
        while not finished and (self._waiting or self._decoding):
            if 4 * len(self._waiting) >= len(self._waiting) + len(self._decoding):
                rows, self._waiting = self._waiting, []
                for batch in _alike(rows):
                    finished += self._advance(batch)
            if self._decoding:
                rows, self._decoding = self._side_by_side(), []
                finished += self._advance(rows)
        return finished

    def release(self, conversation: str) -> None:
        """Forget a conversation; its row is free."""
        if row := self._rows.pop(conversation, None):
            self._places[row.place] = None
            self._waiting = [other for other in self._waiting if other is not row]
            self._decoding = [other for other in self._decoding if other is not row]

    def rest(self) -> None:
        """Give back the cache's memory: a learner that shares the device needs it between two plays."""
        refuse_open(self._rows, "rest")
        self._cache.clear()

    def update(self, weights: Weights) -> None:
        """The model itself is the learner's: there is nothing to copy, but no conversation may cross an update."""
        del weights
        refuse_open(self._rows, "take new weights")

    def _advance(self, rows: list[_Row]) -> list[Completion]:
        """One forward pass over the rows: each reads its ids and samples one more, then decodes on unless done."""
        requests = [row.request for row in rows if row.request]
        drawn = sample(self._forward(rows), requests)
        finished = list[Completion]()
        for row, request, (token, logprob) in zip(rows, requests, drawn, strict=True):
            row.feed = [token]  # read with whatever comes next: its keys are not stored yet
            if done := request.take(token, logprob, self._end_ids):
                finished.append(done)
            else:
                self._decoding.append(row)
        return finished

    def _forward(self, rows: list[_Row]) -> Tensor:
        """Logits of each row's next token."""
        longest = max(len(row.feed) for row in rows)
        length = max(row.length + len(row.feed) for row in rows)
        ids_BQ = self._tensor([row.feed + [0] * (longest - len(row.feed)) for row in rows])
        starts_B = self._tensor([row.length for row in rows])
        ends_B = self._tensor([len(row.feed) - 1 for row in rows])
        # A short row's padding is written past its end: nothing sees it there, and what the row reads next
        # overwrites it.
        steps_Q = torch.arange(longest, device=self._device)
        positions_BQ = (starts_B[:, None] + steps_Q).clamp(max=length)
        self._cache.aim([row.place for row in rows], positions_BQ, length)
        begun = self._now()
        hidden_BQE = self._body(
            input_ids=ids_BQ,
            position_ids=positions_BQ,
            attention_mask=self._masks(positions_BQ, length),
            use_cache=True,
            **{self._memory: self._cache},
        ).last_hidden_state
        logits_BV: Tensor = self._head(hidden_BQE[torch.arange(len(rows), device=self._device), ends_B])
        self.model_seconds += self._now() - begun
        for row in rows:
            row.length += len(row.feed)
        return logits_BV

    def _side_by_side(self) -> list[_Row]:
        """The decoding rows in the order of their places, moved into the first places where others have left."""
        count = len(self._decoding)
        decoding = set(self._decoding)
        gaps = [place for place in range(count) if self._places[place] not in decoding]
        beyond = [row for row in self._decoding if row.place >= count]
        for gap, row in zip(gaps, beyond, strict=True):
            self._swap(gap, row.place)
        return sorted(self._decoding, key=lambda row: row.place)

    def _swap(self, one: int, other: int) -> None:
        """Two places change their rows, as far as either is filled."""
        places = self._places
        self._cache.swap(one, other, max(row.length for row in (places[one], places[other]) if row))
        places[one], places[other] = places[other], places[one]
        for place in (one, other):
            if row := places[place]:
                row.place = place

    def _now(self) -> float:
        """The time at which all that the device was asked for is done."""
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        return time.perf_counter()

    def _tensor(self, numbers: list[Any]) -> Tensor:
        return torch.tensor(numbers, device=self._device)


def _alike(rows: list[_Row]) -> Iterator[list[_Row]]:
    """The rows in batches of like numbers of ids to read, the shortest first."""
    batch = list[_Row]()
    for row in sorted(rows, key=lambda row: len(row.feed)):
        if batch and len(row.feed) > max(SHORT, PADDING * len(batch[0].feed)):
            yield batch
            batch = []
        batch.append(row)
    yield batch
