"""Every algorithm trains, goes on where it was stopped to the same bits."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from heldout.backend.worker import Worker, WorkerConfig
from heldout.chains import Stage
from heldout.config import Config, Limits, Source, Train
from heldout.envs.base import Suite
from heldout.learn.methods import METHODS
from heldout.store.runs import StageFolder
from heldout.training.job import Job
from heldout.training.stage import train

Weights = dict[str, torch.Tensor]


@pytest.fixture
def begin(tiny: Path, trio: Callable[[str], Suite]) -> Callable[[], Worker]:
    """Makes workers that hold the tiny model, and itself as the teacher."""

    def made() -> Worker:
        worker = Worker(WorkerConfig(model=str(tiny), source=Source(), slots=16, reference=str(tiny)))
        worker.suite = trio  # type: ignore[method-assign, assignment]  # the corridor is in no registry
        return worker

    return made


def job_of(trio: Callable[[str], Suite], algorithm: str, steps: int) -> Job:
    settings = Train(
        algorithm=algorithm,
        reference="teacher" if algorithm == "distill" else "base",
        steps=steps,
        tasks=4,
        group_size=4,
        lr=1e-3,
        draws=2 if algorithm == "dapo" else None,
        save_every=1,
    )
    config = Config(limits=Limits(response_budget=400, reply_tokens=12), train=settings)
    return Job(base="tiny", chain=(Stage(("corridor",)),), suites=(trio("corridor"),), config=config, seed=0)


def weights(folder: StageFolder, step: int) -> Weights:
    at = folder.checkpoint(step)
    return {**load_file(at / "model.safetensors"), **load_file(at / "optimizer.safetensors")}


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", METHODS)
def test_it_goes_on_where_it_was_stopped_to_the_same_bits(
    algorithm: str, begin: Callable[[], Worker], trio: Callable[[str], Suite], tmp_path: Path
) -> None:
    straight, stopped = StageFolder(tmp_path / "straight"), StageFolder(tmp_path / "stopped")
    assert train(job_of(trio, algorithm, 3), begin(), straight) == 3
    train(job_of(trio, algorithm, 2), begin(), stopped)
    train(job_of(trio, algorithm, 3), begin(), stopped)
    one, other = weights(straight, 3), weights(stopped, 3)
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    rows = list(straight.metrics)
    assert all(row["score"] is not None for row in rows)
    if any(row["updated"] for row in rows):
        assert not torch.equal(weights(straight, 1)["model.norm.weight"], one["model.norm.weight"])
