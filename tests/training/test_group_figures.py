"""Which groups of a step are useful, and which were learned from: with a KL term not the same."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from heldout.backend.worker import Worker, WorkerConfig
from heldout.chains import Stage
from heldout.config import Config, Limits, Source, Train
from heldout.envs.base import Suite
from heldout.learn.methods import Method
from heldout.records import Group
from heldout.store.runs import StageFolder
from heldout.testing import make_task, make_trajectory
from heldout.training.figures import group_figures
from heldout.training.job import Job
from heldout.training.stage import train


def group(*rewards: float) -> Group:
    return Group(task=make_task(), trajectories=tuple(make_trajectory(reward=each) for each in rewards))


GROUPS = [group(1.0, 1.0), group(0.0, 1.0), group(0.0, 0.0), group(0.5, 0.5 + 1e-12)]


def test_useful_are_the_groups_whose_rewards_differ_whatever_the_kl_term() -> None:
    assert group_figures(GROUPS, Method(kl=0.0)) == {"groups": 4, "useful_share": 0.25}
    both = {"groups": 4, "useful_share": 0.25, "learned_share": 1.0}
    assert group_figures(GROUPS, Method(kl=0.1)) == both
    assert group_figures(GROUPS, Method(baseline="batch", scale="batch", kl=0.0)) == both
    in_reward = Method(kl=0.1, kl_in="reward", kl_estimator="k1")
    assert group_figures(GROUPS, in_reward) == {**both, "learned_share": 0.25}
    assert group_figures([], Method(kl=0.1)) == {"groups": 0, "useful_share": 0.0, "learned_share": 0.0}


def test_a_stage_with_a_kl_term_learns_from_groups_that_agree_and_does_not_call_them_useful(
    tiny: Path, trio: Callable[[str], Suite], tmp_path: Path
) -> None:
    """One token says nothing that counts: all of a group earn nothing."""
    suite = trio("textcraft")
    config = Config(
        limits=Limits(response_budget=3000, reply_tokens=1),
        train=Train(steps=1, tasks=2, group_size=2, lr=1e-3, kl=0.1),
    )
    job = Job(base="tiny", chain=(Stage(("textcraft",)),), suites=(suite,), config=config, seed=0)
    worker = Worker(WorkerConfig(model=str(tiny), source=Source(), reference=str(tiny)))
    train(replace(job), worker, StageFolder(tmp_path))
    [row] = StageFolder(tmp_path).metrics
    assert (row["reward"], row["useful_share"], row["learned_share"], row["updated"]) == (0.0, 0.0, 1.0, True)
    assert row["kl"] == pytest.approx(0.0, abs=1e-6)
