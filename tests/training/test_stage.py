from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, final

import pytest
import torch
from safetensors.torch import load_file

from heldout.backend.worker import Backend, Worker, WorkerConfig
from heldout.chains import Stage
from heldout.config import Config, Limits, Source, Train, with_overrides
from heldout.envs.base import Suite
from heldout.errors import BadCall, HeldoutError
from heldout.learn.batch import Sample
from heldout.model.learner import Objective, Tell, Update, unheard
from heldout.model.local import LocalPolicy
from heldout.records import Ending, Trajectory
from heldout.rollout.episode import Assignment
from heldout.rollout.groups import play
from heldout.store.runs import StageFolder
from heldout.training.figures import learning_rate
from heldout.training.job import Job
from heldout.training.stage import train

Suites = Callable[[str], Suite]

CONFIG = Config(
    limits=Limits(response_budget=400, reply_tokens=20),
    train=Train(steps=4, tasks=4, group_size=4, lr=1e-3, kl=0.0, save_every=2, warmup=2),
)
TIMES = {"seconds_play", "seconds_learn", "tokens_per_second", "rollouts_per_second"}


class Here:
    """A worker that can play the trio: the corridor is in no registry."""

    def __init__(self, model: Path, suites: Suites) -> None:
        self.worker = Worker(WorkerConfig(model=str(model), source=Source(), slots=16))
        self.suites = suites

    def play(
        self, assignments: Iterable[Assignment], limits: Limits, temperature: float = 1.0
    ) -> Iterator[Trajectory]:
        """The trajectories."""
        policy = LocalPolicy(self.worker.chat, self.worker.engine, temperature)
        return play(policy, assignments, limits, self.suites)

    def learn(self, samples: Sequence[Sample], objective: Objective, tell: Tell = unheard) -> Update:
        """One batch."""
        return self.worker.learn(samples, objective, tell)

    def reference_logprobs(
        self, samples: Sequence[Sample], temperature: float, batch_tokens: int
    ) -> list[tuple[float, ...]]:
        """It has no reference."""
        raise NotImplementedError

    def spell(self, trajectories: Sequence[Trajectory]) -> list[Trajectory]:
        """It has no words."""
        raise NotImplementedError

    def save(self, folder: Path, state: bool = True) -> None:
        """Weights and optimizer."""
        self.worker.save(folder, state)

    def load(self, name: str) -> None:
        """Other weights."""
        self.worker.load(name)

    def restore(self, folder: Path) -> None:
        """As saved."""
        self.worker.restore(folder)


@final
class Mute(Here):
    """One whose episodes are over before anything is said."""

    def play(
        self, assignments: Iterable[Assignment], limits: Limits, temperature: float = 1.0
    ) -> Iterator[Trajectory]:
        """The trajectories, without their turns."""
        for trajectory in super().play(assignments, limits, temperature):
            yield replace(trajectory, turns=(), reward=0.0, score=0.0, ending=Ending.OUT_OF_TOKENS)


@pytest.fixture
def job(trio: Suites) -> Job:
    stage = Stage(("corridor",))
    return Job(base="tiny", chain=(stage,), suites=(trio("corridor"),), config=CONFIG, seed=0)


@pytest.fixture
def backend(tiny: Path, trio: Suites) -> Callable[[], Backend]:
    """Makes teams that hold the tiny model."""
    return lambda: Here(tiny, trio)


def with_settings(job: Job, *settings: str) -> Job:
    return replace(job, config=with_overrides(job.config, settings))


def figures(folder: StageFolder) -> list[dict[str, Any]]:
    """The metrics, times apart."""
    return [{name: value for name, value in row.items() if name not in TIMES} for row in folder.metrics]


def kept(folder: StageFolder, step: int) -> dict[str, torch.Tensor]:
    """A checkpoint's weights and moments."""
    at = folder.checkpoint(step)
    return {**load_file(at / "model.safetensors"), **load_file(at / "optimizer.safetensors")}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture
