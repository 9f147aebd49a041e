import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import nan
from multiprocessing import active_children
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from heldout.backend.processes import ProcessBackend, default_processes
from heldout.backend.worker import Backend, Worker, WorkerConfig
from heldout.config import Limits, Source
from heldout.envs.registry import open_suite
from heldout.errors import BadCall, HeldoutError
from heldout.learn.batch import Sample, samples_of
from heldout.learn.methods import Method
from heldout.model import load
from heldout.model.learner import Objective, Update
from heldout.records import Trajectory
from heldout.rollout.episode import Assignment
from heldout.store.trajectories import Trajectories

pytestmark = pytest.mark.slow

Weights = dict[str, Tensor]

LIMITS = Limits(max_turns=2, response_budget=600, reply_tokens=16)
TASKS = open_suite("textcraft", Source()).tasks("train")[:5]
WORK = [Assignment(task=task, attempt=k, seed=0, stream="crew") for task in TASKS for k in range(2)]
SAVED = 9


@pytest.fixture(scope="module")
def anchored(tiny: Path) -> WorkerConfig:
    return WorkerConfig(model=str(tiny), source=Source(), reference=str(tiny))


@pytest.fixture(scope="module")
def process_backend(anchored: WorkerConfig) -> Iterator[ProcessBackend]:
    with ProcessBackend(anchored, processes=2) as process_backend:
        yield process_backend


def played(backend: Backend) -> list[Trajectory]:
    return sorted(backend.play(WORK, LIMITS), key=lambda each: each.stream)


@pytest.mark.very_slow
def test_a_play_that_is_abandoned_ends_the_backend_and_is_not_taken_for_a_later_answer(
    anchored: WorkerConfig,
) -> None:
    with ProcessBackend(anchored, processes=2) as process_backend:
        for _ in process_backend.play(WORK, LIMITS):
            break
        with pytest.raises(HeldoutError, match="this backend has ended: start another"):
            list(process_backend.play(WORK, LIMITS))


def learned(backend: Backend, tiny: Path, folder: Path) -> Weights:
    """The weights after two updates on what the tiny model plays."""
    backend.load(str(tiny))
    samples = samples_of(played(backend), [1.0, -1.0] * 5)
    for _ in range(2):
        assert backend.learn(samples, Objective(lr=1e-3)).tokens == sum(
            map(sum, (map(bool, s.weights) for s in samples))
        )
    backend.save(folder)
    return dict(load_file(folder / "model.safetensors"))


def test_a_backend_plays_the_same_each_time_and_as_one_worker_does(
    process_backend: ProcessBackend, worker: Worker
) -> None:
    first = played(process_backend)
    assert [each.stream for each in first] == sorted(each.name for each in WORK)
    assert played(process_backend) == first
    ids = [[turn.reply.token_ids for turn in each.turns] for each in first]
    assert ids == [[turn.reply.token_ids for turn in each.turns] for each in played(worker)]


def test_two_processes_learn_what_one_does(
    process_backend: ProcessBackend, worker: Worker, tiny: Path, tmp_path: Path
) -> None:
    """Adam's first steps go by signs: where a gradient is all rounding a weight may differ, few do."""
    together, alone = learned(process_backend, tiny, tmp_path / "two"), learned(worker, tiny, tmp_path / "one")
    before = load_file(tiny / "model.safetensors")
    assert distance(together, alone) < 1e-3 * distance(before, alone)
    assert max(float((together[name] - before[name]).abs().max()) for name in alone) > 1e-3


def distance(one: Weights, other: Weights) -> float:
    return float(torch.cat([(one[name] - other[name]).flatten() for name in one]).norm())


@pytest.fixture(scope="module")
def rollouts(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Trajectory]:
    """As a later process finds them; an odd number, so that two shares are not alike."""
    saved = Trajectories(tmp_path_factory.mktemp("rollouts") / "step_1.jsonl.zst")
    saved.extend(played(Worker(WorkerConfig(model=str(tiny), source=Source())))[:9])
    return list(saved)


