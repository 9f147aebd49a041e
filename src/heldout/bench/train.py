"""How fast training is: a step of GRPO by its parts, and its update alone, each beside others in one run.

Ours is the training's own `one_step`. Every step begins with the same weights and an optimizer that remembers
nothing, so rounds differ by their tasks and their chance only.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Protocol, TypeVar, final

import torch

from heldout.agents import open_backend
from heldout.backend.worker import Backend, Worker, WorkerConfig
from heldout.bench.machine import Machine, machine, one_thread
from heldout.bench.steps import Step, Update, Work, step_of, update_of
from heldout.bench.watch import BETWEEN, PLAY, UPDATE, Watch
from heldout.config import Limits
from heldout.learn.batch import Batch, Sample, batch_of, micro_batches
from heldout.learn.groups import samples_of_all
from heldout.learn.methods import method_of
from heldout.model.learner import Objective, Tell, unheard
from heldout.model.learner import Update as Figures
from heldout.records import Trajectory
from heldout.rollout.episode import Assignment
from heldout.rollout.groups import group_by_task
from heldout.store.runs import StageFolder
from heldout.training.learning import objective
from heldout.training.stage import claim, one_step, pools_of, save

OURS, PADDED, TRL = "heldout", "heldout, padded", "trl"
"""The approaches; `PADDED` is our update with rows as they come, as many in each micro-batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Rounds of each approach, taken in turn, so that what disturbs the machine disturbs all."""

    steps: Mapping[str, Sequence[Step]]
    updates: Mapping[str, Sequence[Update]]
    saving: float
    """Seconds of a checkpoint of ours, which is no part of a step."""
    before: Machine
    after: Machine


R = TypeVar("R", Step, Update)
Take = Callable[[int], R]
"""The step of that number, or the update from what our step of that number played."""


def ratio(ours: Sequence[R], others: Sequence[R], figure: str = "seconds") -> float:
    """How many times as much of a figure the others have: the median over pairs."""
    pairs = zip(ours, others, strict=True)
    return median(float(getattr(other, figure) / getattr(our, figure)) for our, other in pairs)


class Rival(Protocol):
    """Another trainer that plays and learns by the same settings."""

    def step(self, number: int, rows: int, max_turns: int | None = None) -> Step:
        """One step from the first weights, with so many rows in a micro-batch; `max_turns` is another K."""
        ...

    def update(self, folder: StageFolder, number: int, rows: int) -> Update:
        """The update alone, from all trajectories of our step of that number."""
        ...


def compare(work: Work, rival: Rival | None, tell: Callable[[str, Step | Update], None]) -> Comparison:
    """Trains by each approach in turn, on one thread; what comes before the first round is not counted.

    `tell` hears of each step and update by the name of its approach.
    """
    with one_thread(), ExitStack() as stack:
        folder = StageFolder(Path(stack.enter_context(TemporaryDirectory(prefix="heldout-bench-"))))
        claim(work.job, folder)
        worker = Worker(_worker_config(work))
        steps: dict[str, Take[Step]] = {OURS: partial(step, work, worker, folder)}
        processes = work.job.config.processes
        if processes > 1:
            backend = stack.enter_context(open_backend(work.model, work.job.config))
            steps[f"{OURS}, {processes} processes"] = partial(step, work, backend, folder)
        for take in reversed(steps.values()):
            take(work.extra)
        updates: dict[str, Take[Update]] = {OURS: partial(update, work, worker, folder)}
        rows = _fastest(work, lambda rows: update(work, worker, folder, work.extra, rows))
        updates[PADDED] = partial(update, work, worker, folder, rows=rows)
        if rival:
            rows = _fastest(work, lambda rows: rival.update(folder, work.extra, rows))
            updates[TRL] = partial(rival.update, folder, rows=rows)
            steps[TRL] = partial(rival.step, rows=rows)
            rival.step(work.extra, rows, max_turns=1)
        before = machine()
        numbers = range(1, work.rounds + 1)
        return Comparison(
            steps=_in_turn(steps, numbers, tell),
            updates=_in_turn(updates, numbers, tell),
            saving=_saving(work, worker, folder),
            before=before,
            after=machine(),
        )


def step(work: Work, backend: Backend, folder: StageFolder, number: int) -> Step:
    """One step of ours, from the first weights; the folder has its trajectories."""
    backend.load(work.model)
    pools = pools_of(work.job)
    alone = backend if isinstance(backend, Worker) else None
    model = alone.model_seconds if alone else 0.0
    timed = _Timed(backend)
    one_step(work.job, timed, folder, number, pools)
    timed.watch.lap(BETWEEN)
    return step_of(
        timed.watch,
        list(folder.rollouts(number)),
        learned=timed.learned,
        model=alone and alone.model_seconds - model,
    )


def update(work: Work, worker: Worker, folder: StageFolder, number: int, rows: int | None = None) -> Update:
    """One update of ours, from the first weights and all trajectories of a step; `rows` is a micro-batch's size."""
    worker.load(work.model)
    settings = work.job.config.train
    samples = samples_of_all(group_by_task(folder.rollouts(number)), method_of(settings))
    batches = list[Batch]()

    def cut(samples: Sequence[Sample], budget: int) -> list[Batch]:
        batches[:] = _as_they_come(samples, rows) if rows else micro_batches(samples, budget)
        return batches

    watch = Watch()
    worker.learner.learn(samples, objective(settings, number), cut)
    watch.lap(UPDATE)
    return update_of(watch, samples, sum(batch.ids_BT.numel() for batch in batches), rows)


