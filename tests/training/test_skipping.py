"""A training that runs away: steps are skipped and counted, its end says how to go on, no checkpoint is wrong."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from math import nan
from pathlib import Path
from typing import Any, final

import pytest
import torch
from safetensors.torch import load_file

from heldout.backend.worker import Worker, WorkerConfig
from heldout.chains import Stage
from heldout.config import Config, Limits, Source, Train, with_overrides
from heldout.envs.base import Suite
from heldout.errors import BadCall, NotFinite
from heldout.learn.batch import Sample
from heldout.model.learner import Objective, Tell, Update, unheard
from heldout.model.local import LocalPolicy
from heldout.records import Trajectory
from heldout.rollout.episode import Assignment
from heldout.rollout.groups import play
from heldout.store.files import read_json
from heldout.store.lineage import differences
from heldout.store.runs import StageFolder
from heldout.training.job import Job
from heldout.training.stage import train

Suites = Callable[[str], Suite]

CONFIG = Config(
    limits=Limits(response_budget=400, reply_tokens=20),
    train=Train(steps=4, tasks=4, group_size=4, lr=1e-3, kl=0.0, save_every=1, warmup=100),
)
TIMES = {"seconds_play", "seconds_learn", "tokens_per_second", "rollouts_per_second"}


@final
class Upset:
    """A worker to which the batches of some steps are no numbers; the warm-up tells which step it is.

    In a step that is broken a weight is no number after the update.
    """

    def __init__(self, model: Path, suites: Suites, steps: Collection[int], broken: int) -> None:
        self.worker = Worker(WorkerConfig(model=str(model), source=Source(), slots=16))
        self._suites, self._steps, self._broken = suites, steps, broken

    def play(
        self, assignments: Iterable[Assignment], limits: Limits, temperature: float = 1.0
    ) -> Iterator[Trajectory]:
        """The trajectories."""
        return play(
            LocalPolicy(self.worker.chat, self.worker.engine, temperature), assignments, limits, self._suites
        )

    def learn(self, samples: Sequence[Sample], objective: Objective, tell: Tell = unheard) -> Update:
        """One batch."""
        step = round(objective.lr / CONFIG.train.lr * CONFIG.train.warmup)
        first = replace(samples[0], advantage=nan) if step in self._steps else samples[0]
        update = self.worker.learn([first, *samples[1:]], objective, tell)
        if step == self._broken:
            with torch.no_grad():
                self.worker.model.get_parameter("model.norm.weight")[0] = nan
        return update

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


@pytest.fixture
def job(trio: Suites) -> Job:
    return Job(
        base="tiny", chain=(Stage(("corridor",), "easy"),), suites=(trio("corridor"),), config=CONFIG, seed=0
    )


@pytest.fixture
def upset(tiny: Path, trio: Suites) -> Callable[..., Upset]:
    """Makes backends that are upset in these steps."""
    return lambda *steps, broken=0: Upset(tiny, trio, steps, broken)


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


def test_a_step_whose_gradient_is_no_number_is_skipped_and_counted(
    job: Job, upset: Callable[..., Upset], tmp_path: Path
) -> None:
    folder = StageFolder(tmp_path)
    assert train(job, upset(2, 3), folder) == 4
    rows = list(folder.metrics)
    assert [row["updated"] for row in rows] == [True, False, False, True]
    assert [row.get("skipped") for row in rows] == [None, 1, 2, None]
    assert {rows[1][name] for name in ("loss", "grad_norm", "entropy", "kl", "mismatch", "tokens")} == {None}
    assert same(kept(folder, 1), kept(folder, 3))
    assert not same(kept(folder, 3), kept(folder, 4))
    assert "NaN" not in folder.metrics.path.read_text()


@pytest.mark.slow
def test_a_run_that_was_stopped_counts_skipped_steps_as_one_that_was_not(
    job: Job, upset: Callable[..., Upset], tmp_path: Path
) -> None:
    straight, stopped = StageFolder(tmp_path / "straight"), StageFolder(tmp_path / "stopped")
    train(job, upset(1, 3), straight)
    train(with_settings(job, "train.steps=2"), upset(1, 3), stopped)
    train(job, upset(1, 3), stopped)
    assert [row.get("skipped") for row in stopped.metrics] == [1, None, 2, None]
    assert figures(stopped) == figures(straight)
    assert same(kept(stopped, 4), kept(straight, 4))


def test_a_stage_with_too_many_skipped_steps_ends_and_says_how_to_go_on(
    job: Job, upset: Callable[..., Upset], tmp_path: Path
) -> None:
    folder = StageFolder(tmp_path)
    with pytest.raises(NotFinite) as ended:
        train(with_settings(job, "train.max_skipped=1"), upset(2, 3), folder)
    assert str(ended.value) == (
        "step 3 of corridor.easy: the gradient's norm is no finite number, and 2 steps of the stage were skipped "
        "by now where train.max_skipped is 1; go on from step 2 with other settings as a new stage, such as "
        "--resume --set train.lr=0.0001: corridor.easy[train.steps=2] > corridor.easy[train.lr=0.0001]"
    )
    assert folder.checkpoints() == [1, 2]
    assert read_json(folder.checkpoint(2) / "lineage.json")["chain"] == "corridor.easy[train.steps=2]"
    # The setting changes no weights: with more of it the same run goes on.
    assert train(with_settings(job, "train.max_skipped=2"), upset(2, 3), folder) == 4
    assert [row.get("skipped") for row in folder.metrics] == [None, 1, 2, None]


def test_weights_that_are_no_numbers_are_never_written(
    job: Job, upset: Callable[..., Upset], tmp_path: Path
) -> None:
    folder = StageFolder(tmp_path)
    with pytest.raises(NotFinite) as ended:
        train(job, upset(broken=1), folder)
    assert str(ended.value) == (
        "step 1 of corridor.easy: the weights hold NaN or inf in 'model.norm.weight', so no checkpoint is written; "
        "there is no checkpoint yet: begin again elsewhere with other settings, such as --set train.lr=0.0001"
    )
    assert folder.checkpoints() == []
    assert not list(tmp_path.rglob("*.safetensors"))


def test_logits_that_are_no_numbers_name_the_step_and_the_episode(
    job: Job, upset: Callable[..., Upset], tmp_path: Path
) -> None:
    with pytest.raises(NotFinite) as ended:
        train(with_settings(job, "train.save_every=9"), upset(broken=1), StageFolder(tmp_path))
    assert str(ended.value).startswith(
        "step 2 of corridor.easy: the model's logits are no finite numbers (conversation 'corridor.easy/step=2/"
        "corridor/corridor_"
    )


def test_a_training_from_before_the_setting_is_the_same_training(job: Job) -> None:
    assert "max_skipped" not in job.training["stages"][0]["train"]
    assert job.training == with_settings(job, "train.max_skipped=9").training
    assert not list(differences({"stages": [{"train": {}}]}, {"stages": [{"train": {"max_skipped": 3}}]}))


def test_how_many_steps_may_be_skipped_is_no_part_of_a_stage(job: Job) -> None:
    with pytest.raises(BadCall, match=r"a stage cannot change train.max_skipped"):
        Stage(("corridor",), changes=(("train.max_skipped", "5"),))
    with pytest.raises(BadCall, match=r"'train.max_skipped' takes a number from 0 up, not -1"):
        with_settings(job, "train.max_skipped=-1")
