import os
import signal
from collections.abc import Iterator
from multiprocessing import active_children
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from heldout.config import Limits, Source
from heldout.envs.registry import open_suite
from heldout.errors import BadCall, HeldoutError
from heldout.learn.batch import samples_of
from heldout.model.crew import Crew
from heldout.model.learner import Objective
from heldout.model.worker import Setting, Team, Worker
from heldout.records import Trajectory
from heldout.rollout.episode import Assignment

pytestmark = pytest.mark.slow

LIMITS = Limits(turns=2, response_budget=600, reply_tokens=16)
TASKS = open_suite("textcraft", Source()).tasks("train")[:5]
WORK = [Assignment(task=task, attempt=k, seed=0, stream="crew") for task in TASKS for k in range(2)]


@pytest.fixture(scope="module")
def crew(tiny: Path) -> Iterator[Crew]:
    with Crew(Setting(model=str(tiny), source=Source()), processes=2) as crew:
        yield crew


def played(team: Team) -> list[Trajectory]:
    return sorted(team.play(WORK, LIMITS), key=lambda each: each.stream)


def learned(team: Team, tiny: Path, folder: Path) -> dict[str, torch.Tensor]:
    """The weights after two updates on what the tiny model plays."""
    team.begin(str(tiny))
    samples = samples_of(played(team), [1.0, -1.0] * 5)
    for _ in range(2):
        assert team.learn(samples, Objective(lr=1e-3)).tokens == sum(
            map(sum, (map(bool, s.weights) for s in samples))
        )
    team.save(folder)
    return dict(load_file(folder / "model.safetensors"))


def test_a_crew_plays_the_same_each_time_and_as_one_worker_does(crew: Crew, worker: Worker) -> None:
    first = played(crew)
    assert [each.stream for each in first] == sorted(each.name for each in WORK)
    assert played(crew) == first
    ids = [[turn.reply.token_ids for turn in each.turns] for each in first]
    assert ids == [[turn.reply.token_ids for turn in each.turns] for each in played(worker)]


def test_two_processes_learn_what_one_does(crew: Crew, worker: Worker, tiny: Path, tmp_path: Path) -> None:
    together, alone = learned(crew, tiny, tmp_path / "two"), learned(worker, tiny, tmp_path / "one")
    before = load_file(tiny / "model.safetensors")
    assert max(float((together[name] - alone[name]).abs().max()) for name in alone) < 1e-5
    assert max(float((together[name] - before[name]).abs().max()) for name in alone) > 1e-3


def test_a_crew_goes_on_from_what_it_saved(crew: Crew, tiny: Path, tmp_path: Path) -> None:
    learned(crew, tiny, tmp_path / "one")
    after = played(crew)
    crew.begin(str(tiny))
    assert played(crew) != after
    crew.restore(tmp_path / "one")
    assert played(crew) == after


def test_a_crew_with_little_to_do_leaves_workers_idle(crew: Crew) -> None:
    assert len(list(crew.play(WORK[:1], LIMITS))) == 1
    assert list(crew.play([], LIMITS)) == []


def test_a_worker_that_is_killed_is_told_in_one_line_and_none_is_left(tiny: Path) -> None:
    others = set(active_children())
    with Crew(Setting(model=str(tiny), source=Source()), processes=2) as crew:
        workers = sorted(set(active_children()) - others, key=lambda each: each.name)
        assert [each.name for each in workers] == ["heldout-worker-0", "heldout-worker-1"]
        assert workers[1].pid
        os.kill(workers[1].pid, signal.SIGKILL)
        for _ in range(2):
            with pytest.raises(
                HeldoutError, match=r"^worker process heldout-worker-1 died \(exit code -9\); the run"
            ):
                list(crew.play(WORK, LIMITS))
    assert set(active_children()) == others


def test_a_crew_that_cannot_begin_says_why_and_leaves_none(tmp_path: Path) -> None:
    others = set(active_children())
    with pytest.raises(BadCall, match=r"has no config.json"):
        Crew(Setting(model=str(tmp_path), source=Source()), processes=1)
    assert set(active_children()) == others
