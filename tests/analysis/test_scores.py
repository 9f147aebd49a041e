from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heldout.analysis.scores import Attempts, Cell, count_attempts, paired_change, summarise
from heldout.errors import HeldoutError
from heldout.records import Row
from heldout.testing import make_row

EASY = Cell(env="doors", split="test", difficulty="easy")
HARD = replace(EASY, difficulty="hard")
BOTH = replace(EASY, difficulty="all")


def row(task: str, score: float, **changes: object) -> Row:
    return make_row(task=task, score=score, success=score == 1, **changes)


def attempts(task: str, scores: Sequence[float], **changes: object) -> list[Row]:
    return [row(task, score, attempt=i, **changes) for i, score in enumerate(scores)]


def test_useful_are_the_groups_whose_attempts_were_rewarded_differently() -> None:
    rewards = {"a": (0.0, 0.0, 1.0), "b": (0.5, 0.5, 0.5), "c": (0.0, 0.0, 0.0), "d": (1.0, 0.25, 1.0)}
    rows = [
        row(task, 0.0, attempt=attempt, reward=reward)
        for task, earned in rewards.items()
        for attempt, reward in enumerate(earned)
    ]
    [score] = summarise(rows)
    assert score.useful == 2 / 4


def test_three_tasks_counted_by_hand() -> None:
    rows = [
        *attempts("a", [1.0, 1.0], turns=1, generated_tokens=4),
        *attempts("b", [0.5, 1.0], turns=2, generated_tokens=8),
        *attempts("c", [0.0, 0.25], turns=6, generated_tokens=30, ending="out_of_turns"),
    ]
    [score] = summarise(rows)
    assert score.cell == EASY
    assert (score.n, score.k) == (3, 2)
    assert score.score == pytest.approx((1 + 0.75 + 0.125) / 3)
    assert score.success == pytest.approx(3 / 6)
    assert score.pass_at_k == pytest.approx(2 / 3)
    assert score.useful == 0
    assert (score.turns, score.tokens) == (3, 14)
    assert score.endings == {"out_of_turns": 2, "solved": 4}
    assert score.ci95 == pytest.approx((0.0576, 0.9784), abs=1e-4)  # Wilson's, of 3.12 answers, t with 2 df


def test_a_task_counts_once_however_often_it_was_tried() -> None:
    [score] = summarise([*attempts("a", [1.0] * 7), *attempts("b", [0.0])])
    assert score.score == 0.5
    assert (score.k, score.asked, score.played, score.lost) == (1, 14, 8, 6)


def test_k_is_what_every_task_has_where_attempts_were_lost() -> None:
    rows = [
        *attempts("a", [1.0, 0.0, 0.0]),
        *attempts("b", [0.0, 1.0]),
        row("b", 0.0, attempt=2, ending="error"),
    ]
    [score] = summarise(rows)
    assert (score.k, score.asked, score.played, score.lost) == (2, 6, 5, 1)
    assert score.pass_at_k == pytest.approx(
        (2 / 3 + 1) / 2
    )  # two of the three attempts at `a`: 2 of 3 pairs hold it
    assert count_attempts(rows) == [Attempts(cell=EASY, asked=6, played=5, broken=1)]


def test_what_was_lost_is_told_apart_from_what_was_never_played() -> None:
    rows = [*attempts("a", [1.0] * 4), row("b", 0.0, ending="error"), row("b", 1.0, attempt=1)]
    [found] = count_attempts(rows)
    assert (found.asked, found.played, found.broken, found.unplayed) == (8, 5, 1, 2)


def test_a_cell_of_which_all_was_lost_has_no_score_and_is_told() -> None:
    rows = [row("a", 0.0, attempt=attempt, ending="error") for attempt in range(3)]
    assert summarise(rows) == []
    assert count_attempts(rows) == [Attempts(cell=EASY, asked=3, played=0, broken=3)]


def test_an_attempt_that_is_there_twice_counts_once() -> None:
    rows = [*attempts("a", [1.0, 0.0]), *attempts("b", [0.5, 0.5])]
    again = [replace(rows[0], study="a copy", base="renamed"), replace(rows[0], ending="error", score=0.0)]
    assert summarise(rows + again) == summarise(rows)
    assert summarise([replace(rows[0], ending="error"), *rows]) == summarise(rows)
    assert paired_change(rows + again, rows) == paired_change(rows, rows)
    [score] = summarise([*rows, replace(rows[1], score=1.0)])
    assert score.score == 0.75  # of one played twice, the last


