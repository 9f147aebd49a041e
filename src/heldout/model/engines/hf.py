"""Continuous generation on any transformers causal language model, on CPU or GPU.

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

from heldout.errors import HeldoutError
from heldout.model.engines.base import Completion, Weights
from heldout.model.engines.cache import SlotCache
from heldout.model.head import head_of
from heldout.records import Stop

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
    room: int = 0
    """Ids that may still be sampled for the open request."""
    temperature: float = 1.0
    rng: Random = field(default_factory=Random)
    sampled: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)


@final
class HfEngine:
    """Samples from a transformers model; the model's weights are read anew at every step."""

    def __init__(self, model: Any, *, slots: int, context: int, end_ids: Sequence[int]) -> None:
        config = model.config
        self.slots = slots
        self.context = context
        self.model_seconds = 0.0
        """Time spent inside the model, for those who measure."""
        self._body, self._head = model.base_model, head_of(model)
        self._device = model.device
        self._end_ids = frozenset(end_ids)
        self._cache = SlotCache(
            layers=config.num_hidden_layers,
            rows=slots,
            heads=config.num_key_value_heads,
            head_size=getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads,
            context=context,
            like=model.get_output_embeddings().weight,
        )
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
        row.room = max_tokens
        row.temperature = temperature
        row.rng = Random(seed)
        row.sampled, row.logprobs = [], []

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
        self._refuse_open("rest")
        self._cache.clear()

    def update(self, weights: Weights) -> None:
        """The model itself is the learner's: there is nothing to copy, but no conversation may cross an update."""
        del weights
        self._refuse_open("take new weights")

    def _refuse_open(self, what: str) -> None:
        if self._rows:
            raise HeldoutError(f"the engine cannot {what} while {len(self._rows)} conversations are open")

    def _advance(self, rows: list[_Row]) -> list[Completion]:
        """One forward pass over the rows: each reads its ids and samples one more, then decodes on unless done."""
        logprobs_BV = self._forward(rows)
        ids_B = self._sample(logprobs_BV, rows)
        chosen_B = logprobs_BV.gather(1, ids_B[:, None])[:, 0]
        finished = list[Completion]()
        for row, token, logprob in zip(rows, ids_B.tolist(), chosen_B.tolist(), strict=True):
            if done := self._take(row, token, logprob):
                finished.append(done)
            else:
                self._decoding.append(row)
        return finished

    def _take(self, row: _Row, token: int, logprob: float) -> Completion | None:
        """The row has one more token; its finished request, if that was the last."""
        row.feed = [token]  # read with whatever comes next: its keys are not stored yet
        row.sampled.append(token)
        row.logprobs.append(logprob if row.temperature else 0.0)
        row.room -= 1
        ended = token in self._end_ids
        if not ended and row.room > 0:
            return None
        return Completion(
            conversation=row.conversation,
            token_ids=tuple(row.sampled),
            logprobs=tuple(row.logprobs),
            stop=Stop.END if ended else Stop.LENGTH,
        )

    def _forward(self, rows: list[_Row]) -> Tensor:
        """Log-probabilities of each row's next token."""
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
        keys_L = torch.arange(length, device=self._device)
        mask_B1QL = keys_L <= positions_BQ[:, None, :, None]
        begun = self._now()
        hidden_BQE = self._body(
            input_ids=ids_BQ,
            position_ids=positions_BQ,
            attention_mask=mask_B1QL,
            past_key_values=self._cache,
            use_cache=True,
        ).last_hidden_state
        logits_BV = self._head(hidden_BQE[torch.arange(len(rows), device=self._device), ends_B])
        self.model_seconds += self._now() - begun
        for row in rows:
            row.length += len(row.feed)
        temperatures_B1 = self._tensor([[row.temperature or 1.0] for row in rows])
        logprobs_BV: Tensor = (logits_BV / temperatures_B1).log_softmax(-1)
        return logprobs_BV

    def _sample(self, logprobs_BV: Tensor, rows: list[_Row]) -> Tensor:
        """One id a row: where its stream's next number falls in the cumulated probabilities."""
        if not any(row.temperature for row in rows):
            return logprobs_BV.argmax(-1)
        cumulated_BV = logprobs_BV.double().exp().cumsum(-1)
        draws_B = torch.tensor([row.rng.random() for row in rows], dtype=torch.float64, device=self._device)
        draws_B1 = draws_B[:, None] * cumulated_BV[:, -1:]
        drawn_B = torch.searchsorted(cumulated_BV, draws_B1, right=True)[:, 0]
        if all(row.temperature for row in rows):
            return drawn_B
        is_greedy_B = self._tensor([not row.temperature for row in rows])
        return torch.where(is_greedy_B, logprobs_BV.argmax(-1), drawn_B)

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
