import pytest

from heldout.analysis.transfer import difference, environments_of, mean_of, transfer

SCORES = {
    ("base", "doors"): 20.0,
    ("base", "grid"): 50.0,
    ("base", "shop"): 10.0,
    ("doors", "doors"): 60.0,
    ("doors", "grid"): 48.0,
    ("doors", "shop"): 16.0,
    ("doors+grid", "doors"): 50.0,
    ("doors+grid", "grid"): 60.0,
}


def test_held_in_is_where_it_was_trained_and_held_out_the_mean_of_the_rest() -> None:
    [found] = [each for each in transfer(SCORES, ("doors", "grid", "shop")) if each.chain == "doors"]
    assert (found.held_in, found.held_out) == (40.0, 2.0)
    assert found.overall == pytest.approx(44 / 3)
    assert found.gains == {"doors": 40.0, "grid": -2.0, "shop": 6.0}


def test_a_missing_run_is_a_missing_cell_and_what_needs_it_is_missing_too() -> None:
    [_, found] = transfer(SCORES, ("doors", "grid", "shop"))
    assert found.gains["shop"] is None
    assert (found.held_in, found.held_out, found.overall) == (20.0, None, None)
    assert [each.overall for each in transfer({("doors", "doors"): 1.0}, ("doors",))] == [None]


def test_a_mixture_and_every_stage_of_a_chain_are_held_in() -> None:
    assert environments_of("doors.easy > grid+shop") == {"doors", "grid", "shop"}
    assert environments_of("base") == frozenset()


def test_what_is_trained_everywhere_has_no_held_out_gain() -> None:
    assert [each.held_out for each in transfer(SCORES, ("doors", "grid"))] == [-2.0, None]


def test_a_mean_of_nothing_or_with_something_missing_is_missing() -> None:
    assert (mean_of([]), mean_of([1.0, None]), mean_of([1.0, 2.0])) == (None, None, 1.5)
    assert (difference(None, 1.0), difference(1.0, None), difference(3.0, 1.0)) == (None, None, 2.0)
