"""Keys and values of many conversations, each row at a length of its own.

Dimensions: B rows, H key heads, L capacity, D head size, Q new positions.
A model writes into it through the one method that transformers calls, `update`; how many heads a layer has, and how
large its keys and its values are, is seen when it first writes.
"""

from collections.abc import Sequence
from inspect import signature
from typing import Any, final

import torch
from torch import Tensor

MEMORIES = ("cache", "past_key_values", "cache_params", "state")
"""What models call their memory, where they take it and give it back: since transformers 5.24, before it, and
those that hold states instead of keys."""


def memory_name(body: Any) -> str:
    """What a model's body calls its memory."""
    takes = signature(body.forward).parameters
    return next((name for name in MEMORIES if name in takes), MEMORIES[1])


@final
class SlotCache:
    """Per layer one buffer of keys and one of values; rows can change places so that those at work lie together."""

    is_compileable = False

    def __init__(self, *, rows: int, context: int) -> None:
        self._context = context
        self._rows = rows
        self._capacity = 0
        self._layers = dict[int, tuple[Tensor, Tensor]]()
        """Keys and values, each B × H × L × D."""
        self._reads: slice | Tensor = slice(0)
        self._writes = (torch.empty(0, dtype=torch.long), slice(None), torch.empty(0, dtype=torch.long))
        self._length = 0

    def aim(self, rows: Sequence[int], positions_BQ: Tensor, length: int) -> None:
        """Where the next forward pass writes: into these rows at these positions; it sees `length` keys of each.

        A position may be `length` itself: what is written there is not seen. Rows that lie side by side
        are read where they are, others are copied together.
        """
        self._reserve(length + 1)
        rows_B = torch.tensor(rows, device=positions_BQ.device)
        side_by_side = range(rows[0], rows[0] + len(rows))
        # A slice is a view; picking rows by their numbers would copy all their keys and values for every token.
        self._reads = slice(side_by_side.start, side_by_side.stop) if [*side_by_side] == [*rows] else rows_B
        self._writes = (rows_B[:, None].expand_as(positions_BQ), slice(None), positions_BQ)
        self._length = length

    def update(
        self, keys_BHQD: Tensor, values_BHQD: Tensor, layer: int, *_: object, **__: object
    ) -> tuple[Tensor, Tensor]:
        """Store what one layer computed; gives back all that its rows have.

        What else a version of transformers passes is for caches that have one length for all rows.
        """
        if layer not in self._layers:
            self._layers[layer] = (self._buffer(keys_BHQD), self._buffer(values_BHQD))
        keys, values = self._layers[layer]
        keys[self._writes] = keys_BHQD.transpose(1, 2)
        values[self._writes] = values_BHQD.transpose(1, 2)
        return keys[:, :, : self._length][self._reads], values[:, :, : self._length][self._reads]

    def get_seq_length(self, layer: int = 0) -> int:
        """Asked for by transformers; positions are always given, so it decides nothing."""
        del layer
        return self._length

    def swap(self, one: int, other: int, length: int) -> None:
        """Two rows change places, as far as either is filled."""
        for layer in self._layers.values():
            for buffer in layer:
                kept = buffer[one, :, :length].clone()
                buffer[one, :, :length] = buffer[other, :, :length]
                buffer[other, :, :length] = kept

    def clear(self) -> None:
        """Gives the memory back; nothing that was stored is kept."""
        self._layers = {}
        self._capacity = 0

    def _reserve(self, length: int) -> None:
        if length <= self._capacity:
            return
        old = self._capacity
        # Twice as large each time, so that copying costs no more in all than filling; never past the context, but
        # for the one place behind it that nothing sees.
        self._capacity = max(min(self._context, max(256, 2 * old)), length)
        for layer, buffers in self._layers.items():
            keys, values = (self._buffer(buffer) for buffer in buffers)
            keys[:, :, :old], values[:, :, :old] = buffers
            self._layers[layer] = (keys, values)

    def _buffer(self, like_BHXD: Tensor) -> Tensor:
        _, heads, _, size = like_BHXD.shape
        return like_BHXD.new_zeros(self._rows, heads, self._capacity, size)
