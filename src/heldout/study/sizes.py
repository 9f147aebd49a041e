"""How much memory a model needs to play and to learn, and how large its checkpoints are: computed, not loaded."""

import re
from dataclasses import dataclass
from math import prod
from pathlib import Path

from safetensors import safe_open

from heldout.config import Config
from heldout.learn.methods import method_of
from heldout.model.folder import CONFIG, read_object, weight_files
from heldout.model.load import hub_name_of, place_of

LEARNING = 23
"""Bytes a parameter that learning takes at most beside activations: weights, gradients, AdamW's two and what is
moved between them (measured on 3B: 22 to 23)."""

STATE = 8
"""Bytes a parameter of AdamW's two moments in a checkpoint."""

WIDTHS = {"cpu": 4, "cuda": 2}
"""Bytes of a number where a model is held."""

PROCESS = 400e6
"""Bytes of a process that holds no model yet: an interpreter, torch, and environments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Of one model; bytes."""

    parameters: float
    said_by: str
    """What tells how many there are: `its files`, or `its name`."""
    playing: float
    """Weights, and the keys and values of as many conversations as are in flight, each as long as it may be."""
    learning: float
    """On one device, activations apart."""
    checkpoint: float


def sizes_of(model: str, config: Config, device: str, processes: int) -> Sizes | None:
    """A model's; None where neither its files are here nor its name says how large it is.

    Nothing is fetched. Each process holds the whole model.
    """
    place = None if hub_name_of(model) else place_of(model)
    parameters = _in_files(place) if place else _in_name(model)
    if not parameters:
        return None
    width = WIDTHS[device]
    cache = config.slots * _cache_of_a_token(place, width) * config.limits.response_budget if place else 0.0
    reference = parameters * width if method_of(config.train).kl else 0.0
    return Sizes(
        parameters=parameters,
        said_by="its files" if place else "its name",
        playing=processes * (PROCESS + parameters * width + cache),
        learning=processes * (PROCESS + parameters * LEARNING + reference),
        checkpoint=parameters * (width + STATE),
    )


def _in_files(place: Path) -> float:
    """Numbers in the weights' headers."""
    if place.is_file():
        return 0.0
    found = 0
    for path in weight_files(place):
        with safe_open(path, framework="numpy") as weights:
            found += sum(prod(weights.get_slice(name).get_shape()) for name in weights.keys())  # noqa: SIM118
    return float(found)


def _in_name(model: str) -> float | None:
    """`Qwen2.5-3B-Instruct` has 3 billion."""
    found = re.search(r"(?<![A-Za-z0-9.])(\d+(?:\.\d+)?)([BM])(?![A-Za-z0-9])", model, re.IGNORECASE)
    return float(found[1]) * {"B": 1e9, "M": 1e6}[found[2].upper()] if found else None


def _cache_of_a_token(place: Path, width: int) -> float:
    """Bytes of a token's keys and values; 0 where config.json does not tell."""
    known = read_object(place / CONFIG)
    heads = known.get("num_attention_heads") or 1
    size = known.get("head_dim") or (known.get("hidden_size") or 0) // heads
    return 2.0 * (known.get("num_hidden_layers") or 0) * (known.get("num_key_value_heads") or heads) * size * width