def straight(job: Job, backend: Callable[[], Backend], tmp_path: Path) -> StageFolder:
    """Four steps, never stopped."""
    folder = StageFolder(tmp_path / "straight")
    assert train(job, backend(), folder) == 4
    return folder


def test_a_stage_leaves_a_row_a_step_its_rollouts_and_its_checkpoints(straight: StageFolder) -> None:
    rows = list(straight.metrics)
    assert [row["step"] for row in rows] == [1, 2, 3, 4]
    names = (
        "step reward score success turns generated_tokens response_length endings groups useful_share updated lr"
    )
    names += " loss grad_norm entropy clip_fraction kl mismatch tokens"
    assert {frozenset(row) for row in rows} == {frozenset(names.split()) | TIMES}
    assert [row["lr"] for row in rows] == [5e-4, 1e-3, 1e-3, 1e-3]
    assert straight.checkpoints() == [2, 4]
    played = list(straight.rollouts(3))
    assert len(played) == 16
    assert rows[2]["reward"] == pytest.approx(sum(each.reward for each in played) / 16)
    assert rows[2]["generated_tokens"] == pytest.approx(sum(each.generated_tokens for each in played) / 16)
    assert sum(rows[2]["endings"].values()) == 16
    assert any(row["updated"] and row["grad_norm"] > 0 for row in rows)
    assert max(row["mismatch"] for row in rows if row["updated"]) < 1e-4


@pytest.mark.slow
def test_a_stage_that_was_stopped_between_steps_goes_on_bit_for_bit(
    job: Job, backend: Callable[[], Backend], tmp_path: Path, straight: StageFolder
) -> None:
    folder = StageFolder(tmp_path / "stopped")
    train(with_settings(job, "train.steps=2"), backend(), folder)
    train(job, backend(), folder)
    assert figures(folder) == figures(straight)
    assert same(kept(folder, 4), kept(straight, 4))
    assert list(folder.rollouts(4)) == list(straight.rollouts(4))


@pytest.mark.slow
def test_a_stage_that_was_killed_plays_the_lost_step_again_bit_for_bit(
    job: Job, backend: Callable[[], Backend], tmp_path: Path, straight: StageFolder
) -> None:
    folder = StageFolder(tmp_path / "killed")

    def kill(row: dict[str, Any]) -> None:
        if row["step"] == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(job, backend(), folder, kill)
    assert [row["step"] for row in folder.metrics] == [1, 2, 3]
    assert folder.checkpoints() == [2]
    assert not folder.done.exists()
    train(job, backend(), folder)
    assert figures(folder) == figures(straight)
    assert same(kept(folder, 4), kept(straight, 4))
    assert folder.done.exists()


@pytest.mark.slow
def test_another_seed_is_another_run(
    job: Job, backend: Callable[[], Backend], tmp_path: Path, straight: StageFolder
) -> None:
    folder = StageFolder(tmp_path / "other")
    train(with_settings(replace(job, seed=1), "train.steps=2"), backend(), folder)
    assert figures(folder) != figures(straight)[:2]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda job: replace(job, seed=1), "holds another run"),
        (lambda job: replace(job, base="other"), "holds another run"),
        (lambda job: with_settings(job, "train.lr=1e-5"), "holds another run"),
        (lambda job: with_settings(job, "limits.reply_tokens=3"), "holds another run"),
        (
            lambda job: with_settings(job, "train.steps=3"),
            r"is at step 4 already, and kept no checkpoint of step 3 \(it has: 2, 4\)",
        ),
    ],
)
def test_a_folder_of_another_run_is_refused(
    job: Job, backend: Callable[[], Backend], straight: StageFolder, change: Callable[[Job], Job], reason: str
) -> None:
    before = list(straight.metrics)
    with pytest.raises(BadCall, match=reason) as caught:
        train(change(job), backend(), straight)
    assert "\n" not in str(caught.value)
    assert list(straight.metrics) == before


