"""Which stored keys a position may see, for each kind of attention that a model's layers have.

Dimensions: B rows, Q new positions, L stored keys. The rules are those of transformers' `masking_utils`; a model
gets one mask, or one by name where its layers differ.
"""

from collections.abc import Mapping
from typing import Any, final

import torch
from torch import Tensor

from heldout.errors import HeldoutError

FULL, SLIDING, CHUNKED = "full_attention", "sliding_attention", "chunked_attention"


@final
class Masks:
    """The masks of one model."""

    def __init__(self, model: Any) -> None:
        config = model.config.get_text_config()
        self._kinds = sizes_of(config)
        self._dtype = model.dtype
        # The plain implementation adds a mask to the scores; torch's own takes what may be seen as it is.
        self._added = config._attn_implementation == "eager"

    def __call__(self, positions_BQ: Tensor, length: int) -> Tensor | dict[str, Tensor]:
        """B × 1 × Q × L, over the first `length` keys of each row."""
        masks = {kind: self._mask(kind, size, positions_BQ, length) for kind, size in self._kinds.items()}
        return next(iter(masks.values())) if len(masks) == 1 else masks

    def _mask(self, kind: str, size: int, positions_BQ: Tensor, length: int) -> Tensor:
        keys_L = torch.arange(length, device=positions_BQ.device)
        seen_B1QL = visible(kind, size, keys_L, positions_BQ[:, None, :, None])
        if not self._added:
            return seen_B1QL
        lowest = torch.finfo(self._dtype).min
        return torch.zeros_like(seen_B1QL, dtype=self._dtype).masked_fill(~seen_B1QL, lowest)


def visible(kind: str, size: int, keys: Tensor, positions: Tensor) -> Tensor:
    """Whether a position sees a key: none that comes later; of its window the last `size`; of chunks its own."""
    seen = keys <= positions
    if kind == SLIDING:
        return seen & (keys > positions - size)
    if kind == CHUNKED:
        own = seen & (keys // size == positions // size)
        # Padding may lie behind a chunk's end, where no key is stored: it must see some, or it would be no number.
        return own | (~own.any(-1, keepdim=True) & seen)
    return seen


def sizes_of(config: Any) -> Mapping[str, int]:
    """The kinds of attention that a model's layers have, and how far each sees (0: all).

    A layer that has no keys, or is of a kind that is not known here, is refused: no mask would be right.
    """
    sizes = {
        FULL: 0,
        SLIDING: getattr(config, "sliding_window", None) or 0,
        CHUNKED: getattr(config, "attention_chunk_size", None) or 0,
    }
    kinds = getattr(config, "layer_types", None) or [SLIDING if _is_sliding(config) else FULL]
    if strange := sorted({*kinds} - {*sizes}):
        raise HeldoutError(f"has layers of {', '.join(strange)}, which keep no keys by position")
    if lost := sorted({kind for kind in kinds if kind != FULL and not sizes[kind]}):
        raise HeldoutError(f"has layers of {', '.join(lost)} without a size")
    return {kind: sizes[kind] for kind in sorted({*kinds})}


def windows_of(config: Any) -> list[int]:
    """Every number in a configuration that may be how far a layer sees, in rising order.

    A name is all that tells: one too many makes a proof longer, one too few makes it worthless.
    """
    named = {
        value
        for name, value in config.get_text_config().to_dict().items()
        if ("window" in name or "chunk" in name) and type(value) is int and value > 0
    }
    return sorted(named)


def _is_sliding(config: Any) -> bool:
    return (
        bool(getattr(config, "sliding_window", None)) and getattr(config, "use_sliding_window", True) is not False
    )
