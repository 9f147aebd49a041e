"""Entropies read from a model's logits: by hand, and of two models in the same states."""

import copy
from collections.abc import Iterator
from math import log
from pathlib import Path

import pytest
import torch

from heldout.backend.processes import ProcessBackend
from heldout.backend.worker import Worker, WorkerConfig
from heldout.config import Source
from heldout.errors import HeldoutError
from heldout.learn.batch import Sample
from heldout.model.entropy import POSITIONS, divergence, divergences, entropies, entropy, total


def sample(length: int, sampled: int) -> Sample:
    """The last ids of so many were sampled."""
    ids = tuple(5 + (7 * at + 31 * length) % 400 for at in range(length))
    return Sample(ids=ids, weights=(0.0,) * (length - sampled) + (1.0,) * sampled)


SAMPLES = [sample(6, 2), sample(40, 11), sample(40, 1), sample(17, 16)]


def by_hand(model: object, samples: list[Sample], temperature: float) -> tuple[float, int]:
    """One sequence at a time, one position after another, in double precision."""
    nats, count = 0.0, 0
    for each in samples:
        logits = model(input_ids=torch.tensor([each.ids])).logits[0].double()  # type: ignore[operator]
        for at in range(1, len(each.ids)):
            if each.weights[at]:
                p = (logits[at - 1] / temperature).softmax(-1)
                nats, count = nats - float((p * p.log()).nan_to_num().sum()), count + 1
    return nats, count


@torch.no_grad()
def test_entropies_are_those_of_the_sampled_positions(worker: Worker) -> None:
    temperatures = [0.5, 1.0, 1.7]
    found = worker.entropies(SAMPLES, temperatures)
    for (nats, count), temperature in zip(found, temperatures, strict=True):
        expected, positions = by_hand(worker.model, SAMPLES, temperature)
        assert count == positions == 30
        assert nats == pytest.approx(expected, rel=1e-5)
    assert worker.entropies(SAMPLES, [0.0]) == [(0.0, 30)]


def test_how_the_sequences_are_cut_changes_nothing(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = worker.entropies(SAMPLES, [0.8])
    monkeypatch.setattr("heldout.model.entropy.POSITIONS", 3)
    assert POSITIONS > 30
    [(nats, count)] = worker.entropies(SAMPLES, [0.8], batch_tokens=10)
    assert count == 30
    assert nats == pytest.approx(whole[0][0], rel=1e-5)
    assert entropies(worker.model, [], [1.0, 2.0], 100) == [(0.0, 0), (0.0, 0)]


def test_a_fair_choice_of_four_is_log_four() -> None:
    logits = torch.tensor([[0.0, 0.0, 0.0, 0.0], [0.0, -torch.inf, 0.0, -torch.inf]])
    assert entropy(logits).tolist() == pytest.approx([log(4), log(2)])
    assert total([[(1.0, 2), (3.0, 2)], [(0.5, 1), (0.25, 1)]]) == [(1.5, 3), (3.25, 3)]


def test_a_divergence_is_of_the_first_from_the_second_and_nothing_where_the_first_says_nothing() -> None:
    half, uneven = torch.tensor([[0.5, 0.5]]).log(), torch.tensor([[0.25, 0.75]]).log()
    assert divergence(half, uneven).tolist() == pytest.approx([0.5 * log(2) + 0.5 * log(2 / 3)])
    assert divergence(uneven, half).tolist() == pytest.approx([0.25 * log(1 / 2) + 0.75 * log(3 / 2)])
    assert divergence(half, half).tolist() == [0.0]
    never = torch.tensor([[0.0, -torch.inf]])
    assert divergence(never, half).tolist() == pytest.approx([log(2)])
    assert divergence(never, never).tolist() == [0.0]


@torch.no_grad()
def test_the_divergence_of_two_models_is_that_at_the_sampled_positions(worker: Worker) -> None:
    other = copy.deepcopy(worker.model)
    for weights in other.parameters():
        weights.mul_(1.2)
    expected = 0.0
    for each in SAMPLES:
        p, q = (
            (model(input_ids=torch.tensor([each.ids])).logits[0].double() / 0.8).log_softmax(-1)
            for model in (worker.model, other)
        )
        for at in range(1, len(each.ids)):
            if each.weights[at]:
                expected += float((p[at - 1].exp() * (p[at - 1] - q[at - 1])).sum())
    [(nats, count)] = divergences(worker.model, other, SAMPLES, 0.8, 50)
    assert count == 30
    assert nats == pytest.approx(expected, rel=1e-4)
    assert nats > 0.01
    assert divergences(worker.model, worker.model, SAMPLES, 1.0, 50) == [(0.0, 30)]
    with pytest.raises(HeldoutError, match="a divergence needs a reference model"):
        worker.divergences(SAMPLES)


@pytest.fixture(scope="module")
def two(tiny: Path) -> Iterator[ProcessBackend]:
    with ProcessBackend(WorkerConfig(model=str(tiny), source=Source()), processes=2) as backend:
        yield backend


@pytest.mark.slow
def test_two_processes_read_what_one_does(two: ProcessBackend, worker: Worker) -> None:
    temperatures = [0.3, 1.0]
    alone, together = worker.entropies(SAMPLES, temperatures), two.entropies(SAMPLES, temperatures)
    assert [count for _, count in together] == [30, 30]
    assert [nats for nats, _ in together] == pytest.approx([nats for nats, _ in alone], rel=1e-5)
    assert two.entropies(SAMPLES[:1], [1.0])[0][1] == 2
