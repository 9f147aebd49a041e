"""Attention of ids that lie packed one after another, each run of them over the stored keys of its own conversation.

Dimensions: N packed ids, B rows of the cache, H key heads, G query heads of each, L capacity or keys seen, Q ids of
one run, D head size. Nothing is padded: a run sees the keys that its conversation has, where they lie.
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
from heldout.model.engines.masks import CHUNKED, FULL, SLIDING, sizes_of, visible

NAME = "sdpa"
"""What transformers calls the attention whose place is taken; a model that asks for another is refused."""
MOST_SCORES = 400_000
"""Scores of one run that are written down; where there are more, torch's own kernel goes through them in blocks."""


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

    def __init__(self, config: Any, *, rows: int, context: int) -> None:
        self._rows, self._context = rows, context
        self._capacity = 0
        self._kinds = sizes_of(config)
        self.masks = {kind: torch.ones(1, 1, 1, 1, dtype=torch.bool) for kind in self._kinds}
        """What stands for each kind of attention: a model hands it on as it is."""
        self._layers = dict[int, tuple[Tensor, Tensor]]()
        """Keys, B × H × D × L, and values, B × H × L × D."""
        self._runs: Sequence[Run] = ()
        self._places_N = self._positions_N = torch.empty(0, dtype=torch.long)
        self._stored = self._attended = 0

    @contextmanager
    def over(self, runs: Sequence[Run]) -> Iterator[Tensor]:
        """In transformers' place while these runs are read; gives the positions of their ids, N."""
        self._reserve(max(run.start + run.count for run in runs))
        counts = torch.tensor([run.count for run in runs])
        firsts = counts.cumsum(0) - counts
        starts = torch.tensor([run.start for run in runs])
        self._positions_N = torch.arange(int(counts.sum())) + (starts - firsts).repeat_interleave(counts)
        self._places_N = torch.tensor([run.place for run in runs]).repeat_interleave(counts)
        self._runs, self._stored, self._attended = runs, 0, 0
        before = ALL_ATTENTION_FUNCTIONS[NAME]
        AttentionInterface.register(NAME, self._attend)
        try:
            yield self._positions_N
        finally:
            AttentionInterface.register(NAME, before)
        if not 0 < self._stored <= self._attended:
            raise HeldoutError(f"has layers whose attention is not looked up as {NAME!r}")

    def update(
        self, keys_1HND: Tensor, values_1HND: Tensor, layer: int, *_: object, **__: object
    ) -> tuple[Tensor, Tensor]:
        """Store what one layer computed; gives back the keys and values of all rows, each B × H × L × D."""
        if layer not in self._layers:
            _, heads, _, size = keys_1HND.shape
            self._layers[layer] = (
                keys_1HND.new_zeros(self._rows, heads, size, self._capacity),
                values_1HND.new_zeros(self._rows, heads, self._capacity, values_1HND.shape[-1]),
            )
        keys, values = self._layers[layer]
        keys[self._places_N, :, :, self._positions_N] = keys_1HND[0].transpose(0, 1)
        values[self._places_N, :, self._positions_N] = values_1HND[0].transpose(0, 1)
        self._stored += 1
        return keys.transpose(2, 3), values

    def get_seq_length(self, layer: int = 0) -> int:
        """Asked for by transformers; positions are always given, so it decides nothing."""
        del layer
        return 0

    def clear(self) -> None:
        """Gives the memory back; nothing that was stored is kept."""
        self._layers = {}
        self._capacity = 0

    def _attend(
        self,
        module: Any,
        query_1XND: Tensor,
        keys_BHLD: Tensor,
        values_BHLD: Tensor,
        attention_mask: Tensor | None,
        dropout: float = 0.0,
        scaling: float | None = None,
        **more: Any,
    ) -> tuple[Tensor, None]:
        """What transformers' own would give for each run alone: 1 × N × heads × D."""
        del module, dropout
        kind = next((name for name, mask in self.masks.items() if mask is attention_mask), None)
        mine = keys_BHLD.shape[0] == self._rows and keys_BHLD.shape[2] == self._capacity
        if kind is None or not mine or more.get("position_bias") is not None or more.get("softcap") is not None:
            raise HeldoutError("has layers whose attention is none of stored keys alone")
        self._attended += 1
        _, heads, count, size = query_1XND.shape
        key_heads = keys_BHLD.shape[1]
        scale = size**-0.5 if scaling is None else scaling
        query_NHGD = (query_1XND[0] * scale).transpose(0, 1).reshape(count, key_heads, heads // key_heads, size)
        out_NHGD = query_NHGD.new_empty(*query_NHGD.shape[:3], values_BHLD.shape[-1])
        first = 0
        for run in self._runs:
            low = self._lowest(kind, run.start)
            end = run.start + run.count
            place = run.place
            keys_HLD, values_HLD = keys_BHLD[place, :, low:end], values_BHLD[place, :, low:end]
            last = first + run.count
            query_QHGD = query_NHGD[first:last]
            if heads * run.count * (end - low) <= MOST_SCORES:
                hidden = None if run.count == 1 else self._hidden(kind, run, low)
                out_NHGD[first:last] = _by_hand(query_QHGD, keys_HLD, values_HLD, hidden)
            else:
                seen = None if kind == FULL and run.start == 0 else ~self._hidden(kind, run, low)
                out_NHGD[first:last] = _in_blocks(query_QHGD, keys_HLD, values_HLD, seen)
            first = last
        return out_NHGD.view(1, count, heads, -1), None

    def _lowest(self, kind: str, position: int) -> int:
        """The first key that a position sees, or any after it."""
        size = self._kinds[kind]
        if kind == SLIDING:
            return max(0, position - size + 1)
        return position - position % size if kind == CHUNKED else 0

    def _hidden(self, kind: str, run: Run, low: int) -> Tensor:
        """Which keys from `low` on each id of a run does not see, Q × L."""
        end = run.start + run.count
        keys_L, positions_Q = torch.arange(low, end), torch.arange(run.start, end)
        return ~visible(kind, self._kinds[kind], keys_L, positions_Q[:, None])

    def _reserve(self, length: int) -> None:
        if length <= self._capacity:
            return
        old = self._capacity
        # Twice as large each time, so that copying costs no more in all than filling; never past the context.
        self._capacity = max(min(self._context, max(256, 2 * old)), length)
        for layer, (keys, values) in self._layers.items():
            more_keys = keys.new_zeros(*keys.shape[:3], self._capacity)
            more_values = values.new_zeros(*values.shape[:2], self._capacity, values.shape[3])
            more_keys[..., :old], more_values[:, :, :old] = keys, values
            self._layers[layer] = (more_keys, more_values)


def _by_hand(query_QHGD: Tensor, keys_HLD: Tensor, values_HLD: Tensor, hidden_QL: Tensor | None) -> Tensor:
    """Attention by two products, Q × H × G × D: the query heads of a key head are read as so many queries."""
    count, key_heads, group, size = query_QHGD.shape
    query_HXD = query_QHGD.transpose(0, 1).reshape(key_heads, count * group, size)
    scores_HXL = torch.bmm(query_HXD, keys_HLD.transpose(1, 2))
    if hidden_QL is not None:
        scores_HXL.view(key_heads, count, group, -1).masked_fill_(hidden_QL[:, None], -torch.inf)
    out_HXD = torch.bmm(scores_HXL.softmax(-1), values_HLD)
    return out_HXD.view(key_heads, count, group, -1).transpose(0, 1)


def _in_blocks(query_QHGD: Tensor, keys_HLD: Tensor, values_HLD: Tensor, seen_QL: Tensor | None) -> Tensor:
    """The same by torch's own kernel, whose memory does not grow with Q × L."""
    query_1XQD = query_QHGD.flatten(1, 2).transpose(0, 1)[None]
    out_1XQD = scaled_dot_product_attention(
        query_1XQD,
        keys_HLD.contiguous()[None],
        values_HLD[None],
        attn_mask=seen_QL,
        is_causal=seen_QL is None,
        scale=1.0,
        enable_gqa=True,
    )
    return out_1XQD[0].transpose(0, 1).view(*query_QHGD.shape[:3], -1)
