"""What groups come to as a batch: which are learned from, how rewards are changed, what each token weighs."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from heldout.learn.batch import Sample, batch_of, samples_of
from heldout.learn.groups import samples, says_something, shaped
from heldout.learn.methods import METHODS, Method
from heldout.records import Ending, Group, Reply, Trajectory
from heldout.testing import make_task, make_trajectory, make_turn

LENGTH = 100


def played(reward: float, *said: int, ending: Ending = Ending.FAILED) -> Trajectory:
    reply = Reply(text="", context_ids=(1, 2), token_ids=said, logprobs=(-0.5,) * len(said))
    return make_trajectory(turns=(make_turn(reply, reward=reward),), reward=reward, ending=ending)


def group(*trajectories: Trajectory) -> Group:
    return Group(task=make_task(), trajectories=trajectories)


def weights(found: Sequence[Sample]) -> list[float]:
    """What one sampled token of each counts in the policy term."""
    return [max(each.weights) for each in found]


def kl_weights(found: Sequence[Sample]) -> list[float]:
    return [max(each.kl_weights or each.weights) for each in found]


APART = group(played(1.0, 5, 6, 7), played(0.0, 8))
SAME = group(played(1.0, 5, 6), played(1.0, 9, 9))


def test_groups_whose_rewards_agree_are_left_out_and_the_rest_is_a_mean() -> None:
    found = samples([APART, SAME], Method(kl=0.0), LENGTH)
    assert weights(found) == pytest.approx([1 / 6, 1 / 2])
    assert [each.advantage for each in found] == pytest.approx([0.70711, -0.70711], abs=1e-5)


def test_a_kl_term_is_a_mean_over_all_groups_and_the_policy_term_over_those_that_say_something() -> None:
    found = samples([APART, SAME], Method(kl=0.1), LENGTH)
    assert weights(found) == pytest.approx([1 / 6, 1 / 2, 0, 0])
    assert kl_weights(found) == pytest.approx([1 / 12, 1 / 4, 1 / 8, 1 / 8])
    batch = batch_of(found)
    assert len(batch.targets_N) == 8
    assert float(batch.weights_N.sum()) == pytest.approx(1)
    assert float(batch.kl_weights_N.sum()) == pytest.approx(1)


def test_the_policy_term_has_the_same_weights_at_every_strength_of_the_kl_term() -> None:
    without, little, much = (samples([APART, SAME], Method(kl=kl), LENGTH) for kl in (0.0, 1e-6, 10.0))
    assert weights(without) == weights(little)[:2] == weights(much)[:2]


def test_groups_that_agree_may_count_in_the_mean() -> None:
    found = samples([APART, SAME], Method(kl=0.0, agreeing="count"), LENGTH)
    assert weights(found) == pytest.approx([1 / 12, 1 / 4])


@pytest.mark.parametrize(
    ("aggregation", "expected"),
    [("sequence", [1 / 6, 1 / 2]), ("token", [1 / 4, 1 / 4]), ("constant", [1 / 200, 1 / 200])],
)
def test_tokens_are_weighed_as_the_method_says(aggregation: str, expected: list[float]) -> None:
    found = samples([APART], Method(kl=0.0, loss_aggregation=aggregation), LENGTH)
    assert weights(found) == pytest.approx(expected)


def test_a_trajectory_that_said_nothing_teaches_nothing() -> None:
    found = samples([group(played(1.0, 5), played(0.0))], Method(kl=0.1), LENGTH)
    assert (len(found), weights(found), kl_weights(found)) == (1, [1.0], [1.0])


def test_with_a_batchs_baseline_a_group_that_agrees_says_something() -> None:
    assert [
        says_something(SAME, METHODS[name]) for name in ("grpo", "rloo", "reinforce++", "reinforce++-baseline")
    ] == [
        False,
        False,
        True,
        True,
    ]
    assert len(samples([SAME, group(played(0.0, 4))], METHODS["reinforce++"], LENGTH)) == 3


def test_expert_iteration_imitates_what_succeeded() -> None:
    won, lost = played(1.0, 5, 6, ending=Ending.SOLVED), played(0.0, 7)
    found = samples([group(won, lost), group(lost, lost), group(won, won)], METHODS["reject"], LENGTH)
    assert [each.ids[2:] for each in found] == [(5, 6)] * 3
    assert weights(found) == pytest.approx([1 / 6] * 3)
    assert samples([group(lost, lost)], METHODS["reject"], LENGTH) == []


def test_a_student_learns_from_all_that_it_said_by_the_kl_term_alone() -> None:
    found = samples([APART, SAME], METHODS["distill"], LENGTH)
    assert weights(found) == [0.0] * 4
    assert sum(sum(each.kl_weights) for each in found) == pytest.approx(1)


CUT = group(played(1.0, 5), played(0.0, 6, ending=Ending.OUT_OF_TOKENS), played(0.5, 7))


def test_what_the_budget_cut_trains_or_is_masked_or_penalised() -> None:
    trained, masked = (samples([CUT], Method(kl=0.0, truncated=name), LENGTH) for name in ("train", "mask"))
    assert weights(trained) == pytest.approx([1 / 3] * 3)
    assert weights(masked) == pytest.approx([1 / 2] * 2)
    assert [each.advantage for each in masked] == [trained[0].advantage, trained[2].advantage]
    [penalised] = shaped([CUT], Method(truncated="penalise"), LENGTH)
    assert [each.reward for each in penalised.trajectories] == [1.0, -1.0, 0.5]
    assert penalised.trajectories[1].turns[-1].reward == -1.0


@pytest.mark.parametrize(("said", "lost"), [(79, 0.0), (80, 0.0), (85, 0.25), (90, 0.5), (100, 1.0), (104, 1.0)])
def test_a_reward_falls_in_the_last_share_of_the_budget(said: int, lost: float) -> None:
    """DAPO, Eq. 13, with a budget of 100 and a share of 0.2: from 80 on, to 1 at 100."""
    long = group(played(1.0, *range(said)))
    [found] = shaped([long], METHODS["dapo"], 100)
    assert found.trajectories[0].reward == pytest.approx(1.0 - lost)
    assert shaped([long], METHODS["grpo"], 100) == [long]


def test_a_batch_knows_the_row_of_each_token_and_may_have_an_advantage_for_each() -> None:
    batch = batch_of(samples_of([played(0.0, 5, 6, 7), played(0.0, 8)], [(0.1, 0.2, 0.3), -1.0]))
    assert batch.row_N.tolist() == [0, 0, 0, 1]
    assert batch.advantage_N.tolist() == pytest.approx([0.1, 0.2, 0.3, -1.0])
    with pytest.raises(ValueError, match="3 advantages for 1 sampled tokens"):
        samples_of([played(0.0, 5)], [(1.0, 2.0, 3.0)])


def test_a_mask_leaves_a_group_without_any_token_alone() -> None:
    all_cut = group(*(replace(each, ending=Ending.OUT_OF_TOKENS) for each in APART.trajectories))
    assert samples([all_cut], Method(truncated="mask"), LENGTH) == []
