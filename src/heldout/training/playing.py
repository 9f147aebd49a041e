"""The groups that a step plays: which tasks, by which streams of chance, and what of them may be learned from."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from heldout.backend.worker import Backend
from heldout.learn.groups import says_something, shaped
from heldout.learn.methods import method_of
from heldout.model.learner import Tell, unheard
from heldout.records import Ending, Group, Task, Trajectory
from heldout.rollout.episode import Assignment
from heldout.rollout.groups import group_by_task
from heldout.seeds import derive
from heldout.training.demonstrating import demonstrate
from heldout.training.job import Job
from heldout.training.task_sampler import tasks_of_step


def play_step(
    job: Job, backend: Backend, step: int, pools: Sequence[Sequence[Task]], tell: Tell = unheard
) -> tuple[list[Trajectory], list[Group]]:
    """All trajectories of a step in the order of their names, and the groups that may be learned from.

    Where the method draws again, the groups that say nothing are left out, and other tasks are played in their
    place, until there are as many groups as a step takes or it has drawn as often as it may.
    """
    settings, method = job.config.train, method_of(job.config.train)
    if not method.sampled:
        return demonstrate(job, backend, step, pools)
    trajectories, groups, asked = list[Trajectory](), list[Group](), set[tuple[str, str]]()
    for draw in range(1 + method.draws):
        drawn = _tasks_of_draw(job, pools, step, draw, settings.tasks - len(groups))
        tasks = [task for task in drawn if (task.env, task.id) not in asked]
        asked.update((task.env, task.id) for task in tasks)
        before = len(trajectories)
        in_all = before + len(tasks) * settings.group_size
        tell(before, in_all)
        for trajectory in _play_groups(job, backend, job.stream_of(step, draw), tasks):
            trajectories.append(trajectory)
            tell(len(trajectories), in_all)
        played = sorted(trajectories[before:], key=lambda each: each.stream)
        found = shaped(_usable(group_by_task(played)), method, job.config.limits.response_budget)
        groups += [group for group in found if not method.draws or says_something(group, method)]
        if len(groups) >= settings.tasks:
            break
    return sorted(trajectories, key=lambda each: each.stream), groups


def _tasks_of_draw(job: Job, pools: Sequence[Sequence[Task]], step: int, draw: int, count: int) -> list[Task]:
    """The tasks of a step, and those that are drawn in the place of some of them."""
    seed = derive(job.seed, job.stream) if not draw else derive(job.seed, job.stream, "draw", draw)
    return tasks_of_step(pools, step, count, seed, job.stage.weights)


def _play_groups(job: Job, backend: Backend, stream: str, tasks: Sequence[Task]) -> Iterator[Trajectory]:
    """G attempts at each task."""
    settings = job.config.train
    for suite in job.suites:
        assignments = [
            Assignment(task=task, attempt=attempt, seed=job.seed, stream=stream)
            for task in tasks
            if task.env == suite.name
            for attempt in range(settings.group_size)
        ]
        yield from backend.play(assignments, job.limits_in(suite), settings.temperature)


def _usable(groups: Sequence[Group]) -> list[Group]:
    """The groups without their infrastructure failures; one that is left with a single trajectory goes too."""
    kept = [
        replace(group, trajectories=tuple(t for t in group.trajectories if t.ending is not Ending.ERROR))
        for group in groups
    ]
    return [group for group in kept if len(group.trajectories) > 1]
