from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heldout.errors import HeldoutError
from heldout.learn.advantages import advantages, group_advantages, zero_variance
from heldout.learn.methods import METHODS, Method
from heldout.records import Group, Reply, Turn
from heldout.testing import make_task, make_trajectory, make_turn


@pytest.mark.parametrize(
    ("rewards", "expected"),
    [
        ([1, 0, 0, 1], [0.8660, -0.8660, -0.8660, 0.8660]),
        ([1, 0, 0, 0], [1.5, -0.5, -0.5, -0.5]),
        ([0, 1, 0, 0, 0, 0, 0, 0], [-0.3536, 2.4749, *[-0.3536] * 6]),
        ([0.2, 0.5, 0.8], [-1.0, 0.0, 1.0]),
        ([3, -1], [0.7071, -0.7071]),
    ],
)
def test_an_advantage_is_a_reward_in_deviations_of_its_own_group(
    rewards: list[float], expected: list[float]
) -> None:
    assert group_advantages(rewards) == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize(
    ("rewards", "expected"),
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
def test_advantages_are_those_of_verl(rewards: list[float], expected: list[float]) -> None:
    """By its `compute_grpo_outcome_advantage`, 0.9.1 in float64; it wants another transformers than ours."""
    assert group_advantages(rewards) == pytest.approx(expected, abs=1e-6)


REWARDS = st.lists(st.integers(-50, 50).map(lambda n: n / 10), min_size=2, max_size=12)


@given(REWARDS, st.integers(-9, 9), st.integers(1, 9))
def test_an_advantage_does_not_depend_on_where_rewards_begin_nor_on_their_unit(
    rewards: list[float], shift: int, unit: int
) -> None:
    found = group_advantages(rewards)
    assert sum(found) == pytest.approx(0, abs=1e-9)
    assert group_advantages([unit * reward + shift for reward in rewards]) == pytest.approx(found, abs=1e-4)


@pytest.mark.parametrize("rewards", [[0.0] * 8, [1.0, 1.0], [0.3, 0.3 + 5e-10], [0.7]])
def test_a_group_that_agrees_has_nothing_to_teach(rewards: list[float]) -> None:
    assert zero_variance(rewards)
    assert group_advantages(rewards) == [0.0] * len(rewards)


def test_a_small_difference_is_a_difference() -> None:
    assert not zero_variance([0.5, 0.501])
    assert group_advantages([0.5, 0.501]) == pytest.approx([-0.7061, 0.7061], abs=5e-5)  # the 1e-6 shows


def said(tokens: int, *, reward: float = 0.0, digest: str = "") -> Turn:
    reply = Reply(text="", token_ids=tuple(range(tokens)), logprobs=(-0.5,) * tokens)
    return make_turn(reply, reward=reward, digest=digest)


def group(*rewards: float, tokens: Sequence[int] = ()) -> Group:
    """Trajectories of one turn each, of so many tokens."""
    counts = tokens or [1] * len(rewards)
    pairs = zip(rewards, counts, strict=True)
    played = tuple(make_trajectory(turns=(said(n, reward=reward),), reward=reward) for reward, n in pairs)
    return Group(task=make_task(), trajectories=played)


def test_without_a_scale_a_reward_is_only_centred() -> None:
    assert advantages([group(1, 0, 0, 1), group(0.2, 0.8)], METHODS["dr_grpo"]) == pytest.approx(
        [0.5, -0.5, -0.5, 0.5, -0.3, 0.3]
    )


def test_rloo_sets_a_reward_against_the_mean_of_the_others() -> None:
    """1 - (0 + 0.5) / 2, 0 - (1 + 0.5) / 2, 0.5 - 1 / 2."""
    assert advantages([group(1, 0, 0.5)], METHODS["rloo"]) == pytest.approx([0.75, -0.75, 0.0])


def test_a_kl_term_in_the_reward_is_taken_off_before_the_baseline() -> None:
    charges = [(0.1, 0.1), (0.0,)]
    assert advantages([group(1, 0, tokens=(2, 1))], METHODS["rloo"], charges) == pytest.approx([0.8, -0.8])


def test_reinforce_whitens_over_all_tokens_of_the_batch() -> None:
    """Rewards 1, 0, 0 with 2, 1 and 1 tokens: 1, 1, 0, 0 have the mean 0.5 and the deviation 0.5."""
    groups = [group(1, 0, tokens=(2, 1)), group(0, tokens=(1,))]
    assert advantages(groups, METHODS["reinforce++"]) == pytest.approx([1.0, -1.0, -1.0])


def test_reinforce_charges_a_token_with_what_comes_from_it_on() -> None:
    """Returns 1 - 0.3, 1 - 0.1 and 0: mean 0.5333, deviation 0.38586."""
    found = advantages([group(1, 0, tokens=(2, 1))], METHODS["reinforce++"], [(0.2, 0.1), (0.0,)])
    assert [*found[0], *found[1]] == pytest.approx([0.431934, 0.950255, -1.382189], abs=1e-5)  # type: ignore[misc]


def test_the_baseline_of_reinforce_is_the_groups_mean() -> None:
    """1, 0 and 3, 1 less their means: 0.5, -0.5, 1, -1, whose deviation is 0.790569."""
    found = advantages([group(1, 0), group(3, 1)], METHODS["reinforce++-baseline"])
    assert found == pytest.approx([0.632456, -0.632456, 1.264911, -1.264911], abs=1e-5)


def test_a_batch_in_which_all_agree_says_nothing() -> None:
    for name in ("reinforce++", "reinforce++-baseline"):
        assert advantages([group(1, 1), group(1, 1)], METHODS[name]) == [0.0] * 4


def test_credit_by_turn_is_the_sum_of_what_later_turns_earned() -> None:
    """Process supervision: turns earn 1, 0 and 0, 0: mean 0.25, deviation 0.5, so 1.5, -0.5, -0.5, -0.5."""
    first = make_trajectory(turns=(said(2, reward=1.0), said(1)), reward=1.0)
    second = make_trajectory(turns=(said(1), said(1)), reward=0.0)
    both = Group(task=make_task(), trajectories=(first, second))
    found = advantages([both], Method(credit="turn"))
    assert found[0] == pytest.approx((1.0, 1.0, -0.5), abs=1e-5)
    assert found[1] == pytest.approx((-1.0, -0.5), abs=1e-5)


def test_credit_by_state_adds_the_advantage_among_equal_states() -> None:
    """Two trajectories of two turns earn 1 and 0 at the end. Both begin in the same state: returns 0.5 and 0,
    advantages ±0.70711; the second turns' states differ: 0. The trajectories' own: ±0.70711. ω is 1, γ a half."""
    first = make_trajectory(digest="0", turns=(said(1, digest="a"), said(2, reward=1.0, digest="end")), reward=1.0)
    second = make_trajectory(digest="0", turns=(said(1, digest="b"), said(1, digest="end")), reward=0.0)
    both = Group(task=make_task(), trajectories=(first, second))
    method = replace(METHODS["gigpo"], discount=0.5)
    found = advantages([both], method)
    assert found[0] == pytest.approx((1.41421, 0.70711, 0.70711), abs=1e-4)
    assert found[1] == pytest.approx((-1.41421, -0.70711), abs=1e-4)
    half = advantages([both], replace(method, state_weight=0.5))
    assert half[0] == pytest.approx((1.06066, 0.70711, 0.70711), abs=1e-4)


def test_a_state_that_is_come_to_twice_is_compared_with_itself() -> None:
    """A state is one whichever turn came to it: the second turn of one trajectory and of the other."""
    first = make_trajectory(
        digest="0", turns=(said(1, digest="a"), said(1, digest=""), said(1, reward=1.0)), reward=1.0
    )
    round_trip = replace(first, turns=(said(1, digest="a"), said(1, digest="o"), said(1, reward=1.0, digest="x")))
    short = make_trajectory(digest="0", turns=(said(1, digest="o"), said(1, digest="x")), reward=0.0)
    both = Group(task=make_task(), trajectories=(round_trip, short))
    found = advantages([both], replace(METHODS["gigpo"], discount=0.5, scale="none"))
    # Opening: returns 0.25 and 0; "o": 1 and 0; "a": alone. The trajectories' own: 0.5 and -0.5.
    assert found[0] == pytest.approx((0.625, 0.5, 1.0))
    assert found[1] == pytest.approx((-0.625, -1.0))


def test_states_that_are_not_told_are_refused() -> None:
    silent = make_trajectory(digest="0", turns=(said(1), said(1)), reward=1.0)
    with pytest.raises(HeldoutError, match=r"doors does not tell its states: choose another train\.credit"):
        advantages([Group(task=make_task(), trajectories=(silent, silent))], METHODS["gigpo"])
