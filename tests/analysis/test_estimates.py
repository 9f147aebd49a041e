from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from heldout.analysis.conclusions import Conclusion, conclude
from heldout.analysis.endpoints import Endpoint, Term
from heldout.analysis.estimates import Estimate, SeedsElsewhere, estimate_endpoints, holm
from heldout.analysis.scores import Cell, paired_change
from heldout.errors import HeldoutError
from heldout.records import Row
from heldout.testing import make_row

EASY = Cell(env="doors", split="test", difficulty="easy")
HARD, ALL = replace(EASY, difficulty="hard"), replace(EASY, difficulty="all")
GRID = replace(EASY, env="grid")

BASE = [0.1, 0.2, 0.3, 0.4]
TRAINED = {0: [0.5, 0.5, 0.8, 0.6], 1: [0.6, 0.9, 0.7, 0.8], 2: [0.4, 0.6, 0.9, 0.9]}


def rows_of(scores: Mapping[int, Sequence[float]], chain: str = "doors", **changes: object) -> list[Row]:
    """A row for each training seed at each task; the seeds of a chain are models of their own."""
    step = 0 if chain == "base" else 5
    return [
        make_row(
            seed=seed, task=f"t{task}", score=score, chain=chain, step=step, **({"model": f"m{seed}"} | changes)
        )
        for seed, own in scores.items()
        for task, score in enumerate(own)
    ]


def base_rows(**changes: object) -> list[Row]:
    return rows_of({0: BASE}, "base", model="0f", **changes)


def gain(cell: Cell = EASY, chain: str = "doors", weight: float = 1.0, variant: str = "") -> tuple[Term, Term]:
    return (
        Term(weight=weight, chain=chain, cell=cell, variant=variant),
        Term(weight=-weight, chain="base", cell=cell, variant=variant),
    )


def estimated(*terms: Term, rows: Mapping[str, Sequence[Row]], margin: float | None = None) -> Estimate:
    [result] = estimate_endpoints([Endpoint(name="asked", terms=terms, margin=margin)], rows)
    assert result.estimate is not None, result.missing
    return result.estimate


def test_a_gain_counted_by_hand() -> None:
    rows = {"base": base_rows(), "doors": rows_of(TRAINED)}
    found = estimated(*gain(), rows=rows)
    assert found.value == pytest.approx(100 * (0.6 + 0.75 + 0.7 - 3 * 0.25) / 3)
    assert (found.seeds, found.tasks, found.left_out, found.given_this_run) == (3, 4, 0, False)
    # tasks' mean gains 40, 140/3, 50, 110/3: variance 37.04; seeds' 35, 50, 45: variance 58.33; MS_rest 252.8
    assert found.se**2 == pytest.approx(58.33 / 3, abs=0.01)
    assert found.df == 2
    assert found.ci95 == pytest.approx((found.value - 4.3027 * found.se, found.value + 4.3027 * found.se), abs=1e-3)
    [change] = paired_change(rows["base"], rows["doors"]).values()
    assert found.value == pytest.approx(change.mean)


def test_several_cells_are_weighted_and_their_tasks_are_drawn_apart() -> None:
    rows = {
        "base": [*base_rows(), *base_rows(env="grid")],
        "doors": [*rows_of(TRAINED), *rows_of({0: BASE, 1: BASE, 2: BASE}, env="grid")],
    }
    held_in, held_out = estimated(*gain(), rows=rows), estimated(*gain(GRID), rows=rows)
    both = estimated(*gain(weight=0.5), *gain(GRID, weight=0.5), rows=rows)
    apart = estimated(*gain(), *gain(GRID, weight=-1.0), rows=rows)
    assert held_out.value == 0
    assert both.value == pytest.approx(held_in.value / 2)
    assert both.se == pytest.approx(held_in.se / 2)
    assert apart.value == pytest.approx(held_in.value)
    assert apart.tasks == 8


