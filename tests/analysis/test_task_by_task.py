from collections.abc import Sequence
from dataclasses import replace
from math import comb

import pytest

from heldout.analysis.scores import Cell
from heldout.analysis.task_by_task import TaskByTask, chance_gain, task_by_task
from heldout.errors import HeldoutError
from heldout.records import Row
from heldout.testing import make_row

EASY = (Cell(env="doors", split="test", difficulty="easy"), "")


def attempts(task: str, successes: int, k: int, **changes: object) -> list[Row]:
    """`k` attempts at a task, of which so many did it."""
    return [
        make_row(task=task, attempt=i, success=i < successes, score=float(i < successes), **changes)
        for i in range(k)
    ]


def side(counts: Sequence[int], k: int = 4, **changes: object) -> list[Row]:
    return [row for task, successes in enumerate(counts) for row in attempts(f"t{task}", successes, k, **changes)]


def trained(counts: Sequence[int], k: int = 4, seed: int = 0, **changes: object) -> list[Row]:
    return side(counts, k, chain="doors", step=5, seed=seed, model=f"m{seed}", **changes)


def compared(before: list[Row], after: list[Row]) -> TaskByTask:
    return task_by_task(before, after)[EASY]


def test_a_task_is_gained_or_lost_where_half_of_its_attempts_turned() -> None:
    found = compared(side([0, 1, 4, 4, 0, 2]), trained([2, 2, 2, 3, 1, 2]))
    assert (found.n, found.k) == (6, (4, 4))
    assert (found.gained, found.lost, found.kept, found.unsolved) == (1, 1, 2, 2)


def test_of_several_training_seeds_the_mean_is_taken_and_the_base_stands_beside_each() -> None:
    after = [*trained([4, 4], seed=0), *trained([4, 0], seed=1)]
    found = compared(side([0, 0]), after)
    assert (found.seeds, found.gained, found.unsolved) == (2, 1.5, 0.5)


def test_chance_alone_gains_tasks_that_are_done_every_other_time() -> None:
    """Of 8 attempts 4 did it: 2 more of 4 after than before are 17 of the 70 ways (3 of 4 or 4 of 4)."""
    assert chance_gain(4, 4, 4) == pytest.approx((16 + 1) / 70)
    assert chance_gain(1, 1, 1) == 0.5
    assert (chance_gain(8, 8, 0), chance_gain(8, 8, 16)) == (0, 0)
    assert chance_gain(8, 8, 8) == pytest.approx((28**2 + 8**2 + 1) / 12870)
    found = compared(side([2, 2, 0]), trained([2, 2, 0]))
    assert found.by_chance == pytest.approx(2 * 17 / 70)


def test_the_rule_moves_less_by_chance_than_solved_by_most_attempts() -> None:
    """Of a task done every other time, at 8 attempts: most of them on one side alone are 46 draws of 100."""
    most = sum(binomial(8, n) for n in range(5, 9))
    assert 2 * most * (1 - most) == pytest.approx(0.46, abs=0.01)
    moved = 2 * sum(
        binomial(8, before) * binomial(8, after) for before in range(9) for after in range(9) if after - before >= 4
    )
    assert moved == pytest.approx(0.077, abs=0.001)


def binomial(k: int, n: int) -> float:
    return comb(k, n) / 2.0**k


def test_turns_tokens_and_what_is_read_stand_before_and_after() -> None:
    before = [row for t, turns in enumerate((10, 12)) for row in figured(f"t{t}", turns, chain="base")]
    after = [row for t, turns in enumerate((4, 8)) for row in figured(f"t{t}", turns, chain="doors", step=5)]
    found = compared(before, after)
    assert (found.turns.before, found.turns.after) == (11, 6)
    assert (found.tokens.before, found.tokens.after) == (110, 60)
    assert (found.read.before, found.read.after) == (220, 120)
    assert found.invalid == pytest.approx((4 / 22, 4 / 12))
    assert found.turns.ci95
    assert sum(found.turns.ci95) / 2 == pytest.approx(-5)


def figured(task: str, turns: int, **changes: object) -> list[Row]:
    figures = {"turns": turns, "generated_tokens": 10 * turns, "response_length": 30 * turns, "invalid_actions": 2}
    return [make_row(task=task, **{**figures, **changes})]


def test_where_an_episode_does_not_say_what_was_refused_the_share_is_missing_and_not_zero() -> None:
    old = [replace(row, invalid_actions=None) for row in side([1, 1])]
    assert compared(old, trained([1, 1])).invalid == (None, 0.0)


def test_tasks_that_were_not_played_on_both_sides_are_left_out() -> None:
    before, after = side([0, 0, 0]), trained([4, 4, 4])
    lost = [replace(row, ending="error") if row.task == "t2" else row for row in after]
    assert compared(before, lost).n == 2
    assert task_by_task(before, []) == {}


def test_a_seed_that_lost_a_task_takes_it_from_all_of_them() -> None:
    after = [*trained([4, 4, 4]), *trained([4, 4, 4], seed=1)]
    found = compared(side([0, 0, 0]), [row for row in after if (row.seed, row.task) != (1, "t1")])
    assert (found.n, found.gained) == (2, 2.0)


def test_two_games_are_never_compared() -> None:
    with pytest.raises(HeldoutError, match="rows of different max_turns are never paired"):
        task_by_task(side([0, 0]), trained([1, 1], max_turns=10))
