"""Errors: what a caller reads, and the exit status that goes with it."""

from time import perf_counter

import pytest

from heldout.errors import BadCall, HeldoutError, OriginalError, Unavailable, choose_from, unknown


def test_an_unknown_name_is_told_with_the_nearest_and_all_choices() -> None:
    error = unknown("environment", "textcarft", ["webshop", "textcraft"])
    assert str(error) == (
        "unknown environment 'textcarft'; did you mean 'textcraft'? (choose from: textcraft, webshop)"
    )


def test_a_name_near_to_none_gets_no_suggestion() -> None:
    assert str(unknown("verb", "xyzzy", ["demo"])) == "unknown verb 'xyzzy' (choose from: demo)"


def test_of_many_choices_the_nearest_three_are_shown_and_how_many_there_are() -> None:
    games = [f"pick_and_place_simple-Mug-None-Desk-{n}/trial_T2019_{n:04}" for n in range(3553)]
    error = unknown("game of 2.1.1 train", "pick_and_place_simple-Mug-None-Desk-17/trial_T2019_0016", games)
    [head, tail] = str(error).split("; did you mean ")
    assert head == "unknown game of 2.1.1 train 'pick_and_place_simple-Mug-None-Desk-17/trial_T2019_0016'"
    hint, _, shown = tail.partition("? (choose from 3553, the nearest: ")
    assert hint in {repr(games[17]), repr(games[16])}
    assert len(shown.removesuffix(")").split(", ")) == 3
    assert {games[16], games[17]} < set(shown.removesuffix(")").split(", "))


def test_even_names_that_are_like_none_get_three_choices_and_a_long_value_is_cut() -> None:
    nine = [f"task_{n}" for n in range(9)]
    assert str(unknown("task", "?", nine)).startswith("unknown task '?' (choose from 9, the nearest: task_")
    assert choose_from("x", nine[:8]) == f"choose from: {', '.join(nine[:8])}"
    assert choose_from("x", [], lead="there are") == "there are: none"
    assert len(str(unknown("task", "x" * 100_000, nine))) < 300


def test_the_nearest_of_a_hundred_thousand_is_found_in_an_instant() -> None:
    ids = [f"searchqa_{n}" for n in range(170_000)]
    began = perf_counter()
    assert "searchqa_51622" in choose_from("serchqa_51622", ids)
    assert perf_counter() - began < 2


@pytest.mark.parametrize(
    ("kind", "status"), [(BadCall, 2), (HeldoutError, 1), (Unavailable, 1), (OriginalError, 1)]
)
def test_a_bad_call_exits_with_2_and_a_failure_with_1(kind: type[HeldoutError], status: int) -> None:
    assert issubclass(kind, HeldoutError)
    assert kind.status == status