@pytest.fixture(scope="module")
def one(anchored: WorkerConfig) -> Iterator[ProcessBackend]:
    with ProcessBackend(anchored, processes=1) as process_backend:
        yield process_backend


@pytest.fixture(scope="module")
def elsewhere(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that is away from the reference, so that the KL term has a gradient."""
    folder = tmp_path_factory.mktemp("models") / "elsewhere"
    model, tokenizer = load.load(str(tiny))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter *= 1.05
    load.save(model, tokenizer, folder)
    return folder


def first_moment(
    backend: Backend, samples: Sequence[Sample], objective: Objective, folder: Path
) -> tuple[Update, Tensor]:
    """What an update did, and from the optimizer's first moment, (1 - β1) g, the gradient that it stepped by."""
    update = backend.learn(samples, objective)
    backend.save(folder)
    moments = load_file(folder / "optimizer.safetensors")
    ordered = sorted(
        (name for name in moments if name.endswith(".exp_avg")), key=lambda name: int(name.split(".")[0])
    )
    return update, torch.cat([moments[name].flatten() for name in ordered]) / (1 - 0.9)


@pytest.mark.parametrize("average", ["sequence", "token"])
@pytest.mark.parametrize("most", [0.05, 1e9], ids=["clipped", "whole"])
def test_two_processes_one_and_none_take_the_same_gradient_from_saved_rollouts(
    process_backend: ProcessBackend,
    one: ProcessBackend,
    anchored: WorkerConfig,
    elsewhere: Path,
    rollouts: list[Trajectory],
    tmp_path: Path,
    average: str,
    most: float,
) -> None:
    objective = Objective(lr=1e-3, method=Method(kl=0.1), entropy=0.01, max_grad_norm=most, batch_tokens=1500)
    samples = samples_of(rollouts, [(-1) ** k * (1 + k / 4) for k in range(SAVED)], average)
    backends: dict[str, Backend] = {"none": Worker(anchored), "one": one, "two": process_backend}
    updates, gradients = dict[str, Update](), dict[str, Tensor]()
    for name, backend in backends.items():
        backend.load(str(elsewhere))
        updates[name], gradients[name] = first_moment(backend, samples, objective, tmp_path / name)
    alone, gradient = updates["none"], gradients["none"]
    assert float(gradient.norm()) == pytest.approx(min(alone.grad_norm, most), rel=1e-4)
    assert alone.grad_norm > 0.1
    for name in ("one", "two"):
        assert float((gradients[name] - gradient).norm() / gradient.norm()) < 1e-5
        for figure in ("loss", "grad_norm", "entropy", "kl", "mismatch", "clip_fraction", "tokens"):
            assert getattr(updates[name], figure) == pytest.approx(getattr(alone, figure), rel=1e-5, abs=1e-7)


def test_a_gradient_that_is_no_number_in_one_share_is_skipped_in_all_processes(
    process_backend: ProcessBackend, elsewhere: Path, rollouts: list[Trajectory], tmp_path: Path
) -> None:
    """Weights and moments of every process stay: the next step, of both, is as if it had not been."""
    objective = Objective(lr=1e-3, method=Method(kl=0.1))
    samples = samples_of(rollouts, [(-1.0) ** k for k in range(SAVED)])
    wrong = [replace(samples[0], advantage=nan), *samples[1:]]
    ends = list[Weights]()
    for batches in ((samples, samples), (samples, wrong, samples)):
        process_backend.load(str(elsewhere))
        updates = [process_backend.learn(each, objective) for each in batches]
        assert [update.is_skipped for update in updates] == [each is wrong for each in batches]
        folder = tmp_path / str(len(batches))
        process_backend.save(folder)
        ends.append(load_file(folder / "model.safetensors") | load_file(folder / "optimizer.safetensors"))
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])


