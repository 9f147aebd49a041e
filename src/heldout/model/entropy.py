"""How random a model is where it is to say something: exactly, from its logits, and not from what was drawn."""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from heldout.learn.batch import Sample, micro_batches
from heldout.model.head import body_of, head_of

POSITIONS = 1024
"""At how many positions the logits of all words are held at a time."""

Entropies = list[tuple[float, int]]
"""At each temperature: the sum over positions, in nats, and how many positions there are."""


def entropy(logits_NV: Tensor) -> Tensor:
    """Of each position's distribution, in nats."""
    logp_NV = logits_NV.log_softmax(-1)
    # Of a word that cannot be said, 0 × -inf is 0.
    return -(logp_NV.exp() * logp_NV.clamp(min=torch.finfo(logp_NV.dtype).min)).sum(-1)


@torch.no_grad()
def entropies(model: Any, samples: Iterable[Sample], temperatures: Sequence[float], batch_tokens: int) -> Entropies:
    """H(softmax(logits / T)) summed over the sampled positions of the sequences; at T = 0 it is 0.

    The positions are those that learning trains: the model reads the ids, and nothing is played.
    """
    head, sums, positions = head_of(model), torch.zeros(len(temperatures), dtype=torch.float64), 0
    for batch in micro_batches(samples, batch_tokens):
        own = batch.to(model.device)
        hidden_NE = body_of(model)(input_ids=own.ids_BT, use_cache=False).last_hidden_state[own.trained_BT]
        positions += len(hidden_NE)
        for part_NE in hidden_NE.split(POSITIONS):
            logits_NV = head(part_NE)
            sums += torch.tensor(
                [float(_entropy_at(logits_NV, each)) for each in temperatures], dtype=torch.float64
            )
    return [(each, positions) for each in sums.tolist()]


def divergence(logits_NV: Tensor, other_NV: Tensor) -> Tensor:
    """KL(p ‖ q) of each position, in nats: how much the second distribution has left of what the first says."""
    logp_NV, logq_NV = logits_NV.log_softmax(-1), other_NV.log_softmax(-1)
    least = torch.finfo(logp_NV.dtype).min  # of a word that the first cannot say, 0 × anything is 0
    return (logp_NV.exp() * (logp_NV.clamp(min=least) - logq_NV.clamp(min=least))).sum(-1)


@torch.no_grad()
def divergences(
    base: Any, trained: Any, samples: Iterable[Sample], temperature: float, batch_tokens: int
) -> Entropies:
    """KL(base ‖ trained) summed over the sampled positions of the sequences, of all words' logits at T.

    The sequences are the base's own, so their mean estimates its forward KL in its own states.
    """
    heads, whole, positions = (head_of(base), head_of(trained)), 0.0, 0
    for batch in micro_batches(samples, batch_tokens):
        own = batch.to(trained.device)
        hidden = [
            body_of(each)(input_ids=own.ids_BT, use_cache=False).last_hidden_state[own.trained_BT]
            for each in (base, trained)
        ]
        positions += len(hidden[0])
        for parts in zip(*(each.split(POSITIONS) for each in hidden), strict=True):
            p_NV, q_NV = (head(part) / temperature for head, part in zip(heads, parts, strict=True))
            whole += float(divergence(p_NV, q_NV).sum(dtype=torch.float64))
    return [(whole, positions)]


def total(parts: Iterable[Entropies]) -> Entropies:
    """Of several shares of the sequences together."""
    return [
        (sum(nats for nats, _ in shares), sum(count for _, count in shares)) for shares in zip(*parts, strict=True)
    ]


def _entropy_at(logits_NV: Tensor, temperature: float) -> Tensor | float:
    return entropy(logits_NV / temperature).sum(dtype=torch.float64) if temperature else 0.0
