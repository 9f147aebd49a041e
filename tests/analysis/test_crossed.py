import numpy as np
import pytest

from heldout.analysis.crossed import Floats, crossed_spread, rest_square, seeds_part, tasks_spread

CELL = np.array([[1.0, 3.0, 8.0], [5.0, 6.0, 13.0]])
"""Two seeds at three tasks: the seeds' means are 4 and 8, the tasks' 3, 4.5 and 10.5, the rest 0, 0.5 and −0.5."""


def test_the_mean_squares_are_those_counted_by_hand() -> None:
    assert seeds_part([CELL]).variance == pytest.approx(8 / 2)  # var(4, 8) = 8
    assert tasks_spread([CELL]).variance == pytest.approx(15.75 / 3)  # var(3, 4.5, 10.5) = 15.75
    assert rest_square(CELL) == pytest.approx(4 * 0.5**2 / 2)


def test_the_variance_of_a_cell_is_that_of_crossed_seeds_and_tasks() -> None:
    """(MS_seeds + MS_tasks − MS_rest) / (S T)."""
    spread = crossed_spread([CELL])
    assert spread.variance == pytest.approx((3 * 8 + 2 * 15.75 - 0.5) / 6)
    below = 4.0**2 / 1 + 5.25**2 / 2 + (0.5 / 6) ** 2 / 2
    assert spread.df == pytest.approx(spread.variance**2 / below)


def test_seeds_that_go_together_in_two_cells_count_together_and_opposite_ones_cancel() -> None:
    seeds_S1 = np.array([[-1.0], [0.0], [1.0]])
    tasks_T = np.array([-0.1, 0.0, 0.1, 0.0])
    together = crossed_spread([seeds_S1 + tasks_T, seeds_S1 + tasks_T])
    opposite = crossed_spread([seeds_S1 + tasks_T, -seeds_S1 + tasks_T])
    tasks = 2 * float(np.var(tasks_T, ddof=1)) / 4
    assert together.variance == pytest.approx(4 / 3 + tasks)
    assert opposite.variance == pytest.approx(tasks)


@pytest.mark.parametrize("shift", [np.zeros((3, 1)), np.zeros((1, 4))])
def test_the_variance_is_never_below_that_of_the_seeds_or_of_the_tasks(shift: Floats) -> None:
    noise = np.array([[3.0, -3.0, 1.0, -1.0], [-3.0, 3.0, -1.0, 1.0], [1.0, -1.0, 3.0, -3.0]]) + shift
    spread = crossed_spread([noise])
    assert spread.variance >= max(seeds_part([noise]).variance, tasks_spread([noise]).variance)


def test_an_interval_is_students() -> None:
    spread = tasks_spread([np.array([[1.0, 3.0, 8.0]])])
    assert spread.df == 2
    assert spread.se == pytest.approx(2.0817, abs=1e-4)  # the root of 13 / 3
    assert spread.reach() == pytest.approx(4.3027 * 2.0817, abs=1e-3)
    assert 2 * spread.tail(4.0) == pytest.approx(0.1946, abs=1e-4)  # t = 1.9215 with 2 degrees of freedom


@pytest.mark.parametrize(("seeds", "tasks", "seed_sd"), [(3, 50, 4.0), (5, 100, 4.0), (3, 12, 1.0)])
def test_the_interval_covers_what_it_promises(seeds: int, tasks: int, seed_sd: float) -> None:
    """400 draws: by chance alone a true 95 % comes out between 92.5 and 97 %, and 90 % is the least allowed."""
    rng, held = np.random.default_rng(5), 0
    for _ in range(400):
        cells = [
            seed_sd * rng.normal(size=(seeds, 1))
            + 8 * rng.normal(size=tasks)
            + 16 * rng.normal(size=(seeds, tasks))
            for _ in range(2)
        ]
        held += abs(sum(cell.mean() for cell in cells)) <= crossed_spread(cells).reach()
    assert 0.90 <= held / 400 <= 0.99
