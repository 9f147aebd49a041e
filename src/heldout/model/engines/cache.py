"""Keys and values of many conversations, each row at a length of its own.

Dimensions: B rows, H key heads, L capacity, D head size, Q new positions.
A model writes into it through the one method that transformers calls, `update`.
"""

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor


@final
class SlotCache:
    """Per layer one buffer of keys and one of values; rows can change places so that those at work lie together."""

    is_compileable = False

    def __init__(self, *, layers: int, rows: int, heads: int, head_size: int, context: int, like: Tensor) -> None:
        self._context = context
        self._shape = (rows, heads, head_size)
        self._keys = [self._buffer(0, like) for _ in range(layers)]
        self._values = [self._buffer(0, like) for _ in range(layers)]
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

    def update(self, keys_BHQD: Tensor, values_BHQD: Tensor, layer: int, *_: object) -> tuple[Tensor, Tensor]:
        """Store what one layer computed; gives back all that its rows have."""
        keys, values = self._keys[layer], self._values[layer]
        keys[self._writes] = keys_BHQD.transpose(1, 2)
        values[self._writes] = values_BHQD.transpose(1, 2)
        return keys[:, :, : self._length][self._reads], values[:, :, : self._length][self._reads]

    def get_seq_length(self, layer: int = 0) -> int:
        """Asked for by transformers; positions are always given, so it decides nothing."""
        del layer
        return self._length

    def swap(self, one: int, other: int, length: int) -> None:
        """Two rows change places, as far as either is filled."""
        for buffer in (*self._keys, *self._values):
            kept = buffer[one, :, :length].clone()
            buffer[one, :, :length] = buffer[other, :, :length]
            buffer[other, :, :length] = kept

    def clear(self) -> None:
        """Gives the memory back; nothing that was stored is kept."""
        self._keys = [self._buffer(0, old) for old in self._keys]
        self._values = [self._buffer(0, old) for old in self._values]

    def _reserve(self, length: int) -> None:
        capacity = self._keys[0].shape[2]
        if length <= capacity:
            return
        # Twice as large each time, so that copying costs no more in all than filling; never past the context.
        grown = min(self._context, max(256, 2 * capacity, length))
        for buffers in (self._keys, self._values):
            for layer, old in enumerate(buffers):
                new = self._buffer(grown, old)
                new[:, :, :capacity] = old
                buffers[layer] = new

    def _buffer(self, length: int, like: Tensor) -> Tensor:
        rows, heads, head_size = self._shape
        return torch.zeros(rows, heads, length, head_size, dtype=like.dtype, device=like.device)