def test_a_step_without_a_useful_group_updates_nothing_and_says_so(
    job: Job, backend: Callable[[], Backend], tiny: Path, tmp_path: Path
) -> None:
    folder = StageFolder(tmp_path)
    train(with_settings(job, "limits.reply_tokens=1", "train.steps=1"), backend(), folder)
    [row] = folder.metrics
    assert (row["updated"], row["useful_share"], row["groups"]) == (False, 0.0, 4)
    assert {
        row[name] for name in ("loss", "grad_norm", "entropy", "clip_fraction", "kl", "mismatch", "tokens")
    } == {None}
    there, before = (load_file(at / "model.safetensors") for at in (folder.checkpoint(1), tiny))
    assert same(there, before)


def test_where_nothing_could_be_said_nothing_is_learned(job: Job, tiny: Path, trio: Suites, tmp_path: Path) -> None:
    """With a KL term agreeing groups count, but not those without any token."""
    train(
        with_settings(job, "train.steps=1", "train.kl=0.1"),
        Mute(tiny, trio),
        StageFolder(tmp_path),
    )
    [row] = StageFolder(tmp_path).metrics
    assert (row["updated"], row["endings"]) == (False, {"out_of_tokens": 16})


def test_a_mixture_plays_each_environment_by_its_own_turn_limit(
    job: Job, backend: Callable[[], Backend], trio: Suites, tmp_path: Path
) -> None:
    suites = (trio("corridor"), trio("textcraft"))
    mixed = replace(job, chain=(Stage(("corridor", "textcraft")),), suites=suites)
    short = with_settings(mixed, "train.steps=1", "limits.reply_tokens=4", "limits.response_budget=3000")
    train(short, backend(), StageFolder(tmp_path))
    played = list(StageFolder(tmp_path).rollouts(1))
    assert [sum(each.task.env == suite.name for each in played) for suite in suites] == [8, 8]
    ran_out = [each for each in played if each.ending is Ending.OUT_OF_TURNS]
    assert {(each.task.env, len(each.turns)) for each in ran_out} == {("corridor", 3), ("textcraft", 15)}


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("train.algorithm=PPO", "unknown algorithm 'PPO'"),
        ("train.loss_aggregation=mean", "unknown train.loss_aggregation 'mean'"),
        ("train.group_size=1", "it needs 2 samples or more, not 1"),
        ("train.tasks=21", "a step takes 21 tasks, but there are only 20"),
    ],
)
def test_settings_that_cannot_train_are_refused_before_anything_is_written(
    job: Job, backend: Callable[[], Backend], tmp_path: Path, setting: str, reason: str
) -> None:
    with pytest.raises(BadCall, match=reason):
        train(with_settings(job, setting), backend(), StageFolder(tmp_path / "stage"))
    assert not (tmp_path / "stage").exists()


def test_a_difficulty_without_tasks_is_refused(job: Job, backend: Callable[[], Backend], tmp_path: Path) -> None:
    with pytest.raises(BadCall, match=r"corridor has no medium tasks in train \(there are: easy, hard\)"):
        train(replace(job, chain=(Stage(("corridor",), "medium"),)), backend(), StageFolder(tmp_path))


def test_infrastructure_failures_train_nobody_and_stop_a_step_of_nothing_else(
    job: Job, tiny: Path, tmp_path: Path, unreliable: Callable[[int], tuple[Suite, Any]]
) -> None:
    suite, _ = unreliable(10_000)
    broken = Here(tiny, lambda _: suite)
    with pytest.raises(HeldoutError, match=r"every episode of the step failed: no answer"):
        train(with_settings(replace(job, suites=(suite,)), "train.tasks=2"), broken, StageFolder(tmp_path))


def test_the_learning_rate_rises_and_stays() -> None:
    settings = Train(lr=4e-4, warmup=4)
    assert [learning_rate(settings, step) for step in (1, 2, 4, 5, 100)] == pytest.approx(
        [1e-4, 2e-4, 4e-4, 4e-4, 4e-4]
    )
    assert learning_rate(Train(lr=1e-6), 1) == 1e-6
