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


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One sequence to learn from."""

    ids: tuple[int, ...]
    weights: tuple[float, ...]
    """What each id's loss counts in the sum of the whole batch; 0 for what was only read."""
    logprobs: tuple[float, ...] = ()
    """Of each id when it was sampled (0 for what was only read); empty where nothing was sampled."""
    advantage: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A micro-batch of B rows, and its N trained tokens in reading order."""

    ids_BT: Tensor
    trained_BT: Tensor
    """True at a position whose *next* id is trained."""
    targets_N: Tensor
    weights_N: Tensor
    advantage_N: Tensor
    rollout_logp_N: Tensor

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
    trajectories: Sequence[Trajectory], advantages: Sequence[float], average: str = "sequence"
) -> list[Sample]:
    """What a batch of trajectories teaches; the weights of all sampled tokens sum to 1.

    A trajectory without any sampled token teaches nothing and is left out. `average` is `sequence`
    (a mean over each sequence's tokens, then over sequences) or `token`.
    """
    parts = [sequence_of(trajectory) for trajectory in trajectories]
    counts = [sum(sampled) for _, sampled, _ in parts]
    every, sequences = sum(counts), sum(count > 0 for count in counts)
    samples = list[Sample]()
    for (ids, sampled, logprobs), count, advantage in zip(parts, counts, advantages, strict=True):
        if not count:
            continue
        each = 1 / every if average == "token" else 1 / (count * sequences)
        samples.append(
            Sample(
                ids=tuple(ids),
                weights=tuple(each if s else 0.0 for s in sampled),
                logprobs=tuple(logprobs),
                advantage=advantage,
            )
        )
    return samples


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
    logp_BT = torch.zeros(len(rows), longest)
    for index, row in enumerate(rows):
        ids_BT[index, : len(row.ids)] = torch.tensor(row.ids)
        weights_BT[index, : len(row.ids)] = torch.tensor(row.weights)
        if row.logprobs:
            logp_BT[index, : len(row.ids)] = torch.tensor(row.logprobs)
    trained_BT = torch.zeros_like(ids_BT, dtype=torch.bool)
    trained_BT[:, :-1] = weights_BT[:, 1:] > 0
    advantage_B = torch.tensor([row.advantage for row in rows])
    return Batch(
        ids_BT=ids_BT,
        trained_BT=trained_BT,
        targets_N=ids_BT[:, 1:][trained_BT[:, :-1]],
        weights_N=weights_BT[:, 1:][trained_BT[:, :-1]],
        advantage_N=advantage_B[:, None].expand_as(ids_BT)[trained_BT],
        rollout_logp_N=logp_BT[:, 1:][trained_BT[:, :-1]],
    )
