from collections.abc import Sequence

import pytest

from heldout.study.controls import COOLEST, HOTTEST, best_of, grid, match_temperature


def proportional(temperatures: Sequence[float]) -> list[float]:
    """As random as it is hot."""
    return list(temperatures)


def curved(temperatures: Sequence[float]) -> list[float]:
    """Rises fast, then slowly."""
    return [each / (1 + each) for each in temperatures]


@pytest.mark.parametrize("wanted", [0.06, 0.2, 0.5, 0.99, 1.0, 1.01, 1.7, 3.9])
def test_the_matched_temperature_is_found(wanted: float) -> None:
    match = match_temperature(wanted, proportional, 7)
    assert match.temperature == pytest.approx(wanted, abs=1e-4)
    assert (match.reached, match.wanted, match.tokens) == (match.temperature, wanted, 7)
    assert match_temperature(wanted / (1 + wanted), curved, 7).temperature == pytest.approx(wanted, rel=1e-3)


def test_beyond_what_is_sought_the_nearer_end_is_taken() -> None:
    assert match_temperature(0.001, proportional, 1).temperature == COOLEST
    assert match_temperature(9.0, proportional, 1).temperature == HOTTEST
    assert match_temperature(9.0, proportional, 1).reached == HOTTEST
    assert match_temperature(1.0, lambda temperatures: [5.0] * len(temperatures), 1).temperature == COOLEST


def test_the_states_are_read_four_times() -> None:
    asked = list[int]()

    def entropies_at(temperatures: Sequence[float]) -> list[float]:
        asked.append(len(temperatures))
        return list(temperatures)

    match_temperature(0.5, entropies_at, 1)
    assert asked == [17, 17, 17, 1]


def test_the_best_temperature_is_that_of_the_best_score_and_of_equals_the_highest() -> None:
    tuned = best_of({0.0: 0.2, 0.25: 0.5, 0.5: 0.5, 1.0: 0.4}, 24)
    assert (tuned.temperature, tuned.tasks) == (0.5, 24)
    assert tuned.scores == {"0": 0.2, "0.25": 0.5, "0.5": 0.5, "1": 0.4}


def test_the_study_s_own_temperature_is_tried_too() -> None:
    assert grid(1.0) == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert grid(0.7) == [0.0, 0.25, 0.5, 0.7, 0.75, 1.0]
