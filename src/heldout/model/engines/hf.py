"""Continuous generation on any transformers causal language model, on CPU or GPU.

Rows of the cache are ordered decoding | waiting | at rest. A decoding row gets one token in each
step; rows that wait are read together once they are a quarter of those at work; a row at rest keeps
its keys until its conversation goes on. Nothing is padded on the left and nothing is read twice.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, final

import torch
from torch import Tensor

from heldout.model.engines.base import Sampled
from heldout.model.engines.cache import SlotCache
from heldout.records import Stop

PADDING = 1.5
"""Rows are read in one batch while the longest has at most this many times the ids of the shortest."""


@dataclass(slots=True)
class _Row:
    """One conversation in the cache."""

    conversation: str
    length: int = 0
    """Ids whose keys and values are stored."""
    feed: list[int] = field(default_factory=list)
    """Ids to read next."""
    room: int = 0
    """Ids that may still be sampled for the open request."""
    rng: Random = field(default_factory=Random)
    sampled: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)


@final
class HfEngine:
    """Samples from a transformers model; the model's weights are read anew at every step."""

    def __init__(
        self, model: Any, *, slots: int, context: int, end_ids: Sequence[int], temperature: float = 1.0
    ) -> None:
        config = model.config
        heads = config.num_key_value_heads
        self.slots = slots
        self.context = context
        self.temperature = temperature
        self.model_seconds = 0.0
        """Time spent inside the model, for those who measure."""
        self._body, self._head = model.base_model, model.get_output_embeddings()
        self._device = model.device
        self._end_ids = frozenset(end_ids)
        self._cache = SlotCache(
            layers=config.num_hidden_layers,
            rows=slots,
            heads=heads,
            head_size=getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads,
            context=context,
            like=self._head.weight,
        )
        self._rows: list[_Row | None] = [None] * slots
        self._row_of = dict[str, int]()
        self._decoding = 0
        self._waiting = 0

    def submit(self, conversation: str, ids: Sequence[int], max_tokens: int, seed: int) -> None:
        """Read the ids after all that the conversation has, then sample up to `max_tokens`."""
        index = self._row_of.get(conversation)
        if index is None:
            index = self._rows.index(None, self._decoding + self._waiting)
            self._rows[index] = _Row(conversation)
            self._row_of[conversation] = index
        self._swap(index, self._decoding + self._waiting)
        row = self._row(self._decoding + self._waiting)
        self._waiting += 1
        row.feed += ids
        row.room = max_tokens
        row.rng = Random(seed)
        row.sampled, row.logprobs = [], []

    def collect(self) -> list[Sampled]:
        """Steps until some request is finished."""
        finished = list[Sampled]()
        while not finished and self._decoding + self._waiting:
            if 4 * self._waiting >= self._decoding + self._waiting:
                finished += self._read_waiting()
            if self._decoding:
                finished += self._advance(0, self._decoding)
        return finished

    def release(self, conversation: str) -> None:
        """Forget a conversation; its row is free."""
        if conversation in self._row_of:
            self._rest(self._row_of[conversation])
            self._rows[self._row_of.pop(conversation)] = None

    def _read_waiting(self) -> list[Sampled]:
        """Every waiting row reads its ids and samples its first token, in batches of like lengths."""
        finished = list[Sampled]()
        while self._waiting:
            first, last = self._decoding, self._decoding + self._waiting
            self._sort(first, last)
            most = max(16, PADDING * len(self._row(first).feed))
            end = next((i for i in range(first, last) if len(self._row(i).feed) > most), last)
            finished += self._advance(first, end, reading=True)
        return finished

    def _advance(self, first: int, last: int, *, reading: bool = False) -> list[Sampled]:
        """One forward pass over the rows: each reads its ids and samples one more."""
        rows = [self._row(index) for index in range(first, last)]
        logprobs_BV = self._forward(first, rows)
        ids = self._sample(logprobs_BV, rows)
        chosen = logprobs_BV.gather(1, torch.tensor(ids, device=self._device)[:, None])[:, 0].tolist()
        if reading:
            self._waiting -= len(rows)
            self._decoding += len(rows)
        return [
            finished
            for row, token, logprob in zip(rows, ids, chosen, strict=True)
            if (finished := self._take(row, token, logprob))
        ]

    def _take(self, row: _Row, token: int, logprob: float) -> Sampled | None:
        """The row has one more token; its finished request, if that was the last."""
        row.feed = [token]  # read with whatever comes next: its keys are not stored yet
        row.sampled.append(token)
        row.logprobs.append(logprob if self.temperature else 0.0)
        row.room -= 1
        ended = token in self._end_ids
        if not ended and row.room > 0:
            return None
        self._rest(self._row_of[row.conversation])
        return Sampled(
            conversation=row.conversation,
            token_ids=tuple(row.sampled),
            logprobs=tuple(row.logprobs),
            stop=Stop.END if ended else Stop.LENGTH,
        )

    @torch.no_grad()
    def _forward(self, first: int, rows: list[_Row]) -> Tensor:
        """Log-probabilities of each row's next token."""
        begun = time.perf_counter()
        longest = max(len(row.feed) for row in rows)
        ids_BQ = torch.tensor([row.feed + [0] * (longest - len(row.feed)) for row in rows], device=self._device)
        starts_B = torch.tensor([row.length for row in rows], device=self._device)
        # A short row's padding is written past its end and overwritten before any query may see it. The last
        # position is never one of an id that is read (only sampled), so padding may pile up there.
        positions_BQ = starts_B[:, None] + torch.arange(longest, device=self._device)
        positions_BQ = positions_BQ.clamp(max=self.context - 1)
        length = min(self.context, max(row.length + len(row.feed) for row in rows))
        self._cache.aim(first, positions_BQ, length)
        keys_L = torch.arange(length, device=self._device)
        mask_B1QL = keys_L[None, None, None, :] <= positions_BQ[:, None, :, None]
        hidden_BQE = self._body(
            input_ids=ids_BQ,
            position_ids=positions_BQ,
            attention_mask=mask_B1QL,
            past_key_values=self._cache,
            use_cache=True,
        ).last_hidden_state
        ends_B = torch.tensor([len(row.feed) - 1 for row in rows], device=self._device)
        hidden_BE = hidden_BQE[torch.arange(len(rows), device=self._device), ends_B]
        logits_BV = self._head(hidden_BE).float()
        for row in rows:
            row.length += len(row.feed)
        self.model_seconds += time.perf_counter() - begun
        logprobs_BV: Tensor = (logits_BV / (self.temperature or 1.0)).log_softmax(-1)
        return logprobs_BV

    def _sample(self, logprobs_BV: Tensor, rows: list[_Row]) -> list[int]:
        """One id a row: where its stream's next number falls in the cumulated probabilities."""
        if not self.temperature:
            return logprobs_BV.argmax(-1).tolist()
        cumulated_BV = logprobs_BV.double().exp().cumsum(-1)
        draws_B = torch.tensor([row.rng.random() for row in rows], dtype=torch.float64, device=self._device)
        draws_B1 = draws_B[:, None] * cumulated_BV[:, -1:]
        return torch.searchsorted(cumulated_BV, draws_B1, right=True)[:, 0].tolist()

    def _rest(self, index: int) -> None:
        """Take a row out of those at work, and close the gap."""
        if index < self._decoding:
            self._decoding -= 1
            self._swap(index, self._decoding)
            index = self._decoding
            if self._waiting:
                self._swap(index, index + self._waiting)
        elif index < self._decoding + self._waiting:
            self._waiting -= 1
            self._swap(index, self._decoding + self._waiting)

    def _sort(self, first: int, last: int) -> None:
        """Order the rows by how much they have to read."""
        for index in range(first, last):
            least = min(range(index, last), key=lambda i: len(self._row(i).feed))
            self._swap(index, least)

    def _swap(self, one: int, other: int) -> None:
        if one == other:
            return
        rows = self._rows
        self._cache.swap(one, other, max((row.length for row in (rows[one], rows[other]) if row), default=0))
        rows[one], rows[other] = rows[other], rows[one]
        for index in (one, other):
            if row := rows[index]:
                self._row_of[row.conversation] = index

    def _row(self, index: int) -> _Row:
        row = self._rows[index]
        assert row is not None
        return row