def test_all_is_easy_and_hard_together() -> None:
    rows = {
        "base": [*base_rows(), *rows_of({0: [0.0, 0.0]}, "base", model="0f", difficulty="hard")],
        "doors": [*rows_of(TRAINED)],
    }
    hard = [
        replace(row, task=f"h{row.task}", difficulty="hard") for row in rows["doors"] if row.task in ("t0", "t1")
    ]
    rows["base"] = [row if row.difficulty == "easy" else replace(row, task=f"h{row.task}") for row in rows["base"]]
    found = estimated(*gain(ALL), rows=rows | {"doors": [*rows["doors"], *hard]})
    easy_gain, hard_gain = 4 * (0.6 + 0.75 + 0.7 - 0.75) / 3, 0.5 + 0.5 + 0.6 + 0.9 + 0.4 + 0.6
    assert found.tasks == 6
    assert found.value == pytest.approx(100 * (easy_gain + hard_gain / 3) / 6)
    with pytest.raises(HeldoutError, match=r"asked: doors.all holds the tasks of another cell of this endpoint"):
        estimated(*gain(ALL), *gain(EASY), rows=rows | {"doors": [*rows["doors"], *hard]})


def test_one_seed_is_given_this_run_unless_the_seeds_variance_is_known_from_elsewhere() -> None:
    rows = {"base": base_rows(), "doors": rows_of({0: TRAINED[0]})}
    asked = Endpoint(name="asked", terms=gain())
    [alone] = estimate_endpoints([asked], rows)
    [added] = estimate_endpoints([asked], rows, SeedsElsewhere(sd=4.0, df=6.0, source="pocket-transfer"))
    assert alone.estimate
    assert added.estimate
    # the gains 40, 30, 50, 20: a variance of 500/3 over 4 tasks
    assert alone.estimate.se == pytest.approx((500 / 3 / 4) ** 0.5)
    assert (alone.estimate.df, alone.estimate.given_this_run) == (3, True)
    assert added.estimate.se == pytest.approx((500 / 3 / 4 + 16) ** 0.5)
    assert (added.estimate.given_this_run, added.estimate.seeds_from) == (False, "pocket-transfer")
    assert conclude(alone) is Conclusion.GIVEN_THIS_RUN
    assert alone.estimate.p < 0.05


def test_a_checkpoint_of_one_seed_among_others_of_several_is_given_this_run_too() -> None:
    rows = {"doors": rows_of(TRAINED), "grid": rows_of({0: BASE}, "grid")}
    terms = (Term(weight=1, chain="doors", cell=EASY), Term(weight=-1, chain="grid", cell=EASY))
    found = estimated(*terms, rows=rows)
    assert (found.seeds, found.given_this_run) == (3, True)


def test_of_a_base_against_random_play_nothing_was_trained_and_no_seed_is_missing() -> None:
    rows = {
        "base": base_rows(),
        "random": rows_of({0: [0.0, 0.1, 0.0, 0.1]}, "base", base="random", model="random"),
    }
    terms = (Term(weight=1, chain="base", cell=EASY), Term(weight=-1, chain="random", cell=EASY))
    found = estimated(*terms, rows=rows)
    assert found.value == pytest.approx(20.0)
    assert not found.given_this_run


def test_what_is_missing_is_said_and_the_other_endpoints_stand() -> None:
    rows = {"base": base_rows(), "doors": rows_of(TRAINED), "one": rows_of({0: [0.5]}, "one")}
    asked = [
        Endpoint(name="there", terms=gain()),
        Endpoint(name="no cell", terms=gain(GRID)),
        Endpoint(name="no chain", terms=gain(chain="grid")),
        Endpoint(name="one task", terms=gain(chain="one")),
        Endpoint(name="no variant", terms=gain(variant="actions=hidden")),
    ]
    results = estimate_endpoints(asked, rows)
    assert [result.missing for result in results] == [
        "",
        "doors was not measured in grid.easy",
        "grid was not measured in doors.easy",
        "doors.easy has 1 tasks that all of it was measured at: two are needed",
        "doors was not measured in doors.easy with actions=hidden",
    ]
    assert [result.estimate is None for result in results] == [False, True, True, True, True]
    assert [conclude(result) for result in results[1:]] == [Conclusion.MISSING] * 4
    assert results[0].estimate
    assert results[0].adjusted == pytest.approx(5 * results[0].estimate.p)  # the missing ones are of the family


