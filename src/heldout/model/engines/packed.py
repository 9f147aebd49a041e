"""Continuous generation on a CPU: the new ids of all conversations lie in one packed row, and nothing is padded.

Each step reads what is new of every open conversation: ids that it was given, the id that it sampled last, and
after that a draft of what may come (`drafts.py`). At every id of a draft a token is sampled, from the number of the
request's stream that belongs there; as long as it is the draft's own, the next one holds too. So a draft changes
how many steps a reply takes, and not what is sampled.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, final

import torch
from torch import Tensor

from heldout.errors import HeldoutError
from heldout.model.engines.base import Completion, Weights, refuse_open
from heldout.model.engines.cache import memory_name
from heldout.model.engines.drafts import REACH, Drafts
from heldout.model.engines.packed_attention import PackedAttention, Run
from heldout.model.engines.sampling import Open, sample
from heldout.model.head import body_of, head_of

MOST_IDS = 2048
"""Ids that one forward pass reads, if no single conversation has more to read."""


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
    recent: list[int] = field(default_factory=list)
    """Its last ids, which a draft is made from."""
    request: Open | None = None

    def remember(self, ids: Sequence[int]) -> None:
        """These come last."""
        self.recent = [*self.recent, *ids][-max(REACH) :]


@dataclass(frozen=True, slots=True)
class _Part:
    """What one conversation has in a step."""

    row: _Row
    request: Open
    draft: list[int]

    @property
    def ids(self) -> list[int]:
        """All that it reads."""
        return self.row.feed + self.draft


@final
class PackedEngine:
    """Samples from a transformers model on a CPU; the model's weights are read anew at every step.

    Right for models that keep keys and values by position, and look their attention up by name.
    """

    def __init__(self, model: Any, *, slots: int, context: int, end_ids: Sequence[int]) -> None:
        if model.device.type != "cpu":
            raise HeldoutError(f"made for a CPU, not {model.device.type}")
        self.slots = slots
        self.context = context
        self.model_seconds = 0.0
        """Time spent inside the model, for those who measure."""
        self._body, self._head = body_of(model), head_of(model)
        self._end_ids = frozenset(end_ids)
        self._memory = memory_name(self._body)
        self._attention = PackedAttention(model, rows=slots, context=context)
        self._drafts = Drafts()
        self._rows = dict[str, _Row]()
        self._places: list[_Row | None] = [None] * slots

    def submit(
        self, conversation: str, ids: Sequence[int], max_tokens: int, *, seed: int, temperature: float = 1.0
    ) -> None:
        """Read the ids after all that the conversation has, then sample up to `max_tokens`; 0 decodes greedily."""
        row = self._rows.get(conversation)
        if row is None:
            place = self._places.index(None)
            row = self._rows[conversation] = self._places[place] = _Row(conversation, place)
        row.feed += ids
        row.remember(ids)
        row.request = Open(conversation=conversation, room=max_tokens, temperature=temperature, rng=Random(seed))

    @torch.inference_mode()
    def collect(self) -> list[Completion]:
        """Steps until some request is finished."""
        finished = list[Completion]()
        while not finished and (parts := self._parts()):
            for batch in _batches(parts):
                finished += self._advance(batch)
        return finished

    def release(self, conversation: str) -> None:
        """Forget a conversation; its row is free."""
        if row := self._rows.pop(conversation, None):
            self._places[row.place] = None

    def rest(self) -> None:
        """Give back the cache's memory, and know nothing of what was said."""
        refuse_open(self._rows, "rest")
        self._attention.clear()
        self._drafts.clear()

    def update(self, weights: Weights) -> None:
        """The model itself is the learner's: there is nothing to copy, but no conversation may cross an update."""
        del weights
        refuse_open(self._rows, "take new weights")

    def _parts(self) -> list[_Part]:
        """What each open request reads next."""
        return [
            _Part(row, request, self._drafts.after(row.recent, request.room - 1))
            for row in self._places
            if row and (request := row.request)
        ]

    def _advance(self, parts: list[_Part]) -> list[Completion]:
        """One forward pass: each request samples at its last id, and on along its draft while that holds."""
        ahead = [number for part in parts for number in range(len(part.draft) + 1)]
        requests = [part.request for part in parts for _ in range(len(part.draft) + 1)]
        drawn = iter(sample(self._forward(parts), requests, ahead))
        done = [self._take(part, [next(drawn) for _ in range(len(part.draft) + 1)]) for part in parts]
        return [each for each in done if each]

    def _take(self, part: _Part, drawn: Sequence[tuple[int, float]]) -> Completion | None:
        """What was drawn as far as the draft holds; the finished request, if that was its last."""
        row, done = part.row, None
        for number, (token, logprob) in enumerate(drawn):
            self._drafts.note(row.recent, token)
            row.remember([token])
            done = part.request.take(token, logprob, self._end_ids)
            if done or part.draft[number : number + 1] != [token]:
                break
        row.length += len(row.feed) + number  # of the draft, what held is stored; the rest is overwritten
        row.feed = [token]  # read with whatever comes next: its keys are not stored yet
        if done:
            row.request = None
        return done

    def _forward(self, parts: Sequence[_Part]) -> Tensor:
        """Logits of the id after each conversation's last, and after each of its draft's."""
        ids_N = torch.tensor([id for part in parts for id in part.ids])
        runs = [Run(place=part.row.place, start=part.row.length, count=len(part.ids)) for part in parts]
        ends, asked = 0, list[int]()
        for part, run in zip(parts, runs, strict=True):
            ends += run.count
            asked += range(ends - len(part.draft) - 1, ends)
        begun = time.perf_counter()
        masks = self._attention.masks
        with self._attention.over(runs) as positions_N:
            hidden_1NE = self._body(
                input_ids=ids_N[None],
                position_ids=positions_N[None],
                attention_mask=masks if len(masks) > 1 else next(iter(masks.values())),
                use_cache=True,
                **{self._memory: self._attention},
            ).last_hidden_state
        logits_NV: Tensor = self._head(hidden_1NE[0, torch.tensor(asked)])
        self.model_seconds += time.perf_counter() - begun
        return logits_NV


def _batches(parts: Sequence[_Part]) -> Iterator[list[_Part]]:
    """All of them in order, cut where a forward pass would read too much."""
    batch, count = list[_Part](), 0
    for part in parts:
        if batch and count + len(part.ids) > MOST_IDS:
            yield batch
            batch, count = [], 0
        batch.append(part)
        count += len(part.ids)
    yield batch
