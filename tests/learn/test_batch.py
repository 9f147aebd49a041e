from itertools import count
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from heldout.backend.worker import Worker
from heldout.learn.batch import Sample, batch_of, micro_batches, samples_of, sequence_of
from heldout.records import Reply, Trajectory
from heldout.testing import make_trajectory, make_turn


def trajectory(*turns: tuple[tuple[int, ...], tuple[int, ...]]) -> Trajectory:
    """One whose turns read and sampled these ids; the log-probability of id n is -n / 10."""
    return make_trajectory(
        turns=tuple(
            make_turn(Reply(text="", context_ids=read, token_ids=said, logprobs=tuple(-n / 10 for n in said)))
            for read, said in turns
        )
    )


LONG = trajectory(((1, 2, 3), (4, 5)), ((6,), (7,)))
SHORT = trajectory(((1, 2), (8,)))
EMPTY = trajectory(((1, 2), ()))


def test_a_trajectory_is_what_was_read_and_what_was_sampled_in_turn() -> None:
    ids, sampled, logprobs = sequence_of(LONG)
    assert ids == [1, 2, 3, 4, 5, 6, 7]
    assert [n for n, said in zip(ids, sampled, strict=True) if said] == [4, 5, 7]
    assert logprobs == [0, 0, 0, -0.4, -0.5, 0, -0.7]


@pytest.mark.parametrize(("average", "of_long", "of_short"), [("sequence", 1 / 6, 1 / 2), ("token", 1 / 4, 1 / 4)])
def test_weights_average_over_sequences_or_over_tokens(average: str, of_long: float, of_short: float) -> None:
    long, short = samples_of([LONG, SHORT], [1.5, -0.5], average)
    assert long.weights == pytest.approx((0, 0, 0, of_long, of_long, 0, of_long))
    assert short.weights == pytest.approx((0, 0, of_short))
    assert (long.advantage, short.advantage) == (1.5, -0.5)


@pytest.mark.parametrize("average", ["sequence", "token"])
def test_the_weights_of_a_batch_sum_to_one_though_an_episode_said_nothing(average: str) -> None:
    samples = samples_of([LONG, EMPTY, SHORT], [1.0, 0.0, -1.0], average)
    assert len(samples) == 2
    assert sum(sum(sample.weights) for sample in samples) == pytest.approx(1)


def test_a_batch_trains_the_next_id_and_only_what_was_sampled() -> None:
    batch = batch_of(samples_of([SHORT, LONG], [-0.5, 1.5]))
    assert batch.ids_BT.tolist() == [[1, 2, 8, 0, 0, 0, 0], [1, 2, 3, 4, 5, 6, 7]]
    assert batch.trained_BT.nonzero().tolist() == [[0, 1], [1, 2], [1, 3], [1, 5]]
    assert batch.targets_N.tolist() == [8, 4, 5, 7]
    assert batch.weights_N.tolist() == pytest.approx([1 / 2, 1 / 6, 1 / 6, 1 / 6])
    assert batch.advantage_N.tolist() == [-0.5, 1.5, 1.5, 1.5]
    assert batch.rollout_logp_N.tolist() == pytest.approx([-0.8, -0.4, -0.5, -0.7])


def row(length: int) -> Sample:
    return Sample(ids=tuple(range(1, length + 1)), weights=(0.0, *[1.0] * (length - 1)))


def test_like_lengths_share_a_micro_batch() -> None:
    batches = micro_batches([row(n) for n in (41, 20, 21, 40, 21)], budget=90)
    assert [list(batch.ids_BT.shape) for batch in batches] == [[3, 21], [2, 41]]


def test_a_micro_batch_ends_before_a_tenth_of_it_is_padding() -> None:
    batches = micro_batches([row(n) for n in (20, 20, 30)], budget=1000)
    assert [list(batch.ids_BT.shape) for batch in batches] == [[2, 20], [1, 30]]


def test_a_row_longer_than_the_budget_goes_alone() -> None:
    assert [list(batch.ids_BT.shape) for batch in micro_batches([row(4), row(50)], budget=10)] == [[1, 4], [1, 50]]


def test_no_rows_are_no_batches() -> None:
    assert micro_batches([], budget=10) == []


@given(st.lists(st.integers(2, 40), max_size=20), st.integers(1, 100))
def test_micro_batches_keep_to_the_budget_and_lose_nothing(lengths: list[int], budget: int) -> None:
    batches = micro_batches([row(length) for length in lengths], budget)
    assert all(batch.ids_BT.numel() <= budget or len(batch.ids_BT) == 1 for batch in batches)
    assert sorted(int((ids > 0).sum()) for batch in batches for ids in batch.ids_BT) == sorted(lengths)


@st.composite
def numbered(draw: Any) -> list[Trajectory]:
    """Trajectories of any shape in which no id comes twice: an id is also the name of its place."""
    ids = count(1)

    def some(least: int) -> tuple[int, ...]:
        return tuple(next(ids) for _ in range(draw(st.integers(least, 6))))

    turns = draw(st.lists(st.integers(0, 4), max_size=6))
    return [trajectory(*((some(least=not turn), some(0)) for turn in range(number))) for number in turns]


@given(numbered(), st.integers(1, 60), st.sampled_from(["sequence", "token"]))
def test_every_sampled_token_is_trained_once_with_its_own_figures_and_nothing_else_is(
    played: list[Trajectory], budget: int, average: str
) -> None:
    advantages = [1.5 - number for number in range(len(played))]
    batches = micro_batches(samples_of(played, advantages, average), budget)
    trained = [
        (int(token), float(advantage), round(float(logp), 1))
        for batch in batches
        for token, advantage, logp in zip(batch.targets_N, batch.advantage_N, batch.rollout_logp_N, strict=True)
    ]
    sampled = [
        (token, advantage, -token / 10)
        for one, advantage in zip(played, advantages, strict=True)
        for turn in one.turns
        for token in turn.reply.token_ids
    ]
    assert sorted(trained) == sampled
    assert sum(float(batch.weights_N.sum()) for batch in batches) == pytest.approx(float(bool(sampled)))


def test_no_row_sees_another_nor_its_padding(worker: Worker) -> None:
    ids = batch_of([row(5), row(9)]).ids_BT
    other, padded = ids.clone(), ids.clone()
    other[1] = 7
    padded[0, 5:] = 11
    with torch.no_grad():
        before, *after = (worker.model(input_ids=each).logits for each in (ids, other, padded))
    assert torch.equal(before[0], after[0][0])
    assert torch.equal(before[0, :5], after[1][0, :5])
    assert not torch.equal(before[1], after[0][1])
