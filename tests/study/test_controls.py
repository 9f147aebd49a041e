from collections.abc import Callable

import pytest

from heldout.records import Reply, Trajectory
from heldout.study.controls import entropy, match_temperature
from heldout.testing import make_trajectory, make_turn


@pytest.mark.parametrize("wanted", [0.2, 0.5, 0.99, 1.0, 1.01, 1.7])
def test_the_matched_temperature_is_found_by_halving(wanted: float) -> None:
    match = match_temperature(wanted, lambda temperature: temperature)  # as random as it is hot
    assert match.temperature == pytest.approx(wanted, abs=1 / 2**6)
    assert match.reached == pytest.approx(match.temperature, abs=1e-4)
    assert match.wanted == wanted


@pytest.mark.parametrize(
    ("entropy_at", "temperature"),
    [(lambda _: 5.0, 0.065), (lambda _: 0.0, 1.984)],
)
def test_beyond_what_is_sought_the_nearer_end_is_approached(
    entropy_at: Callable[[float], float], temperature: float
) -> None:
    assert match_temperature(1.0, entropy_at).temperature == pytest.approx(temperature, abs=1e-3)


def test_few_measurements_are_made() -> None:
    asked = list[float]()

    def entropy_at(temperature: float) -> float:
        asked.append(temperature)
        return temperature

    match_temperature(0.5, entropy_at)
    assert len(asked) == 7
    assert asked[:3] == pytest.approx([1.0, 0.525, 0.2875])


def trajectory(*logprobs: tuple[float, ...]) -> Trajectory:
    turns = [make_turn(Reply(text="", token_ids=(1,) * len(each), logprobs=each)) for each in logprobs]
    return make_trajectory(turns=tuple(turns))


def test_entropy_is_the_mean_surprise_of_what_was_sampled() -> None:
    assert entropy([trajectory((-1.0, -2.0), (-3.0,)), trajectory((-6.0,))]) == pytest.approx(3.0)
    assert entropy([trajectory(())]) == 0.0