def test_tasks_that_one_side_or_one_seed_lacks_are_left_out_and_counted() -> None:
    rows = {"base": base_rows(), "doors": [row for row in rows_of(TRAINED) if (row.seed, row.task) != (1, "t3")]}
    found = estimated(*gain(), rows=rows)
    assert (found.tasks, found.left_out) == (3, 1)
    assert found.value == pytest.approx(100 * (1.8 + 2.2 + 1.9 - 3 * 0.6) / 9)


def test_seeds_that_not_all_of_it_has_are_left_out() -> None:
    rows = {"doors": rows_of(TRAINED), "grid": rows_of({1: BASE, 2: BASE, 3: BASE}, "grid")}
    terms = (Term(weight=1, chain="doors", cell=EASY), Term(weight=-1, chain="grid", cell=EASY))
    found = estimated(*terms, rows=rows)
    assert found.seeds == 2
    assert found.value == pytest.approx(100 * ((0.75 + 0.7) / 2 - 0.25))


def test_rows_of_other_rules_are_refused_by_name() -> None:
    rows = {"base": base_rows(max_turns=10), "doors": rows_of(TRAINED)}
    with pytest.raises(HeldoutError, match=r"doors.easy: rows of different max_turns are never paired: 20"):
        estimated(*gain(), rows=rows)


def test_between_variants_changes_are_compared_and_scores_never() -> None:
    changed = {"variant": "actions=hidden", "prompt": "q"}
    rows = {
        "base": [*base_rows(), *base_rows(**changed)],
        "doors": [*rows_of(TRAINED), *rows_of({0: BASE, 1: BASE, 2: BASE}, **changed)],
    }
    found = estimated(*gain(), *gain(weight=-1, variant="actions=hidden"), rows=rows)
    assert found.value == pytest.approx(estimated(*gain(), rows=rows).value)
    terms = (gain()[0], gain(variant="actions=hidden")[1])
    with pytest.raises(HeldoutError, match="of different variants only changes are compared"):
        estimated(*terms, rows=rows)


def test_where_no_task_differs_the_interval_still_has_a_width() -> None:
    rows = {"base": rows_of({0: [0.0] * 4}, "base", model="0f"), "doors": rows_of({0: [0.0] * 4, 1: [0.0] * 4})}
    found = estimated(*gain(), rows=rows)
    # each mean is taken as (0 + 2) of (4 + 4) tasks: twice 0.25 · 0.75 / 8
    assert (found.value, found.p) == (0.0, 1.0)
    assert found.se == pytest.approx(100 * (2 * 0.25 * 0.75 / 8) ** 0.5)


def test_the_same_is_shown_by_an_interval_within_the_margin_and_never_by_a_large_p() -> None:
    near = {seed: [score + 0.001 * (seed + task) for task, score in enumerate(BASE)] for seed in (0, 1, 2)}
    rows = {"base": base_rows(), "doors": rows_of(near)}
    asked = Endpoint(name="asked", terms=gain(), margin=3.0)
    [same] = estimate_endpoints([asked], rows)
    [wide] = estimate_endpoints([asked], rows | {"doors": rows_of(TRAINED)})
    assert same.estimate
    assert wide.estimate
    assert max(map(abs, same.estimate.ci90)) < 3
    assert conclude(same) is Conclusion.EQUIVALENT
    assert same.adjusted == same.estimate.p_equivalence
    assert conclude(wide) is Conclusion.NOT_SHOWN_EQUIVALENT
    [plain] = estimate_endpoints([replace(asked, margin=None)], rows | {"doors": rows_of(TRAINED)})
    assert conclude(plain) is Conclusion.HIGHER


def test_holms_steps_down_and_counts_what_could_not_be_tested() -> None:
    assert holm([0.01, 0.04, 0.03]) == [0.03, 0.06, 0.06]
    assert holm([0.01, None, 0.03]) == [0.03, None, 0.06]
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []
