"""What a stage that imitates learns from: episodes of the oracle on the stage's tasks, or recorded ones."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from heldout.backend.worker import Backend
from heldout.errors import BadCall
from heldout.policies.privileged import oracle
from heldout.records import Ending, Group, Task, Trajectory
from heldout.rollout.episode import Assignment
from heldout.rollout.groups import play
from heldout.seeds import derive, stream
from heldout.store.trajectories import Trajectories
from heldout.training.job import Job
from heldout.training.task_sampler import tasks_of_step

ORACLE = "oracle"


def demonstrate(
    job: Job, backend: Backend, step: int, pools: Sequence[Sequence[Task]]
) -> tuple[list[Trajectory], list[Group]]:
    """The step's demonstrations in the order of their names, as many as reinforcement would play episodes, with
    the ids that the model would have said; and each as a group of its own, but for those that its budget of
    tokens does not hold.
    """
    settings = job.config.train
    count = settings.tasks * settings.group_size
    if settings.demonstrations == ORACLE:
        seed = derive(job.seed, job.stream)
        shown = list(_of_oracle(job, step, tasks_of_step(pools, step, count, seed, job.stage.weights)))
    else:
        shown = _of_file(job, step, count, pools)
    spelled = backend.spell(sorted(shown, key=lambda each: each.stream))
    budget = job.config.limits.response_budget
    fitting = [each for each in spelled if each.ending is not Ending.ERROR and each.response_length <= budget]
    return spelled, [Group(task=each.task, trajectories=(each,)) for each in fitting]


def _of_oracle(job: Job, step: int, tasks: Sequence[Task]) -> Iterator[Trajectory]:
    suites = {suite.name: suite for suite in job.suites}
    for suite in job.suites:
        own = [
            Assignment(task=task, attempt=0, seed=job.seed, stream=job.stream_of(step))
            for task in tasks
            if task.env == suite.name
        ]
        yield from play(oracle(suites.__getitem__), own, job.limits_in(suite), suites.__getitem__)


def _of_file(job: Job, step: int, count: int, pools: Sequence[Sequence[Task]]) -> list[Trajectory]:
    """The step's share of recorded episodes, in an order by the seed, over and over; only of the stage's tasks."""
    path = Path(job.config.train.demonstrations)
    if not path.is_file():
        raise BadCall(
            f"train.demonstrations is {ORACLE} or a file of trajectories (.jsonl.zst), and {path} is none"
        )
    asked = {(task.env, task.id) for pool in pools for task in pool}
    recorded = _read(path, path.stat().st_mtime_ns)
    own = [each for each in recorded if (each.task.env, each.task.id) in asked and each.turns]
    if not own:
        raise BadCall(f"{path} has {len(recorded)} trajectories, and none of a training task of this stage")
    stream(job.seed, job.stream, "demonstrations").shuffle(own)
    first = (step - 1) * count
    return [
        replace(own[number % len(own)], stream=f"{job.stream_of(step)}/{number:09}")
        for number in range(first, first + count)
    ]


@lru_cache(maxsize=1)
def _read(path: Path, written: int) -> tuple[Trajectory, ...]:
    """All trajectories of a file as it was written then: read once, and not at every step."""
    del written
    return tuple(Trajectories(path))
