from dataclasses import replace

import numpy as np
import pytest

from heldout.analysis.components import POCKET
from heldout.analysis.crossed import crossed_spread
from heldout.analysis.endpoints import Endpoint, Term
from heldout.analysis.power import Design, detectable, smallest_change, smallest_margin, spread_of
from heldout.analysis.scores import Cell
from heldout.errors import BadCall

CELLS = tuple(Cell(env=env, split="test", difficulty="easy") for env in ("doors", "grid", "maze", "shop"))


def gain(*cells: Cell, chain: str = "doors", over: str = "base", margin: float | None = None) -> Endpoint:
    """The mean gain of one chain over another in these cells."""
    share = 1 / len(cells)
    terms = [
        Term(weight=sign * share, chain=name, cell=cell)
        for cell in cells
        for sign, name in ((1, chain), (-1, over))
    ]
    return Endpoint(name="asked", terms=tuple(terms), margin=margin)


ONE, MEAN = gain(CELLS[0]), gain(*CELLS)


def design(seeds: int, tasks: int, k: int) -> Design:
    return Design(seeds=seeds, tasks=dict.fromkeys(CELLS, tasks), k=k)


def test_the_variance_of_a_gain_counted_by_hand() -> None:
    """16 / 3 for the seeds; (64 + 128) / 50 for tasks and the base's attempts; 128 / 150 for the trained ones."""
    spread = spread_of(ONE, POCKET, design(3, 50, 8))
    assert spread.variance == pytest.approx(16 / 3 + 192 / 50 + 128 / 150)
    below = (16 / 3 + 128 / 150) ** 2 / 2 + (192 / 50 + 128 / 150) ** 2 / 49 + (128 / 150) ** 2 / 98
    assert spread.df == pytest.approx(spread.variance**2 / below)


@pytest.mark.parametrize(
    ("seeds", "tasks", "k", "cell", "mean"),
    [(3, 50, 8, 11.1, 5.5), (5, 100, 4, 8.0, 4.0), (5, 50, 8, 8.2, 4.1)],
)
def test_what_pockets_assumed_components_let_a_design_detect(
    seeds: int, tasks: int, k: int, cell: float, mean: float
) -> None:
    asked = design(seeds, tasks, k)
    assert detectable(ONE, POCKET, asked).change == pytest.approx(cell, abs=0.06)
    assert detectable(MEAN, POCKET, asked).change == pytest.approx(mean, abs=0.06)


def test_seeds_whose_effects_go_together_in_all_cells_take_what_the_mean_of_them_gains() -> None:
    together = replace(POCKET, seed_correlation=1.0)
    assert detectable(MEAN, together, design(5, 100, 4)).change == pytest.approx(6.8, abs=0.06)
    contrast = Endpoint(
        name="held in minus held out",
        terms=(*gain(CELLS[0]).terms, *(replace(term, weight=-term.weight) for term in gain(*CELLS[1:]).terms)),
    )
    assert (
        spread_of(contrast, together, design(5, 100, 4)).variance
        < spread_of(contrast, POCKET, design(5, 100, 4)).variance
    )


def test_two_trainings_against_each_other_have_twice_the_seeds_variance() -> None:
    without = replace(POCKET, task=0.0, noise=0.0)
    asked = design(3, 50, 8)
    pair = spread_of(gain(CELLS[0], over="doors.easy"), without, asked)
    assert pair.variance == pytest.approx(2 * spread_of(ONE, without, asked).variance)


def test_what_more_seeds_and_tasks_buy() -> None:
    found = detectable(ONE, POCKET, design(3, 50, 8))
    assert found.with_one_more_seed == detectable(ONE, POCKET, design(4, 50, 8)).change < found.change
    assert found.with_twice_the_tasks == detectable(ONE, POCKET, design(3, 100, 8)).change
    assert found.with_twice_the_attempts == detectable(ONE, POCKET, design(3, 50, 16)).change
    assert found.beyond_this_run is None


def test_one_seed_detects_a_change_of_this_run_and_less_of_the_next() -> None:
    found = detectable(ONE, POCKET, design(1, 50, 8))
    # (64 + 128 + 128) / 50 = 6.4 for this run, 22.4 with the seeds' 16
    assert found.change == pytest.approx(2.863 * 6.4**0.5, abs=0.02)
    assert found.beyond_this_run
    assert found.beyond_this_run > 1.8 * found.change
    measured = replace(POCKET, seed_df=4)
    assert (detectable(ONE, measured, design(1, 50, 8)).beyond_this_run or 0) > found.beyond_this_run


def test_of_an_endpoint_with_a_margin_it_is_the_margin_within_which_a_true_0_is_shown() -> None:
    spread = spread_of(ONE, POCKET, design(5, 100, 4))
    found = detectable(gain(CELLS[0], margin=5.0), POCKET, design(5, 100, 4))
    assert found.change == smallest_margin(spread)
    assert smallest_margin(spread) > smallest_change(spread)


def test_two_tasks_a_seed_and_an_attempt_are_needed() -> None:
    with pytest.raises(BadCall, match=r"asked: a design has .* not 3, 8, and fewer in doors.easy"):
        detectable(ONE, POCKET, design(3, 1, 8))
    with pytest.raises(BadCall, match=r"not 0, 8, and fewer in none"):
        detectable(ONE, POCKET, design(0, 50, 8))


def test_what_is_said_to_be_detected_is_found_four_times_in_five() -> None:
    """500 studies of 5 seeds, 100 tasks and 4 attempts that gain what is said: 80 % of them, give or take 5."""
    change, rng, found = detectable(ONE, POCKET, design(5, 100, 4)).change, np.random.default_rng(2), 0
    noise = (16**2 / 2 * 8 / 4) ** 0.5
    for _ in range(500):
        base_T = noise * rng.normal(size=100) + 8 * rng.normal(size=100)
        change_ST = change + 4 * rng.normal(size=(5, 1)) + base_T + noise * rng.normal(size=(5, 100))
        found += abs(change_ST.mean()) > crossed_spread([change_ST]).reach()
    assert 0.75 <= found / 500 <= 0.85
