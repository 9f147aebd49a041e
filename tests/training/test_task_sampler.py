from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heldout.records import Task
from heldout.testing import make_task
from heldout.training.task_sampler import pool_order, tasks_of_step


def pool(env: str, size: int) -> list[Task]:
    return [make_task(env=env, split="train", id=f"{env}_{number}") for number in range(size)]


def ids(pools: Sequence[Sequence[Task]], step: int, count: int, seed: int = 0) -> list[str]:
    return [task.id for task in tasks_of_step(pools, step, count, seed)]


def test_every_task_comes_once_before_any_comes_again() -> None:
    drawn = [id for step in range(1, 11) for id in ids([pool("a", 20)], step, 6)]
    for around in range(3):
        assert len(set(drawn[20 * around : 20 * (around + 1)])) == 20
    assert drawn[:20] != drawn[20:40]


@given(st.integers(2, 25), st.integers(1, 25), st.integers(1, 30), st.integers(0, 5))
def test_no_step_has_a_task_twice(size: int, count: int, step: int, seed: int) -> None:
    drawn = ids([pool("a", size)], step, min(count, size), seed)
    assert len(set(drawn)) == len(drawn) == min(count, size)


def test_a_step_depends_on_the_seed_and_its_number_alone() -> None:
    pools = [pool("a", 50)]
    later = ids(pools, 7, 8)
    ids(pools, 1, 8)
    assert ids(pools, 7, 8) == later
    assert ids(pools, 8, 8) != later
    assert ids(pools, 7, 8, seed=1) != later


@pytest.mark.parametrize("count", [6, 7, 8])
def test_a_mixture_draws_equally_from_its_environments(count: int) -> None:
    pools = [pool("a", 40), pool("b", 10), pool("c", 300)]
    drawn = Counter[str]()
    for step in range(1, 10):
        here = Counter(task.env for task in tasks_of_step(pools, step, count, seed=0))
        assert max(here.values()) - min(here.values()) <= 1
        assert here.total() == count
        drawn += here
    assert max(drawn.values()) - min(drawn.values()) <= 1


def test_within_a_mixture_too_every_task_comes_once_before_any_comes_again() -> None:
    pools = [pool("a", 4), pool("b", 9)]
    drawn = [id for step in range(1, 8) for id in ids(pools, step, 5) if id.startswith("a")]
    assert len(set(drawn[:4])) == len(set(drawn[4:8])) == len(set(drawn[8:12])) == 4


def test_a_mixture_draws_by_its_weights_and_spreads_them_evenly() -> None:
    assert pool_order([1, 1, 1]) == [0, 1, 2]
    assert pool_order([2, 1]) == [0, 1, 0]
    assert pool_order([3, 1, 1]) == [0, 1, 0, 2, 0]
    pools = [pool("a", 40), pool("b", 40)]
    steps = [[each.env for each in tasks_of_step(pools, step, 4, 0, (2, 1))] for step in (1, 2, 3)]
    assert [(step.count("a"), step.count("b")) for step in steps] == [(3, 1), (2, 2), (3, 1)]
    drawn = [each.id for step in range(1, 13) for each in tasks_of_step(pools, step, 4, 0, (2, 1))]
    assert len(set(drawn)) == len(drawn) == 48


def test_a_mixture_by_data_keeps_its_shares_from_the_first_group_on() -> None:
    """The paper's counts of training tasks: WebShop, SearchQA, TextCraft, ALFWorld, BabyAI (Table 5)."""
    weights = (3930, 4000, 444, 2420, 810)
    order = pool_order(weights)
    assert [order.count(index) for index in range(5)] == list(weights)
    pools = [pool(str(index), size) for index, size in enumerate(weights)]
    drawn = Counter[str]()
    for step in range(1, 41):
        drawn += Counter(task.env for task in tasks_of_step(pools, step, 12, 0, weights))
        expected = [12 * step * weight / 11604 for weight in weights]
        assert max(abs(drawn[str(index)] - share) for index, share in enumerate(expected)) < 1.5
    assert [drawn[str(index)] for index in range(5)] == [163, 165, 18, 100, 34]
