"""What is trained on where training is timed, and what a step and an update came to."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from heldout.bench.watch import PLAY, UPDATE, Watch
from heldout.config import Limits
from heldout.learn.batch import Sample
from heldout.records import Task, Trajectory
from heldout.rollout.groups import group_by_task
from heldout.seeds import derive
from heldout.training.job import Job
from heldout.training.stage import pools_of
from heldout.training.task_sampler import tasks_of_step

ROWS, ROWS_ON_GPU = (2, 4, 8), (8, 16, 32)
"""How many rows a padded micro-batch may have: each number is tried once, and the fastest is measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is trained on in every round: round n is step n of the job."""

    model: str
    job: Job
    rounds: int

    @property
    def limits(self) -> Limits:
        """An episode's, by the rule of training."""
        return self.job.limits_in(self.job.suites[0])

    @property
    def sequences(self) -> int:
        """How many episodes a step plays."""
        return self.job.config.train.tasks * self.job.config.train.group_size

    @property
    def rows(self) -> list[int]:
        """The sizes of micro-batches to try that a step divides into; a group's where it divides into none."""
        sizes = ROWS_ON_GPU if torch.cuda.is_available() else ROWS
        return [rows for rows in sizes if self.sequences % rows == 0] or [self.job.config.train.group_size]

    @property
    def extra(self) -> int:
        """The number of the step that is not counted, from which the sizes are tried."""
        return self.rounds + 1

    def tasks(self, step: int) -> list[Task]:
        """Those of a step, as training chooses them."""
        job = self.job
        return tasks_of_step(
            pools_of(job), step, job.config.train.tasks, derive(job.seed, job.stream), job.stage.weights
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of GRPO."""

    seconds: float
    play: float
    update: float
    cpu_seconds: float | None
    """None where several processes share the work."""
    model: float | None
    """Seconds of the play that passed inside the model; None where it is not known."""
    tasks: tuple[str, ...]
    episodes: int
    turns: int
    tokens: int
    """That the model itself sampled."""
    learned: int
    """Sequences in the update: ours leaves out groups whose rewards agree, which have no gradient."""

    @property
    def between(self) -> float:
        """Seconds for all else: ours writes trajectories down, counts advantages; TRL pads and decodes."""
        return self.seconds - self.play - self.update

    @property
    def seconds_a_token(self) -> float:
        """Of the whole step, for each generated token."""
        return self.seconds / self.tokens

    @property
    def tokens_per_second(self) -> float:
        """Generated tokens in a second of the whole step."""
        return self.tokens / self.seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """One update from given trajectories."""

    seconds: float
    cpu_seconds: float
    sequences: int
    trained: int
    """Tokens with a loss: those that the model sampled."""
    read: int
    """All ids of the sequences."""
    padded: int
    """The same with the padding."""
    rows: int | None = None
    """Sequences of a micro-batch; None where their lengths decide."""

    @property
    def trained_per_second(self) -> float:
        """Trained tokens in a second."""
        return self.trained / self.seconds

    @property
    def read_per_second(self) -> float:
        """Ids without padding in a second."""
        return self.read / self.seconds

    @property
    def padding(self) -> float:
        """Share of what the model is given that is padding."""
        return 1 - self.read / self.padded


def step_of(watch: Watch, played: Sequence[Trajectory], *, learned: int, model: float | None) -> Step:
    """What a step came to; without a time in the model, others shared the work and their time is not known."""
    return Step(
        seconds=sum(watch.seconds.values()),
        play=watch.seconds[PLAY],
        update=watch.seconds[UPDATE],
        cpu_seconds=None if model is None else sum(watch.cpu_seconds.values()),
        model=model,
        tasks=tuple(group.task.id for group in group_by_task(played)),
        episodes=len(played),
        turns=sum(len(trajectory.turns) for trajectory in played),
        tokens=sum(trajectory.generated_tokens for trajectory in played),
        learned=learned,
    )


def update_of(watch: Watch, samples: Sequence[Sample], padded: int, rows: int | None) -> Update:
    """What an update came to; `padded` is how many ids its model was given."""
    return Update(
        seconds=watch.seconds[UPDATE],
        cpu_seconds=watch.cpu_seconds[UPDATE],
        sequences=len(samples),
        trained=sum(weight > 0 for sample in samples for weight in sample.weights),
        read=sum(len(sample.ids) for sample in samples),
        padded=padded,
        rows=rows,
    )
