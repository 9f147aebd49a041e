"""Keys and values of many conversations, each row at a length of its own.

Dimensions: B rows, H key heads, L capacity, D head size, Q new positions.
A model writes into it through the one method that transformers calls, `update`.
"""

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
        self._rows = torch.empty(0, dtype=torch.long)
        self._positions_BQ = torch.empty(0, dtype=torch.long)
        self._window = (0, 0, 0)

    def aim(self, first: int, positions_BQ: Tensor, length: int) -> None:
        """Where the next forward pass writes: rows from `first` on, at these positions; it sees `length` keys."""
        self._reserve(int(positions_BQ.max()) + 1)
        rows, device = positions_BQ.shape[0], positions_BQ.device
        self._rows = torch.arange(first, first + rows, device=device)[:, None].expand_as(positions_BQ)
        self._positions_BQ = positions_BQ
        self._window = (first, first + rows, length)

    def update(self, keys_BHQD: Tensor, values_BHQD: Tensor, layer: int, *_: object) -> tuple[Tensor, Tensor]:
        """Store what one layer computed; gives back all that its rows have."""
        first, last, length = self._window
        where = (self._rows, slice(None), self._positions_BQ)
        self._keys[layer][where] = keys_BHQD.transpose(1, 2)
        self._values[layer][where] = values_BHQD.transpose(1, 2)
        return self._keys[layer][first:last, :, :length], self._values[layer][first:last, :, :length]

    def get_seq_length(self, layer: int = 0) -> int:
        """Asked for by transformers; positions are always given, so it decides nothing."""
        del layer
        return self._window[2]

    def swap(self, one: int, other: int, length: int) -> None:
        """Two rows change places, as far as either is filled."""
        if one == other:
            return
        pair, reverse = [one, other], [other, one]
        for buffer in (*self._keys, *self._values):
            buffer[pair, :, :length] = buffer[reverse, :, :length]

    def _reserve(self, length: int) -> None:
        capacity = self._keys[0].shape[2]
        if length <= capacity:
            return
        grown = min(self._context, max(256, 2 * capacity, length))
        for buffers in (self._keys, self._values):
            for layer, old in enumerate(buffers):
                new = self._buffer(grown, old)
                new[:, :, :capacity] = old
                buffers[layer] = new

    def _buffer(self, length: int, like: Tensor) -> Tensor:
        rows, heads, head_size = self._shape
        return torch.zeros(rows, heads, length, head_size, dtype=like.dtype, device=like.device)
