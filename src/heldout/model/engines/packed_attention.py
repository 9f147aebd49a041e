"""Attention of ids that lie packed one after another, each run of them over the keys of its own conversation.

Dimensions: N packed ids, B rows of the cache, H key heads, G query heads of each, X all query heads, L capacity or
keys seen, Q ids of one run, D head size. Nothing is padded: a run reads the keys that it sees, where they lie.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from heldout.errors import HeldoutError
from heldout.model.engines.masks import CHUNKED, SLIDING, sizes_of, visible

NAME = "sdpa"
"""What transformers calls the attention whose place is taken; a model that asks for another is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Ids of one conversation that are read together."""

    place: int
    """The row of the cache."""
    start: int
    """Ids that the row had."""
    count: int


@final
class PackedAttention:
    """Stores keys and values of the runs that are being read, and computes attention in transformers' place.

    A model writes through `update`, which gives it the whole storage; it hands that to the attention it looks up by
    name. One that goes another way is refused.
    """

    is_compileable = False

    def __init__(self, model: Any, *, rows: int, context: int) -> None:
        self._rows, self._context, self._dtype = rows, context, model.dtype
        self._capacity = 0
        self._kinds = sizes_of(model.config.get_text_config())
        self.masks = {kind: torch.ones(1, 1, 1, 1, dtype=torch.bool) for kind in self._kinds}
        """What stands for each kind of attention: a model hands it on as it is."""
        self._layers = dict[int, tuple[Tensor, Tensor]]()
        """Keys and values, each B × H × L × D."""
        self._runs: Sequence[Run] = ()
        self._sights = dict[tuple[str, int], tuple[int, Tensor | None]]()
        self._places_N = self._positions_N = torch.empty(0, dtype=torch.long)
        self._stored = self._attended = 0
        self._plain: Any = ALL_ATTENTION_FUNCTIONS[NAME]
        """Transformers' own."""

    @contextmanager
    def over(self, runs: Sequence[Run]) -> Iterator[Tensor]:
        """In transformers' place while these runs are read; gives the positions of their ids, N."""
        self._reserve(max(run.start + run.count for run in runs))
        counts = torch.tensor([run.count for run in runs])
        firsts = counts.cumsum(0) - counts
        starts = torch.tensor([run.start for run in runs])
        self._positions_N = torch.arange(int(counts.sum())) + (starts - firsts).repeat_interleave(counts)
        self._places_N = torch.tensor([run.place for run in runs]).repeat_interleave(counts)
        self._plain = ALL_ATTENTION_FUNCTIONS[NAME]
        self._runs, self._sights, self._stored, self._attended = runs, {}, 0, 0
        AttentionInterface.register(NAME, self._attend)
        try:
            yield self._positions_N
        finally:
            AttentionInterface.register(NAME, self._plain)
        if not 0 < self._stored <= self._attended:
            raise HeldoutError(f"has layers whose attention is not looked up as {NAME!r}")

    def update(
        self, keys_1HND: Tensor, values_1HND: Tensor, layer: int, *_: object, **__: object
    ) -> tuple[Tensor, Tensor]:
        """Store what one layer computed; gives back the keys and values of all rows, each B × H × L × D."""
        if layer not in self._layers:
            self._layers[layer] = (self._buffer(keys_1HND), self._buffer(values_1HND))
        keys, values = self._layers[layer]
        keys[self._places_N, :, self._positions_N] = keys_1HND[0].transpose(0, 1)
        values[self._places_N, :, self._positions_N] = values_1HND[0].transpose(0, 1)
        self._stored += 1
        return keys, values

    def get_seq_length(self, layer: int = 0) -> int:
        """Asked for by transformers; positions are always given, so it decides nothing."""
        del layer
        return 0

    def clear(self) -> None:
        """Gives the memory back; nothing that was stored is kept."""
        self._layers = {}
        self._capacity = 0

    def _attend(
        self, module: Any, *states: Tensor, attention_mask: Tensor | None = None, **more: Any
    ) -> tuple[Tensor, None]:
        """What transformers' own would give for each run alone, 1 × N × heads × D; by another mask, that."""
        query_1XND, keys_BHLD, values_BHLD, *rest = states  # most give the mask as the fourth
        [mask] = rest if rest else [attention_mask]
        kind = next((name for name, own in self.masks.items() if own is mask), None)
        if kind is None:
            plain: tuple[Tensor, None] = self._plain(module, *states[:3], mask, **more)
            return plain
        mine = keys_BHLD.shape[0] == self._rows and keys_BHLD.shape[2] == self._capacity
        if not mine or more.get("position_bias") is not None or more.get("softcap") is not None:
            raise HeldoutError("has layers whose attention is none of stored keys alone")
        self._attended += 1
        _, heads, count, size = query_1XND.shape
        key_heads = keys_BHLD.shape[1]
        scale = size**-0.5 if more.get("scaling") is None else more["scaling"]
        query_NHGD = (query_1XND[0] * scale).transpose(0, 1).reshape(count, key_heads, heads // key_heads, size)
        out_NHGD = query_NHGD.new_empty(*query_NHGD.shape[:3], values_BHLD.shape[-1])
        first = 0
        for number, run in enumerate(self._runs):
            last = first + run.count
            low, hidden = self._sight(kind, number)
            seen = run.place, slice(None), slice(low, run.start + run.count)
            out_NHGD[first:last] = _attention(query_NHGD[first:last], keys_BHLD[seen], values_BHLD[seen], hidden)
            first = last
        return out_NHGD.view(1, count, heads, -1), None

    def _sight(self, kind: str, number: int) -> tuple[int, Tensor | None]:
        """The first key that a run reads, and what is added to its scores, Q × L; made once for all layers."""
        if (kind, number) not in self._sights:
            run = self._runs[number]
            low = self._lowest(kind, run.start)
            hidden = None if run.count == 1 else self._hidden(kind, run, low)
            self._sights[kind, number] = low, hidden
        return self._sights[kind, number]

    def _lowest(self, kind: str, position: int) -> int:
        """The first key that a position sees, or any after it."""
        size = self._kinds[kind]
        if kind == SLIDING:
            return max(0, position - size + 1)
        return position - position % size if kind == CHUNKED else 0

    def _hidden(self, kind: str, run: Run, low: int) -> Tensor:
        """0 for each key from `low` on that an id of a run sees, else -∞."""
        end = run.start + run.count
        keys_L, positions_Q = torch.arange(low, end), torch.arange(run.start, end)
        seen_QL = visible(kind, self._kinds[kind], keys_L, positions_Q[:, None])
        return torch.zeros(seen_QL.shape, dtype=self._dtype).masked_fill_(~seen_QL, -torch.inf)

    def _reserve(self, length: int) -> None:
        if length <= self._capacity:
            return
        old = self._capacity
        # Twice as large each time, so that copying costs no more in all than filling; never past the context.
        self._capacity = max(min(self._context, max(256, 2 * old)), length)
        for layer, (keys, values) in self._layers.items():
            more_keys, more_values = self._buffer(keys), self._buffer(values)
            more_keys[:, :, :old], more_values[:, :, :old] = keys, values
            self._layers[layer] = (more_keys, more_values)

    def _buffer(self, like_BHXD: Tensor) -> Tensor:
        """Empty: of no row more is read than was written."""
        _, heads, _, size = like_BHXD.shape
        return like_BHXD.new_empty(self._rows, heads, self._capacity, size)


def _attention(query_QHGD: Tensor, keys_HLD: Tensor, values_HLD: Tensor, hidden_QL: Tensor | None) -> Tensor:
    """Of one run, Q × H × G × D; the query is scaled already."""
    if hidden_QL is None:  # one id sees all of them: two products are faster than torch's own kernel
        scores_HGL = torch.bmm(query_QHGD[0], keys_HLD.transpose(1, 2))
        return torch.bmm(scores_HGL.softmax(-1), values_HLD)[None]
    query_1XQD = query_QHGD.flatten(1, 2).transpose(0, 1)[None]
    out_1XQD = scaled_dot_product_attention(
        query_1XQD, keys_HLD[None], values_HLD[None], attn_mask=hidden_QL, scale=1.0, enable_gqa=True
    )
    return out_1XQD[0].transpose(0, 1).reshape(*query_QHGD.shape[:3], -1)
