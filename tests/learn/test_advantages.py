import pytest

from heldout.learn.advantages import agrees, group_advantages


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


@pytest.mark.parametrize("rewards", [[0.0] * 8, [1.0, 1.0], [0.3, 0.3 + 5e-10], [0.7]])
def test_a_group_that_agrees_has_nothing_to_teach(rewards: list[float]) -> None:
    assert agrees(rewards)
    assert group_advantages(rewards) == [0.0] * len(rewards)


def test_a_small_difference_is_a_difference() -> None:
    assert not agrees([0.5, 0.501])
    assert group_advantages([0.5, 0.501]) == pytest.approx([-0.7061, 0.7061], abs=5e-5)  # the 1e-6 shows
