"""Rows that share a micro-batch do not know each other, and nobody knows what stands in the padding."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
import torch
from torch import Tensor

from heldout.backend.worker import Worker, WorkerConfig
from heldout.config import Source
from heldout.learn.batch import Sample, batch_of, micro_batches
from heldout.learn.methods import Method
from heldout.model.learner import Objective

EVERYTHING = Objective(lr=0.0, method=Method(kl=0.1), entropy=0.05, temperature=0.8, max_grad_norm=1e9)
"""All terms of the loss, and nothing changed."""
SEEDS = range(5)


@pytest.fixture(scope="module")
def moved(tiny: Path) -> Worker:
    """The tiny model, a little away from its reference."""
    worker = Worker(WorkerConfig(model=str(tiny), source=Source(), reference=str(tiny)))
    with torch.no_grad():
        for parameter in worker.model.parameters():
            parameter *= 1.05
    return worker


def rows(rng: Random, worker: Worker) -> list[Sample]:
    """Of like lengths, the shortest first; in each, turns are read and sampled by chance."""
    made = list[Sample]()
    for length in sorted(rng.sample(range(36, 41), 4)):
        said = [False] * 4 + [rng.random() < 0.5 for _ in range(length - 4)]
        sample = Sample(
            ids=ids(rng, worker, length),
            weights=tuple(rng.uniform(0.01, 0.1) if each else 0.0 for each in said),
            logprobs=tuple(-rng.uniform(0.0, 8.0) if each else 0.0 for each in said),
            advantage=rng.uniform(-2.0, 2.0),
        )
        made.append(sample)
    assert len(micro_batches(made, EVERYTHING.batch_tokens)) == 1
    return made


def ids(rng: Random, worker: Worker, count: int) -> tuple[int, ...]:
    return tuple(rng.randrange(worker.model.config.vocab_size) for _ in range(count))


def read(sample: Sample) -> Sample:
    """The same row, of which nothing is trained."""
    return replace(sample, weights=(0.0,) * len(sample.ids))


def but(samples: Sequence[Sample], at: int, row: Sample) -> list[Sample]:
    return [*samples[:at], row, *samples[at + 1 :]]


def padded(sample: Sample, more: tuple[int, ...]) -> Sample:
    """The row with more ids after its end, which are only read."""
    nothing = (0.0,) * len(more)
    return replace(
        sample, ids=sample.ids + more, weights=sample.weights + nothing, logprobs=sample.logprobs + nothing
    )


def gradient(worker: Worker, samples: Sequence[Sample]) -> Tensor:
    worker.learn(samples, EVERYTHING)
    return torch.cat([p.grad.flatten() for p in worker.model.parameters()])


def logits(worker: Worker, samples: Sequence[Sample]) -> list[Tensor]:
    """Of each row, at its own positions."""
    with torch.no_grad():
        out = worker.model(input_ids=batch_of(samples).ids_BT).logits
    return [row[: len(sample.ids)] for row, sample in zip(out, samples, strict=True)]


@pytest.mark.parametrize("seed", SEEDS)
def test_another_rows_ids_change_no_log_probability_of_mine(moved: Worker, seed: int) -> None:
    rng = Random(seed)
    samples = rows(rng, moved)
    before = logits(moved, samples)
    for at, sample in enumerate(samples):
        other = replace(sample, ids=ids(rng, moved, len(sample.ids)))
        after = logits(moved, but(samples, at, other))
        assert [torch.equal(*pair) for pair in zip(before, after, strict=True)] == [
            row != at for row in range(len(samples))
        ]


@pytest.mark.parametrize("seed", SEEDS)
def test_another_rows_ids_change_no_gradient_of_mine(moved: Worker, seed: int) -> None:
    """Of a row without weights nothing is trained: the gradient is that of the other rows, bit for bit."""
    rng = Random(seed)
    samples = rows(rng, moved)
    for at, sample in enumerate(samples):
        other = replace(sample, ids=ids(rng, moved, len(sample.ids)))
        mine = gradient(moved, but(samples, at, read(sample)))
        assert torch.equal(gradient(moved, but(samples, at, read(other))), mine)
        assert not torch.equal(gradient(moved, but(samples, at, other)), gradient(moved, samples))


@pytest.mark.parametrize("seed", SEEDS)
def test_what_stands_in_the_padding_changes_nothing(moved: Worker, seed: int) -> None:
    rng = Random(seed)
    samples = rows(rng, moved)
    longest = len(samples[-1].ids)
    filled = [padded(sample, ids(rng, moved, longest - len(sample.ids))) for sample in samples]
    assert not torch.equal(batch_of(filled).ids_BT, batch_of(samples).ids_BT)
    assert torch.equal(gradient(moved, filled), gradient(moved, samples))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_batch_has_the_gradient_of_its_rows_one_by_one(moved: Worker, seed: int) -> None:
    samples = rows(Random(seed), moved)
    together = gradient(moved, samples)
    alone = torch.stack([gradient(moved, [sample]) for sample in samples]).sum(0)
    assert float((together - alone).norm() / together.norm()) < 1e-5
