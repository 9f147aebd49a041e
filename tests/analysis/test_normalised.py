from dataclasses import replace

import pytest

from heldout.analysis.normalised import Normalised, normalised
from heldout.analysis.scores import Cell, paired_change
from heldout.records import Ending, Row
from heldout.testing import make_row

CELL = Cell(env="textcraft", split="test", difficulty="easy")


def rows(*scores: float, who: str = "model", seed: int = 0) -> list[Row]:
    return [
        make_row(env="textcraft", task=f"t{number}", score=score, difficulty="easy", model=who, seed=seed)
        for number, score in enumerate(scores)
    ]


def test_random_is_nought_and_the_oracle_one() -> None:
    random, oracle = rows(0.1, 0.3, who="random"), rows(0.9, 0.9, who="oracle")
    assert normalised(random, random, oracle)[CELL].score == 0.0
    found = normalised(oracle, random, oracle)[CELL]
    assert found == Normalised(score=1.0, ci95=found.ci95, n=2)
    assert found.ci95[0] < 1.0 < found.ci95[1]  # never without a width
    half = normalised(rows(0.5, 0.6), random, oracle)[CELL]
    assert half.score == pytest.approx((0.55 - 0.2) / (0.9 - 0.2))
    assert normalised(rows(0.0, 0.0), random, oracle)[CELL].score < 0


def test_the_interval_is_the_change_over_random_in_units_of_the_distance() -> None:
    """Where each task is half way nothing is left over for the ratio's own variance."""
    random, oracle = rows(0.0, 0.2, 0.4, who="random"), rows(1.0, 0.6, 0.8, who="oracle")
    found = normalised(rows(0.5, 0.4, 0.6), random, oracle)[CELL]
    [change] = paired_change(rows(0.0, 0.2, 0.4), rows(0.5, 0.4, 0.6)).values()
    assert found.score == pytest.approx(0.5)
    assert found.ci95 == pytest.approx(tuple(end / 100 / 0.6 for end in change.ci95))


def test_where_the_oracle_is_no_better_there_is_none() -> None:
    assert normalised(rows(0.5), rows(0.4), rows(0.4)) == {}
    assert normalised(rows(0.5), rows(0.4), rows(0.3)) == {}
    assert normalised(rows(0.5), [], rows(1.0)) == {}


def test_a_task_that_one_has_not_played_is_left_out_of_all() -> None:
    model = rows(0.5, 1.0)
    broken = [model[0], replace(model[1], ending=Ending.ERROR.value)]
    found = normalised(broken, rows(0.0, 0.0), rows(1.0, 1.0))[CELL]
    assert (found.score, found.n) == (0.5, 1)


def test_a_player_of_one_seed_stands_for_each_training_seed() -> None:
    trained = [*rows(0.2, 0.4), *rows(0.6, 0.8, seed=1)]
    found = normalised(trained, rows(0.0, 0.0), rows(1.0, 1.0))[CELL]
    assert found.n == 2
    assert found.score == pytest.approx(0.5)
    both = normalised(trained, [*rows(0.0, 0.0), *rows(0.2, 0.2, seed=1)], rows(1.0, 1.0))[CELL]
    assert both.score == pytest.approx((0.3 + 0.5) / 2 / 0.9)