def test_a_backend_goes_on_from_what_it_saved(process_backend: ProcessBackend, tiny: Path, tmp_path: Path) -> None:
    learned(process_backend, tiny, tmp_path / "one")
    after = played(process_backend)
    process_backend.load(str(tiny))
    assert played(process_backend) != after
    process_backend.restore(tmp_path / "one")
    assert played(process_backend) == after


def test_a_backend_with_little_to_do_leaves_workers_idle(process_backend: ProcessBackend) -> None:
    assert len(list(process_backend.play(WORK[:1], LIMITS))) == 1
    assert list(process_backend.play([], LIMITS)) == []


def test_a_worker_that_is_killed_is_told_in_one_line_and_none_is_left(tiny: Path) -> None:
    others = set(active_children())
    with ProcessBackend(WorkerConfig(model=str(tiny), source=Source()), processes=2) as process_backend:
        workers = sorted(set(active_children()) - others, key=lambda each: each.name)
        assert [each.name for each in workers] == ["heldout-worker-0", "heldout-worker-1"]
        assert workers[1].pid
        os.kill(workers[1].pid, signal.SIGKILL)
        for _ in range(2):
            with pytest.raises(
                HeldoutError, match=r"^worker process heldout-worker-1 died \(exit code -9\); the run"
            ):
                list(process_backend.play(WORK, LIMITS))
    assert set(active_children()) == others


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="only Linux says who listens where")
def test_workers_meet_where_no_other_machine_can_call(process_backend: ProcessBackend) -> None:
    """The processes of a backend listen at 127.0.0.1 alone."""
    assert list(process_backend.play(WORK[:1], LIMITS))
    workers = [each.pid for each in active_children() if each.name.startswith("heldout-worker")]
    addresses = {address for pid in workers for address in listening(pid)}
    assert addresses == {"0100007F"}


def listening(pid: int | None) -> Iterator[str]:
    """The addresses, as the kernel writes them, at which a process listens."""
    sockets = {link.readlink().name for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *_, inode = line.split()[:10]
            if state == "0A" and f"socket:[{inode}]" in sockets:
                yield local.partition(":")[0]


def test_where_a_system_does_not_tell_who_may_run_where_all_cores_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """macOS has no os.sched_getaffinity."""
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    assert default_processes() == 1
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert default_processes() == 2


def test_a_backend_that_cannot_begin_says_why_and_leaves_none(tmp_path: Path) -> None:
    others = set(active_children())
    with pytest.raises(BadCall, match=r"has no config.json"):
        ProcessBackend(WorkerConfig(model=str(tmp_path), source=Source()), processes=1)
    assert set(active_children()) == others


CALLER = """
import sys
from multiprocessing import active_children
from heldout.config import Limits, Source
from heldout.envs.registry import open_suite
from heldout.backend.processes import ProcessBackend
from heldout.backend.worker import WorkerConfig
from heldout.rollout.episode import Assignment

if __name__ == "__main__":
    tasks = open_suite("textcraft", Source()).tasks("train")
    work = [Assignment(task=task, attempt=k, seed=0, stream="crew") for task in tasks for k in range(100)]
    with ProcessBackend(WorkerConfig(model=sys.argv[1], source=Source()), processes=2) as backend:
        for played in backend.play(work, Limits(max_turns=2, response_budget=600, reply_tokens=16)):
            print(*[each.pid for each in active_children()], flush=True)
"""


def test_workers_end_at_once_with_a_caller_that_is_killed_and_leave_nothing(tiny: Path, tmp_path: Path) -> None:
    call = [sys.executable, "-c", CALLER, str(tiny)]
    with subprocess.Popen(
        call, stdout=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(tmp_path)}
    ) as caller:
        assert caller.stdout
        workers = [int(pid) for pid in caller.stdout.readline().split()]
        assert len(workers) == 2
        caller.kill()
    last = time.monotonic() + 10
    while any(runs(pid) for pid in workers):
        assert time.monotonic() < last
        time.sleep(0.02)
    assert list(tmp_path.iterdir()) == []


def runs(pid: int) -> bool:
    """Whether a process is there, and not only its name."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