def test_of_one_task_nothing_is_known_of_others() -> None:
    [score] = summarise(attempts("a", [0.0, 1.0]))
    assert score.ci95 == (0.0, 1.0)
    change = paired_change([row("a", 0.5)], [row("a", 0.75)])[EASY]
    assert change.mean == 25.0
    assert change.ci95[0] < -40
    assert change.ci95[1] > 90


def test_the_interval_of_a_coin_is_the_binomial_one() -> None:
    [score] = summarise([row(f"t{i}", float(i % 2)) for i in range(100)])
    assert score.ci95 == pytest.approx((0.40, 0.60), abs=0.011)  # 0.5 ± 1.96 · 0.05


def test_each_chain_step_cell_and_temperature_has_its_own_score() -> None:
    rows = [row("a", 0.0), row("a", 1.0, temperature=0.0), row("a", 0.5, step=3, chain="doors.easy")]
    found = {(score.chain, score.step, score.temperature): score.score for score in summarise(rows)}
    assert found == {("base", 0, 1.0): 0.0, ("base", 0, 0.0): 1.0, ("doors.easy", 3, 1.0): 0.5}


def test_what_the_infrastructure_broke_is_counted_and_nothing_else() -> None:
    [score] = summarise([row("a", 1.0), row("a", 0.0, attempt=1, ending="error"), row("b", 0.0, ending="error")])
    assert (score.n, score.k, score.score) == (1, 1, 1.0)
    assert score.endings == {"error": 2, "solved": 1}
    assert summarise([row("b", 0.0, ending="error")]) == []


def test_difficulties_are_pooled_where_several_were_measured() -> None:
    rows = [row("a", 1.0), row("b", 0.0, difficulty="hard"), row("c", 0.5, env="mirrors")]
    scores = {score.cell.name: score.score for score in summarise(rows, pool=True)}
    assert scores == {"doors.all": 0.5, "doors.easy": 1.0, "doors.hard": 0.0, "mirrors.easy": 0.5}


def test_a_cell_of_another_split_says_so() -> None:
    assert EASY.name == "doors.easy"
    assert replace(EASY, split="train").name == "doors.easy.train"


def test_training_seeds_are_in_the_interval_too() -> None:
    rows = [row(task, 0.4 + 0.2 * seed, seed=seed, chain="doors", step=1) for seed in (0, 1) for task in "abcd"]
    [score] = summarise([replace(each, model=f"of seed {each.seed}") for each in rows])
    assert (score.n, score.k, score.score, score.seeds) == (4, 1, 0.5, 2)
    assert score.ci95[1] - score.ci95[0] > 0.9  # the tasks agree: all doubt is between two seeds
    assert not score.is_given_this_run


def test_a_training_of_one_seed_is_given_this_run_and_a_base_is_not() -> None:
    base, trained = [row("a", 0.5), row("b", 0.5)], [row(task, 0.5, chain="doors", step=1) for task in "ab"]
    assert [score.is_given_this_run for score in summarise([*base, *trained])] == [False, True]
    change = paired_change(base, trained)[EASY]
    assert (change.seeds, change.is_given_this_run) == (1, True)
    assert not paired_change(base, base)[EASY].is_given_this_run


def test_a_change_is_paired_by_task() -> None:
    before = [row("a", 0.0), row("b", 0.5), row("x", 0.2, difficulty="hard")]
    after = [*attempts("a", [0.0, 0.5]), row("b", 0.75), row("x", 0.1, difficulty="hard")]
    changes = paired_change(before, after, pool=True)
    assert list(changes) == [BOTH, EASY, HARD]
    assert changes[EASY].mean == pytest.approx(25.0)
    assert changes[EASY].n == 2
    low, high = changes[EASY].ci95
    assert low < 25 < high  # both tasks rose alike, and two tasks show little of what others would do
    assert changes[HARD].mean == pytest.approx(-10.0)
    assert changes[BOTH].mean == pytest.approx((25 + 25 - 10) / 3)


def test_a_cell_that_was_measured_once_has_no_change() -> None:
    assert paired_change([row("a", 0.0)], [row("x", 1.0, difficulty="hard")]) == {}


