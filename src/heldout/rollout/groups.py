"""Many episodes at once on one policy: when one turn ends its environment steps at once; nobody waits.

Everything here runs in one thread, in an order that depends on the policy's answers alone.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator

from heldout.config import Limits
from heldout.envs.base import Suite
from heldout.errors import Unavailable
from heldout.policies.base import Answer, Policy, Request
from heldout.records import Ending, Group, Task, Trajectory
from heldout.rollout.episode import Assignment, Playing, episode

TRIES = 3
"""How often an episode is played when the infrastructure fails; each time with the same chance."""

Play = Callable[[Iterable[Assignment], Limits], Iterator[Trajectory]]
"""Whatever plays episodes: one policy in this process, or several processes."""


def play(
    policy: Policy, assignments: Iterable[Assignment], limits: Limits, suites: Callable[[str], Suite]
) -> Iterator[Trajectory]:
    """The trajectories, each as soon as it is finished; as many in flight as the policy takes."""
    waiting = iter(assignments)
    live = dict[str, tuple[Assignment, Playing]]()
    tries = Counter[str]()

    def admit(assignment: Assignment) -> Iterator[Trajectory]:
        playing = episode(suites(assignment.task.env), assignment, limits)
        live[assignment.name] = (assignment, playing)
        tries[assignment.name] += 1
        return go_on(assignment.name, None)

    def go_on(name: str, answer: Answer | None) -> Iterator[Trajectory]:
        """Nothing while the episode lasts; its trajectory when it is over, which may be before any reply."""
        assignment, playing = live[name]
        try:
            policy.submit(_request(playing, answer))
        except StopIteration as finished:
            policy.release(name)
            del live[name]
            if finished.value.ending is Ending.ERROR and tries[name] < TRIES:
                yield from admit(assignment)
            else:
                yield finished.value

    while True:
        while len(live) < policy.in_flight and (assignment := next(waiting, None)):
            yield from admit(assignment)
        if not live:
            return
        for name, answer in policy.collect():
            yield from go_on(name, answer)


def _request(playing: Playing, answer: Answer | None) -> Request:
    """What an episode asks for next; one whose reply cannot be had is told so, and ends with an error."""
    if answer is None:
        return next(playing)
    return playing.throw(answer) if isinstance(answer, Unavailable) else playing.send(answer)


def group_by_task(trajectories: Iterable[Trajectory]) -> list[Group]:
    """The trajectories by task, in the order of their names: the order that they finished in is forgotten."""
    by_task = defaultdict[tuple[str, str], list[Trajectory]](list)
    for trajectory in trajectories:
        by_task[trajectory.task.env, trajectory.task.id].append(trajectory)
    return [_group(members[0].task, members) for _, members in sorted(by_task.items())]


def _group(task: Task, members: list[Trajectory]) -> Group:
    return Group(task=task, trajectories=tuple(sorted(members, key=lambda member: member.attempt)))
