"""Easy and hard are halves of the training tasks by avg@k, and the test tasks are told by the same threshold."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heldout.analysis.difficulty import rank_correlation, split_by_difficulty, wilson
from heldout.errors import HeldoutError
from heldout.records import DifficultySplit, Ending, Row, TaskDifficulty, digest
from heldout.testing import make_row

Scores = Mapping[str, Sequence[float]]


def episodes(train: Scores, test: Scores | None = None) -> list[Row]:
    """A row for every attempt at every task."""
    return [
        episode(split, task, attempt, score)
        for split, tasks in (("train", train), ("test", test or {}))
        for task, scores in tasks.items()
        for attempt, score in enumerate(scores)
    ]


def episode(split: str, task: str, attempt: int, score: float) -> Row:
    return make_row(
        study="difficulty",
        task=task,
        split=split,
        attempt=attempt,
        reward=score,
        score=score,
        success=score == 1,
        turns=1,
        ending=Ending.SOLVED if score == 1 else Ending.FAILED,
        stream=f"difficulty/{task}/{attempt}",
    )


def easy(found: DifficultySplit, split: str) -> set[str]:
    return {each.task for each in found.of_split(split) if each.difficulty == "easy"}


def test_the_training_tasks_that_score_more_are_easy_and_the_last_of_them_is_the_threshold() -> None:
    found = split_by_difficulty(episodes({"a": [1, 1], "b": [0, 0], "c": [1, 0], "d": [0.5, 0.2]}))
    assert easy(found, "train") == {"a", "c"}
    assert (found.threshold, found.tie, found.k) == (0.5, digest(["doors", "c"]), 2)


def test_of_an_odd_number_the_middle_one_is_easy() -> None:
    assert easy(split_by_difficulty(episodes({"a": [1], "b": [0.5], "c": [0]})), "train") == {"a", "b"}


def test_test_tasks_are_told_by_the_training_tasks_threshold_and_need_not_be_halves() -> None:
    train = {"a": [1, 1], "b": [1, 0], "c": [0, 0], "d": [0, 0]}
    found = split_by_difficulty(episodes(train, {"x": [1, 1], "y": [1, 0.5], "z": [0.5, 0]}))
    assert found.threshold == 0.5
    assert easy(found, "test") == {"x", "y"}


def test_among_equals_those_whose_hash_comes_first_are_easy_in_training_and_test_alike() -> None:
    names = [f"doors_{number}" for number in range(20)]
    found = split_by_difficulty(
        episodes({name: [0.0] for name in names[:10]}, {name: [0.0] for name in names[10:]})
    )
    in_order = sorted(names[:10], key=lambda name: digest(["doors", name]))
    assert easy(found, "train") == set(in_order[:5])
    assert found.tie == digest(["doors", in_order[4]])
    assert easy(found, "test") == {name for name in names[10:] if digest(["doors", name]) <= found.tie}


def test_estimates_have_wilsons_interval() -> None:
    [_, half] = split_by_difficulty(episodes({"a": [1] * 8, "b": [1, 1, 1, 1, 0, 0, 0, 0]})).tasks
    assert half == TaskDifficulty(
        task="b", split="train", score=0.5, low=0.215216, high=0.784784, difficulty="hard"
    )


def test_wilsons_interval_agrees_with_published_values() -> None:
    # Newcombe (1998), Table I, method 3: 81 of 263, 15 of 148, 0 of 20.
    assert wilson(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(15 / 148, 148) == pytest.approx((0.0624, 0.1605), abs=1e-4)
    assert wilson(0, 20) == pytest.approx((0, 0.1611), abs=1e-4)


def test_the_thresholds_interval_is_a_point_where_nothing_varies_and_holds_the_threshold_where_it_does() -> None:
    still = split_by_difficulty(episodes({f"t{number}": [0.25, 0.25] for number in range(6)}))
    assert (still.low, still.threshold, still.high) == (0.25, 0.25, 0.25)
    moving = split_by_difficulty(episodes({f"t{number}": [number / 20, number / 20] for number in range(21)}))
    assert moving.threshold == 0.5
    assert 0.1 < moving.low < 0.5 < moving.high < 0.9


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (episodes({"a": [1]}), "halves take two training tasks or more, not 1"),
        (episodes({}, {"a": [1], "b": [0]}), "two training tasks or more, not 0"),
        (episodes({"a": [1, 0], "b": [1]}), "tried between 1 and 2 times"),
        ([], "there are none"),
    ],
)
def test_what_cannot_be_halved_is_refused(rows: list[Row], said: str) -> None:
    with pytest.raises(HeldoutError, match=said):
        split_by_difficulty(rows)


def test_an_episode_that_broke_off_is_not_taken_for_a_failure() -> None:
    rows = episodes({"a": [1], "b": [0]})
    broken = [
        *rows[:-1],
        Row(**{name: getattr(rows[-1], name) for name in rows[-1].__slots__} | {"ending": "error"}),
    ]
    with pytest.raises(HeldoutError, match="1 episodes broke off: call again"):
        split_by_difficulty(broken)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"max_turns": 10}, "doors: rows of different max_turns are never averaged: 10 and 20"),
        ({"seed": 1}, "doors: rows of different seed are never averaged: 0 and 1"),
        ({"env": "mirrors"}, "rows of different env are never averaged: doors and mirrors"),
        ({"model": "f0"}, "doors, seed 0 of base: rows of different model are never averaged: 0f and f0"),
        ({"temperature": 0.0}, "rows of different temperature are never averaged: 0.0 and 1.0"),
        ({"rules_version": 2}, "rows of different rules_version are never averaged: 1 and 2"),
    ],
)
def test_rows_of_two_measurements_are_refused_by_the_field_that_differs(
    changed: dict[str, object], said: str
) -> None:
    rows = episodes({"a": [1, 1], "b": [0, 0]})
    with pytest.raises(HeldoutError, match=said):
        split_by_difficulty([*rows[:3], make_row(**{**asdict(rows[3]), **changed})])


def test_an_attempt_that_is_there_twice_counts_once() -> None:
    rows = episodes({"a": [1, 1], "b": [0, 0]})
    assert split_by_difficulty([*rows, rows[0], replace(rows[1], ending="error")]) == split_by_difficulty(rows)


def test_spearmans_correlation_shares_ranks_among_equals() -> None:
    assert rank_correlation([1, 2, 3, 4], [10, 20, 30, 400]) == pytest.approx(1)
    assert rank_correlation([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)
    # Ranks 1, 2.5, 2.5, 4 against 1, 3, 2, 4: 0.948683 by hand.
    assert rank_correlation([0, 1, 1, 2], [1, 3, 2, 4]) == pytest.approx(0.948683, abs=1e-6)
    assert rank_correlation([1, 1], [1, 2]) is None


scores = st.sampled_from([0.0, 0.125, 0.5, 0.875, 1.0])
pools = st.integers(2, 30).flatmap(
    lambda count: st.lists(st.lists(scores, min_size=2, max_size=2), min_size=count, max_size=count)
)


@given(pools, pools, st.randoms(use_true_random=False))
def test_halves_are_balanced_ordered_and_the_same_in_any_order(
    train: list[list[float]], test: list[list[float]], chance: Random
) -> None:
    rows = episodes(
        {f"train_{number}": own for number, own in enumerate(train)},
        {f"test_{number}": own for number, own in enumerate(test)},
    )
    found = split_by_difficulty(rows)
    count = len(easy(found, "train"))
    assert 0 <= count - (len(train) - count) <= 1
    least = min(each.score for each in found.tasks if each.difficulty == "easy")
    assert all(each.score <= least for each in found.tasks if each.difficulty == "hard")
    border = (-found.threshold, found.tie)
    for each in found.tasks:  # training or test: one rule
        is_easy = (-each.score, digest(["doors", each.task])) <= border
        assert (each.difficulty == "easy") == is_easy
    chance.shuffle(rows)
    assert split_by_difficulty(rows) == found
