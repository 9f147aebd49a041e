"""Rows that differ are never averaged, nor paired: they are refused by the field's name and both values."""

from collections import Counter
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heldout.analysis.alike import (
    AVERAGED,
    CELL,
    CHECKPOINT,
    LABELS,
    OF_A_SEED,
    PLAYED_BY,
    STARTED_FROM,
    Repeated,
    count_repeated,
    each_once,
    refuse_unlike,
    refuse_unlike_sides,
)
from heldout.analysis.scores import paired_change, summarise
from heldout.errors import HeldoutError
from heldout.records import OUTCOMES, Row
from heldout.testing import make_row

GROUPS = (CELL, PLAYED_BY, STARTED_FROM, CHECKPOINT, OF_A_SEED, AVERAGED, LABELS, OUTCOMES)
CHAIN = "doors.easy"


def trained(**changes: Any) -> list[Row]:
    """A row of each of two training seeds, of which each has a model of its own; the second with these changes."""
    one, other = (make_row(chain=CHAIN, step=5, seed=seed, model=f"m{seed}") for seed in (0, 1))
    return [one, replace(other, **changes)]


def another(value: str | float) -> Any:
    return f"{value}'" if isinstance(value, str) else value + 1


def test_every_field_of_a_row_is_in_exactly_one_group() -> None:
    """A field that comes later must be decided: what it means where rows are averaged, and where paired."""
    assert Counter(name for group in GROUPS for name in group) == Counter(field.name for field in fields(Row))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"max_turns": 10}, "doors.easy: rows of different max_turns are never averaged: 10 and 20"),
        ({"rules": "agentgym"}, "doors.easy: rows of different rules are never averaged: agentgym and fixed"),
        ({"rules_version": 2}, "doors.easy: rows of different rules_version are never averaged: 1 and 2"),
        ({"data": "e"}, "doors.easy: rows of different data are never averaged: d and e"),
        ({"prompt": "q"}, "doors.easy: rows of different prompt are never averaged: p and q"),
        ({"base": "Qwen"}, "doors.easy: rows of different base are never averaged: Qwen and pocket"),
        (
            {"response_budget": 400},
            "doors.easy: rows of different response_budget are never averaged: 400 and 8192",
        ),
        ({"reply_tokens": 8}, "doors.easy: rows of different reply_tokens are never averaged: 8 and 512"),
        (
            {"difficulty_source": "3f"},
            "doors.easy: rows of different difficulty_source are never averaged: 3f and oracle_turns",
        ),
    ],
)
def test_rows_that_differ_are_not_averaged_and_the_field_is_named(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(HeldoutError) as caught:
        summarise(trained(**changed))
    assert str(caught.value) == said


def test_two_models_are_not_averaged_as_one_training_seed() -> None:
    said = r"doors.easy, seed 0 of doors.easy: rows of different model are never averaged: m0 and m1"
    with pytest.raises(HeldoutError, match=said):
        summarise(trained(seed=0, task="doors_2"))
    with pytest.raises(HeldoutError, match=said):
        paired_change([make_row()], trained(seed=0, task="doors_2"))
    [score] = summarise(trained())
    assert (score.score, score.k) == (0.0, 1)


def test_a_base_is_one_model_whatever_the_seed_since_it_is_not_trained() -> None:
    with pytest.raises(HeldoutError, match=r"doors.easy: rows of different model are never averaged: 0f and 1e"):
        summarise([make_row(), make_row(seed=1, model="1e")])


def test_a_renamed_base_is_still_the_base() -> None:
    rows = [make_row(), make_row(attempt=1, base="a renamed folder")]
    [score] = summarise(rows)
    assert score.k == 2
    assert paired_change(rows, rows)


def test_two_temperatures_of_one_seed_are_two_scores_and_no_side_of_a_change() -> None:
    rows = [make_row(), make_row(task="doors_2", temperature=0.0)]
    assert [score.temperature for score in summarise(rows)] == [0.0, 1.0]
    with pytest.raises(
        HeldoutError, match=r"seed 0 of base: rows of different temperature are never averaged: 0.0"
    ):
        paired_change(rows, rows)
    matched = [replace(row, seed=seed, temperature=0.5 + seed) for seed in (0, 1) for row in rows]
    assert paired_change(matched, [replace(row, chain=CHAIN, step=5) for row in matched])


def test_two_chains_or_steps_are_no_side_of_a_change() -> None:
    with pytest.raises(HeldoutError, match=r"rows of different chain are never averaged: doors and doors.easy"):
        paired_change([make_row()], trained(chain="doors"))
    with pytest.raises(HeldoutError, match="rows of different step are never averaged: 5 and 9"):
        paired_change([make_row()], trained(step=9))


def test_easy_and_hard_of_another_k_are_scores_of_their_own_and_not_pooled() -> None:
    rows = [make_row(), make_row(task="doors_2", difficulty="hard", max_turns=10)]
    assert [score.difficulty for score in summarise(rows)] == ["easy", "hard"]
    with pytest.raises(HeldoutError, match=r"doors.all: rows of different max_turns are never averaged: 10 and 20"):
        summarise(rows, pool=True)


def test_a_variant_is_a_score_of_its_own_and_never_paired_with_another() -> None:
    plain, changed = make_row(), make_row(variant="actions=hidden")
    assert [score.variant for score in summarise([plain, changed])] == ["", "actions=hidden"]
    with pytest.raises(HeldoutError) as caught:
        paired_change([plain], [changed])
    assert str(caught.value) == (
        "doors.easy: rows of different variant are never paired: none before and actions=hidden after"
    )


def test_what_was_lost_does_not_come_from_another_measurement() -> None:
    with pytest.raises(HeldoutError, match="max_turns"):
        summarise([make_row(), make_row(attempt=1, max_turns=10, ending="error")])


def test_each_attempt_is_taken_once_and_rather_one_that_was_played() -> None:
    broken, played, again = make_row(ending="error"), make_row(score=0.5), make_row(score=1.0)
    assert each_once([broken, played, broken]) == [played]
    assert each_once([broken, played, make_row(attempt=1), again]) == [again, make_row(attempt=1)]
    assert each_once([broken, broken]) == [broken]


def test_what_is_there_again_is_counted_apart_from_what_broke_and_was_played_again() -> None:
    broken, played, other = make_row(ending="error"), make_row(score=0.5), make_row(attempt=1, ending="error")
    assert count_repeated([broken, played, played, broken, other]) == Repeated(again=1, broken=2)
    assert count_repeated([played, other]) == Repeated(again=0, broken=0)


@given(st.sampled_from((*PLAYED_BY, *STARTED_FROM, *CHECKPOINT)), st.booleans())
def test_any_field_that_figures_have_in_common_is_named_in_any_order(name: str, turned: bool) -> None:
    plain = trained()
    rows = [plain[0], replace(plain[1], **{name: another(getattr(plain[1], name))})]
    refuse_unlike("here", plain)
    with pytest.raises(HeldoutError, match=rf"here: rows of different {name} are never averaged: \S+ and \S+"):
        refuse_unlike("here", rows[::-1] if turned else rows)


def test_a_player_began_with_nothing_and_is_set_against_a_model_only_as_another() -> None:
    player, model = make_row(base="random", model="random"), make_row(base="tiny", model="tiny-1", score=1.0)
    assert paired_change([player], [model], one_base=False).keys() == paired_change([player], [player]).keys()
    with pytest.raises(HeldoutError, match="rows of different base are never paired: random before and tiny after"):
        paired_change([player], [model])


@given(st.sampled_from((*PLAYED_BY, *STARTED_FROM)))
def test_any_field_that_both_sides_have_in_common_is_named(name: str) -> None:
    after = [replace(row, **{name: another(getattr(row, name))}) for row in trained()]
    with pytest.raises(HeldoutError, match=rf"here: rows of different {name} are never paired: \S+ before and \S+"):
        refuse_unlike_sides("here", [make_row()], after)


@given(st.sampled_from((*CHECKPOINT, *OF_A_SEED, *AVERAGED, *LABELS, *OUTCOMES)))
def test_any_other_field_may_differ_between_the_sides(name: str) -> None:
    before = [make_row()]
    refuse_unlike_sides("here", before, [replace(row, **{name: another(getattr(row, name))}) for row in before])


@given(st.sampled_from((*AVERAGED, *LABELS, *OUTCOMES)))
def test_what_is_averaged_over_and_what_came_of_it_may_differ(name: str) -> None:
    row = make_row()
    refuse_unlike("here", [row, replace(row, **{name: another(getattr(row, name))})])
