"""GRPO as a value is GRPO as it was; what others will need is there."""

import pickle

import pytest
import torch

from heldout.config import ALGORITHMS as NAMES
from heldout.config import Train
from heldout.errors import BadCall
from heldout.learn.algorithms import ALGORITHMS, GRPO, IMITATION, algorithm_of, samples
from heldout.learn.batch import batch_of, samples_of
from heldout.learn.losses import Tokens, clipped_surrogate
from heldout.records import Group, Reply, Trajectory
from heldout.testing import make_task, make_trajectory, make_turn


def played(reward: float, *said: int) -> Trajectory:
    reply = Reply(text="", context_ids=(1, 2), token_ids=said, logprobs=(-0.5,) * len(said))
    return make_trajectory(turns=(make_turn(reply),), reward=reward)


def group(*trajectories: Trajectory) -> Group:
    return Group(task=make_task(), trajectories=trajectories)


def test_the_names_that_settings_may_have_are_those_that_there_are() -> None:
    assert tuple(ALGORITHMS) == NAMES
    assert algorithm_of("GRPO") is algorithm_of("grpo") is GRPO
    with pytest.raises(BadCall, match=r"unknown algorithm 'grop'; did you mean 'grpo'\? \(choose from: grpo\)"):
        algorithm_of("grop")


def test_an_algorithm_can_be_sent_to_another_process() -> None:
    for algorithm in (GRPO, IMITATION):
        assert pickle.loads(pickle.dumps(algorithm)) == algorithm


def test_grpo_sets_each_reward_against_its_own_group() -> None:
    groups = [group(played(1.0, 5), played(0.0, 6)), group(played(0.5, 7), played(0.5, 8), played(2.0, 9))]
    half = 0.5**0.5
    assert GRPO.advantages(groups) == pytest.approx([half, -half, -0.57735, -0.57735, 1.1547], abs=1e-5)


def test_grpo_keeps_groups_that_disagree_and_others_for_a_kl_term() -> None:
    same, apart = group(played(1.0, 5), played(1.0, 6)), group(played(1.0, 5), played(0.0, 6))
    assert [GRPO.keeps(each, Train(kl=0.0)) for each in (same, apart)] == [False, True]
    assert [GRPO.keeps(each, Train(kl=0.1)) for each in (same, apart)] == [True, True]
    assert not GRPO.draws_more


def test_tokens_are_weighed_as_the_settings_say() -> None:
    groups = [group(played(1.0, 5, 6, 7), played(0.0, 8))]
    by_sequence, by_token = (samples(GRPO, groups, Train(loss_aggregation=name)) for name in ("sequence", "token"))
    assert [each.weights for each in by_sequence] == [
        pytest.approx((0, 0, 1 / 6, 1 / 6, 1 / 6)),
        pytest.approx((0, 0, 1 / 2)),
    ]
    assert [set(each.weights) for each in by_token] == [{0.0, 0.25}, {0.0, 0.25}]


def test_a_batch_knows_the_row_of_each_token_and_may_have_an_advantage_for_each() -> None:
    trajectories = [played(0.0, 5, 6, 7), played(0.0, 8)]
    batch = batch_of(samples_of(trajectories, [(0.1, 0.2, 0.3), -1.0]))
    assert batch.row_N.tolist() == [0, 0, 0, 1]
    assert batch.advantage_N.tolist() == pytest.approx([0.1, 0.2, 0.3, -1.0])
    with pytest.raises(ValueError, match="3 advantages for 1 sampled tokens"):
        samples_of([played(0.0, 5)], [(1.0, 2.0, 3.0)])


def test_a_loss_of_whole_sequences_can_be_made_of_a_batch() -> None:
    """The mean log-ratio of a row, which gspo clips (Zheng et al. 2025, arXiv 2507.18071, Eq. 7)."""
    logp, old, rows = torch.tensor([-1.0, -2.0, -3.0]), torch.tensor([-1.5, -2.5, -2.0]), torch.tensor([0, 0, 1])
    tokens = Tokens(logp_N=logp, old_logp_N=old, advantage_N=torch.ones(3), row_N=rows, clip_low=0.2, clip_high=0.2)
    difference = tokens.logp_N - tokens.old_logp_N
    sums = torch.zeros(2).index_add(0, tokens.row_N, difference)
    assert (sums / tokens.row_N.bincount()).tolist() == pytest.approx([0.5, -1.0])


def test_grpos_loss_is_the_formula_that_it_was_before_it_was_a_value() -> None:
    torch.manual_seed(0)
    logp, old, advantage = -torch.rand(200) * 5, -torch.rand(200) * 5, torch.randn(200)
    ratio = (logp - old).exp()
    before = -torch.minimum(ratio * advantage, ratio.clamp(0.8, 1.2) * advantage)
    tokens = Tokens(
        logp_N=logp,
        old_logp_N=old,
        advantage_N=advantage,
        row_N=torch.zeros(200, dtype=torch.long),
        clip_low=0.2,
        clip_high=0.2,
    )
    assert torch.equal(clipped_surrogate(tokens), before)
