"""Trajectories as rows of ids, cut into micro-batches of like lengths by a budget of tokens.

Rows are padded on the right and attention is causal, so no id of one row, and no padding, is ever
seen by another: no mask is needed, and none can be wrong.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from heldout.records import Trajectory

PADDING = 0.1
"""The share of a micro-batch that padding may be."""

Advantage = float | tuple[float, ...]
"""Of a whole trajectory, or one for each token that it sampled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One sequence to learn from."""

    ids: tuple[int, ...]
    weights: tuple[float, ...]
    """What each id's loss counts in the sum of the whole batch; 0 for what was only read."""
    kl_weights: tuple[float, ...] = ()
    """What each id counts in the KL term; empty is as `weights`."""
    logprobs: tuple[float, ...] = ()
    """Of each id when it was sampled (0 for what was only read); empty where nothing was sampled."""
    advantage: Advantage = 1.0
    """Of all ids alike, or one for each id (whatever it is of what was only read)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A micro-batch of B rows, and its N trained tokens in reading order."""

    ids_BT: Tensor
    trained_BT: Tensor
    """True at a position whose *next* id is trained."""
    targets_N: Tensor
    weights_N: Tensor
    kl_weights_N: Tensor
    advantage_N: Tensor
    rollout_logp_N: Tensor
    row_N: Tensor
    """Which of the B rows a token is of."""

    def to(self, device: torch.device) -> "Batch":
        """The same batch on a device."""
        return Batch(**{name: getattr(self, name).to(device) for name in self.__slots__})


def sequence_of(trajectory: Trajectory) -> tuple[list[int], list[bool], list[float]]:
    """All ids of a trajectory, which of them were sampled, and their log-probabilities (0 for the read ones)."""
    ids, sampled, logprobs = list[int](), list[bool](), list[float]()
    for turn in trajectory.turns:
        reply = turn.reply
        ids += [*reply.context_ids, *reply.token_ids]
        sampled += [False] * len(reply.context_ids) + [True] * len(reply.token_ids)
        logprobs += [0.0] * len(reply.context_ids) + list(reply.logprobs)
    return ids, sampled, logprobs


def samples_of(
    trajectories: Sequence[Trajectory], advantages: Sequence[Advantage], aggregation: str = "sequence"
) -> list[Sample]:
    """What a batch of trajectories teaches; the weights of all sampled tokens sum to 1.

    A trajectory without any sampled token teaches nothing and is left out. `aggregation` is `sequence` or `token`.
    """
    counts = [trajectory.generated_tokens for trajectory in trajectories]
    taught = [count > 0 for count in counts]
    weights = weigh(counts, taught, aggregation)
    return [
        sample_of(trajectory, weight, weight, advantage)
        for trajectory, weight, advantage, own in zip(trajectories, weights, advantages, taught, strict=True)
        if own
    ]


def sample_of(trajectory: Trajectory, weight: float, kl_weight: float, advantage: Advantage) -> Sample:
    """A trajectory as a sequence to learn from: what each of its sampled tokens counts, and its advantage."""
    ids, sampled, logprobs = sequence_of(trajectory)
    return Sample(
        ids=tuple(ids),
        weights=tuple(weight if own else 0.0 for own in sampled),
        kl_weights=() if kl_weight == weight else tuple(kl_weight if own else 0.0 for own in sampled),
        logprobs=tuple(logprobs),
        advantage=_of_ids(advantage, sampled),
    )


def weigh(counts: Sequence[int], counted: Sequence[bool], aggregation: str, length: int = 0) -> list[float]:
    """What one token of each sequence weighs in a mean over those that are counted, from how many it sampled.

    `sequence`: a mean over each sequence's tokens, then over sequences, as DeepSeekMath has it in Eq. 5.
    `token`: a mean over all tokens of the batch, so that long sequences count for more. `constant`: the sum of
    each sequence over one `length`, then a mean over sequences (Dr. GRPO).
    """
    own = [count for count, taken in zip(counts, counted, strict=True) if taken]
    match aggregation:
        case "sequence":
            each = [1 / (count * len(own)) if taken else 0.0 for count, taken in zip(counts, counted, strict=True)]
        case "token":
            each = [1 / sum(own) if taken else 0.0 for taken in counted]
        case _:
            each = [1 / (length * len(own)) if taken else 0.0 for taken in counted]
    return each


def _of_ids(advantage: Advantage, sampled: Sequence[bool]) -> Advantage:
    """One number as it is; those of the sampled tokens spread over all ids, 0 where an id was only read."""
    if isinstance(advantage, float | int):
        return advantage
    own = iter(advantage)
    spread = tuple(next(own) if each else 0.0 for each in sampled)
    if next(own, None) is not None:
        raise ValueError(f"{len(advantage)} advantages for {sum(sampled)} sampled tokens")
    return spread


def micro_batches(samples: Iterable[Sample], budget: int) -> list[Batch]:
    """Batches of like lengths, each of at most `budget` ids padding included (a longer row goes alone).

    A batch also ends where the next row would leave more than `PADDING` of it to padding.
    """
    batches, rows, ids = list[Batch](), list[Sample](), 0
    for sample in sorted(samples, key=lambda sample: len(sample.ids)):
        padded = len(sample.ids) * (len(rows) + 1)
        if rows and (padded > budget or padded * (1 - PADDING) > ids + len(sample.ids)):
            batches.append(batch_of(rows))
            rows, ids = [], 0
        rows.append(sample)
        ids += len(sample.ids)
    return [*batches, batch_of(rows)] if rows else batches


def batch_of(rows: Sequence[Sample]) -> Batch:
    """The rows as tensors, padded on the right."""
    longest = max(len(row.ids) for row in rows)
    ids_BT = torch.zeros(len(rows), longest, dtype=torch.long)
    weights_BT = torch.zeros(len(rows), longest)
    kl_weights_BT = torch.zeros(len(rows), longest)
    logp_BT = torch.zeros(len(rows), longest)
    advantage_BT = torch.zeros(len(rows), longest)
    for index, row in enumerate(rows):
        ids_BT[index, : len(row.ids)] = torch.tensor(row.ids)
        weights_BT[index, : len(row.ids)] = torch.tensor(row.weights)
        kl_weights_BT[index, : len(row.ids)] = torch.tensor(row.kl_weights or row.weights)
        advantage_BT[index, : len(row.ids)] = torch.tensor(row.advantage)
        if row.logprobs:
            logp_BT[index, : len(row.ids)] = torch.tensor(row.logprobs)
    trained_BT = torch.zeros_like(ids_BT, dtype=torch.bool)
    trained_BT[:, :-1] = (weights_BT[:, 1:] > 0) | (kl_weights_BT[:, 1:] > 0)
    return Batch(
        ids_BT=ids_BT,
        trained_BT=trained_BT,
        targets_N=ids_BT[:, 1:][trained_BT[:, :-1]],
        weights_N=weights_BT[:, 1:][trained_BT[:, :-1]],
        kl_weights_N=kl_weights_BT[:, 1:][trained_BT[:, :-1]],
        advantage_N=advantage_BT[:, 1:][trained_BT[:, :-1]],
        rollout_logp_N=logp_BT[:, 1:][trained_BT[:, :-1]],
        row_N=trained_BT.nonzero()[:, 0],
    )