def _as_they_come(samples: Sequence[Sample], rows: int) -> list[Batch]:
    """Micro-batches of so many rows, whatever their lengths."""
    return [batch_of(samples[at : at + rows]) for at in range(0, len(samples), rows)]


@final
class _Timed:
    """A backend whose time is taken."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.watch = Watch()
        self.learned = 0

    def play(
        self, assignments: Iterable[Assignment], limits: Limits, temperature: float = 1.0
    ) -> Iterator[Trajectory]:
        """The trajectories, once all are there."""
        self.watch.lap(BETWEEN)
        played = list(self._backend.play(assignments, limits, temperature))
        self.watch.lap(PLAY)
        return iter(played)

    def learn(self, samples: Sequence[Sample], objective: Objective, tell: Tell = unheard) -> Figures:
        """One batch."""
        self.watch.lap(BETWEEN)
        figures = self._backend.learn(samples, objective, tell)
        self.watch.lap(UPDATE)
        self.learned = len(samples)
        return figures

    def reference_logprobs(
        self, samples: Sequence[Sample], temperature: float, batch_tokens: int
    ) -> list[tuple[float, ...]]:
        """As the backend does."""
        return self._backend.reference_logprobs(samples, temperature, batch_tokens)

    def spell(self, trajectories: Sequence[Trajectory]) -> list[Trajectory]:
        """As the backend does."""
        return self._backend.spell(trajectories)

    def save(self, folder: Path, state: bool = True) -> None:
        """As the backend does."""
        self._backend.save(folder, state)

    def load(self, name: str) -> None:
        """As the backend does."""
        self._backend.load(name)

    def restore(self, folder: Path) -> None:
        """As the backend does."""
        self._backend.restore(folder)


def _worker_config(work: Work) -> WorkerConfig:
    return WorkerConfig(
        model=work.model,
        source=work.job.config.source,
        device="cuda" if torch.cuda.is_available() else "cpu",
        weight_decay=work.job.config.train.weight_decay,
    )


def _in_turn(
    approaches: Mapping[str, Take[R]], numbers: Iterable[int], tell: Callable[[str, R], None]
) -> dict[str, list[R]]:
    """What each approach took, round by round."""
    taken: dict[str, list[R]] = {name: [] for name in approaches}
    for number in numbers:
        for name, take in approaches.items():
            taken[name].append(take(number))
            tell(name, taken[name][-1])
    return taken


def _fastest(work: Work, made: Callable[[int], Update]) -> int:
    """The number of rows with which an update takes the least processor time."""
    return min(work.rows, key=lambda rows: made(rows).cpu_seconds)


def _saving(work: Work, worker: Worker, folder: StageFolder) -> float:
    watch = Watch()
    save(work.job, worker, folder, work.extra)
    watch.lap(BETWEEN)
    return watch.seconds[BETWEEN]