def test_other_tasks_are_not_paired_and_the_difference_is_named() -> None:
    before = [row(task, 0.0) for task in "abcdef"]
    with pytest.raises(HeldoutError) as said:
        paired_change(before, [row("f", 1.0), row("g", 1.0)])
    assert str(said.value) == (
        "doors.easy: only the same tasks can be paired (only before: a, b, c and 2 more; only after: g)"
    )


def test_a_base_is_set_against_every_training_seed() -> None:
    before = [row("a", 0.0), row("b", 0.5)]
    after = [row(task, 0.5 + 0.25 * seed, seed=seed) for seed in (1, 2) for task in "ab"]
    assert paired_change(before, after)[EASY].mean == pytest.approx(100 * (0.75 + 0.25 + 1 + 0.5) / 4)


def test_training_seeds_are_paired() -> None:
    before, after = (
        [
            row("a", 0.1 * seed + gain, seed=seed, chain="doors", step=step, model=f"{step}/{seed}")
            for seed in (1, 2)
        ]
        for step, gain in ((1, 0.0), (2, 0.3))
    )
    assert paired_change(before, after)[EASY].mean == pytest.approx(30.0)
    assert paired_change(before, after)[EASY].seeds == 2


def test_each_seed_s_own_change_stands_in_the_seeds_order() -> None:
    before = [row("a", 0.5), row("b", 0.25)]
    after = [row(task, 0.1 * seed, seed=seed, chain="doors", step=1) for seed in (6, 7) for task in "ab"]
    change = paired_change(before, after)[EASY]
    assert change.of_seeds == pytest.approx((22.5, 32.5))
    assert change.mean == pytest.approx(27.5)


def test_seeds_of_what_was_not_trained_are_only_more_attempts() -> None:
    base = [row(task, score, seed=seed) for seed in (1, 2) for task, score in (("a", 0.2 * seed), ("b", 0.5))]
    [score] = summarise(base)
    assert score.score == pytest.approx(0.4)
    assert (score.seeds, score.k) == (1, 1)
    assert score.ci95 == pytest.approx(summarise([row("a", 0.3), row("b", 0.5)])[0].ci95)


def test_other_training_seeds_are_not_paired() -> None:
    before, after = (
        [row("a", 0.0, seed=seed, chain="doors", step=1) for seed in seeds] for seeds in ((1, 2), (1, 3))
    )
    with pytest.raises(HeldoutError, match="cannot be paired: 1, 2 before, 1, 3 after"):
        paired_change(before, after)


scores_of_tasks = st.lists(st.floats(min_value=0, max_value=1, width=16), min_size=1, max_size=12)


def rows_of(scores: Sequence[float]) -> list[Row]:
    return [row(f"t{i}", score) for i, score in enumerate(scores)]


@settings(max_examples=50)
@given(scores_of_tasks)
def test_the_score_lies_in_its_interval_and_the_interval_has_a_width(scores: list[float]) -> None:
    [score] = summarise(rows_of(scores))
    low, high = score.ci95
    assert 0 <= low <= score.score + 1e-9
    assert score.score - 1e-9 <= high <= 1
    assert high - low > 0


@settings(max_examples=50)
@given(scores_of_tasks, st.floats(min_value=-1, max_value=1, width=16))
def test_a_shift_of_every_task_is_the_change_and_in_its_interval(scores: list[float], shift: float) -> None:
    change = paired_change(rows_of(scores), rows_of([score + shift for score in scores]))[EASY]
    low, high = change.ci95
    assert change.mean == pytest.approx(100 * shift, abs=1e-9)
    assert low <= 100 * shift + 1e-9
    assert high >= 100 * shift - 1e-9


@settings(max_examples=50)
@given(scores_of_tasks, st.randoms())
def test_the_order_of_rows_changes_nothing(scores: list[float], chance: Random) -> None:
    rows = rows_of(scores)
    mixed = sorted(rows, key=lambda _: chance.random())
    assert summarise(mixed) == summarise(rows)


@settings(max_examples=50)
@given(scores_of_tasks, scores_of_tasks)
def test_there_and_back_is_no_change(before: list[float], after: list[float]) -> None:
    size = min(len(before), len(after))
    there = paired_change(rows_of(before[:size]), rows_of(after[:size]))[EASY]
    back = paired_change(rows_of(after[:size]), rows_of(before[:size]))[EASY]
    assert there.mean == pytest.approx(-back.mean, abs=1e-9)
    assert there.ci95 == pytest.approx((-back.ci95[1], -back.ci95[0]), abs=1e-9)
