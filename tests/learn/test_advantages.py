import pytest
from hypothesis import given
from hypothesis import strategies as st

from heldout.learn.advantages import group_advantages, zero_variance


@pytest.mark.parametrize(
    ("rewards", "advantages"),
    [
        ([1, 0, 0, 1], [0.8660, -0.8660, -0.8660, 0.8660]),
        ([1, 0, 0, 0], [1.5, -0.5, -0.5, -0.5]),
        ([0, 1, 0, 0, 0, 0, 0, 0], [-0.3536, 2.4749, *[-0.3536] * 6]),
        ([0.2, 0.5, 0.8], [-1.0, 0.0, 1.0]),
        ([3, -1], [0.7071, -0.7071]),
    ],
)
def test_an_advantage_is_a_reward_in_deviations_of_its_own_group(
    rewards: list[float], advantages: list[float]
) -> None:
    assert group_advantages(rewards) == pytest.approx(advantages, abs=5e-5)


@pytest.mark.parametrize(
    ("rewards", "advantages"),
    [
        (
            [0.25, 1.0, 0.0, 0.0, 0.5, 1.0, 0.75, 0.0],
            [-0.427947, 1.283841, -0.998543, -0.998543, 0.142649, 1.283841, 0.713245, -0.998543],
        ),
        ([0.1, 0.2, 0.3], [-0.99999, 0.0, 0.99999]),
        ([-0.5, 2.0, 0.125, 0.125], [-0.866025, 1.443374, -0.288675, -0.288675]),
        ([0.0, 0.0, 0.0, 0.001], [-0.499002, -0.499002, -0.499002, 1.497006]),
        ([100.0, 101.0, 100.0, 100.5], [-0.783348, 1.30558, -0.783348, 0.261116]),
    ],
)
def test_advantages_are_those_of_verl(rewards: list[float], advantages: list[float]) -> None:
    """By its `compute_grpo_outcome_advantage`, 0.9.1 in float64; it wants another transformers than ours."""
    assert group_advantages(rewards) == pytest.approx(advantages, abs=1e-6)


REWARDS = st.lists(st.integers(-50, 50).map(lambda n: n / 10), min_size=2, max_size=12)


@given(REWARDS, st.integers(-9, 9), st.integers(1, 9))
def test_an_advantage_does_not_depend_on_where_rewards_begin_nor_on_their_unit(
    rewards: list[float], shift: int, unit: int
) -> None:
    advantages = group_advantages(rewards)
    assert sum(advantages) == pytest.approx(0, abs=1e-9)
    assert group_advantages([unit * reward + shift for reward in rewards]) == pytest.approx(advantages, abs=1e-4)


@pytest.mark.parametrize("rewards", [[0.0] * 8, [1.0, 1.0], [0.3, 0.3 + 5e-10], [0.7]])
def test_a_group_that_agrees_has_nothing_to_teach(rewards: list[float]) -> None:
    assert zero_variance(rewards)
    assert group_advantages(rewards) == [0.0] * len(rewards)


def test_a_small_difference_is_a_difference() -> None:
    assert not zero_variance([0.5, 0.501])
    assert group_advantages([0.5, 0.501]) == pytest.approx([-0.7061, 0.7061], abs=5e-5)  # the 1e-6 shows
