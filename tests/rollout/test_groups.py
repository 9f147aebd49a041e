"""Many episodes on one policy: nobody waits, the order of answers is forgotten, failures are retried."""

from collections.abc import Callable, Iterator
from typing import final

import pytest

from heldout.config import Limits
from heldout.envs.base import Suite
from heldout.errors import Unavailable
from heldout.policies.base import Answer, Request
from heldout.policies.privileged import oracle
from heldout.policies.scripted import ScriptedPolicy, script
from heldout.records import Ending, Reply, Task, Trajectory
from heldout.rollout.episode import Assignment
from heldout.rollout.groups import TRIES, group_by_task, play

Tasks = Callable[..., Task]
Suites = Callable[[str], Suite]
Unreliable = Callable[[int], tuple[Suite, object]]


def assignments(*tasks: Task, attempts: int = 1) -> Iterator[Assignment]:
    for task in tasks:
        for attempt in range(attempts):
            yield Assignment(task=task, attempt=attempt, seed=0, stream="test")


@final
class Slow:
    """Answers one request a call, the latest first, and counts how many it had at once."""

    def __init__(self, in_flight: int) -> None:
        self.in_flight = in_flight
        self.most = 0
        self.released = list[str]()
        self._open = list[Request]()

    def submit(self, request: Request) -> None:
        self._open.append(request)
        self.most = max(self.most, len(self._open))

    def collect(self) -> list[tuple[str, Reply]]:
        return [(self._open.pop().conversation, Reply(text="Action: go"))]

    def release(self, conversation: str) -> None:
        self.released.append(conversation)


def test_as_many_are_in_flight_as_the_policy_takes_and_each_is_released(suites: Suites, task: Tasks) -> None:
    policy = Slow(in_flight=3)
    work = assignments(*(task(2 + i % 2, name=f"t{i}") for i in range(7)))
    done = list(play(policy, work, Limits(), suites))
    assert policy.most == 3
    assert sorted(policy.released) == sorted(trajectory.stream for trajectory in done)
    assert {trajectory.ending for trajectory in done} == {Ending.SOLVED}


def test_a_short_episode_does_not_wait_for_a_long_one(suites: Suites, task: Tasks) -> None:
    work = assignments(task(4, name="long"), task(1, name="short"), task(1, name="next"))
    policy = script("Action: go")
    policy_of_two = Slow(in_flight=2)
    assert [t.task.id for t in play(policy, work, Limits(), suites)] == ["short", "next", "long"]
    work = assignments(task(4, name="long"), task(1, name="short"), task(1, name="next"))
    assert [t.task.id for t in play(policy_of_two, work, Limits(), suites)] == ["short", "next", "long"]


def test_tasks_are_taken_only_when_there_is_room_for_them(suites: Suites, task: Tasks) -> None:
    taken = list[str]()

    def work() -> Iterator[Assignment]:
        for assignment in assignments(*(task(1, name=f"t{i}") for i in range(5))):
            taken.append(assignment.task.id)
            yield assignment

    playing = play(Slow(in_flight=2), work(), Limits(), suites)
    next(playing)
    assert taken == ["t0", "t1"]


def test_no_work_is_no_trajectories(suites: Suites) -> None:
    assert list(play(script("Action: go"), [], Limits(), suites)) == []


def test_what_a_policy_says_depends_on_the_named_stream_alone(suites: Suites, task: Tasks) -> None:
    def dice(request: Request) -> str:
        return "Action: go" if request.seed % 3 else "Action: jump"

    def endings(in_flight_order: list[Task]) -> dict[str, Ending]:
        done = play(ScriptedPolicy(dice), assignments(*in_flight_order, attempts=4), Limits(), suites)
        return {trajectory.stream: trajectory.ending for trajectory in done}

    tasks = [task(3, name=f"t{i}") for i in range(6)]
    assert endings(tasks) == endings(tasks[::-1])
    assert set(endings(tasks).values()) == {Ending.SOLVED, Ending.FAILED}


@pytest.mark.parametrize("outages", [1, 2])
def test_an_episode_that_the_infrastructure_broke_is_played_again(
    outages: int, task: Tasks, unreliable: Unreliable
) -> None:
    suite, _ = unreliable(outages)
    [trajectory] = play(script("Action: go"), assignments(task(2)), Limits(), lambda _: suite)
    assert (trajectory.ending, trajectory.score) == (Ending.SOLVED, 1.0)


def test_after_the_last_try_the_error_is_the_ending(task: Tasks, unreliable: Unreliable) -> None:
    suite, _ = unreliable(TRIES)
    [trajectory] = play(script("Action: go"), assignments(task(2)), Limits(), lambda _: suite)
    assert (trajectory.ending, trajectory.error) == (Ending.ERROR, f"no answer ({TRIES})")


def test_a_group_is_the_attempts_at_one_task_in_order(suites: Suites, task: Tasks) -> None:
    done = list(play(oracle(suites), assignments(task(2), task(4), attempts=3), Limits(), suites))
    groups = group_by_task(reversed(done))
    assert [group.task.id for group in groups] == ["doors_2", "doors_4"]
    assert [[t.attempt for t in group.trajectories] for group in groups] == [[0, 1, 2], [0, 1, 2]]


def test_groups_do_not_depend_on_the_order_of_finishing(suites: Suites, task: Tasks) -> None:
    def run(in_flight: int) -> list[Trajectory]:
        work = assignments(task(2), task(4), task(3), attempts=2)
        return list(play(Slow(in_flight), work, Limits(), suites))

    assert [t.stream for t in run(1)] != [t.stream for t in run(6)]
    assert group_by_task(run(1)) == group_by_task(run(6))


@final
class Failing:
    """Answers every request, but that the named conversations have no answer the first so many times."""

    in_flight = 8

    def __init__(self, failures: dict[str, int]) -> None:
        self._failures = failures
        self._open = list[Request]()

    def submit(self, request: Request) -> None:
        self._open.append(request)

    def collect(self) -> list[tuple[str, Answer]]:
        asked, self._open = self._open, []
        return [(request.conversation, self._answer(request)) for request in asked]

    def release(self, conversation: str) -> None:
        """Nothing is kept."""

    def _answer(self, request: Request) -> Answer:
        if self._failures.get(request.task.id, 0) > 0:
            self._failures[request.task.id] -= 1
            return Unavailable("no answer from the server")
        return Reply(text="Action: go")


def test_a_reply_that_cannot_be_had_ends_its_own_episode_which_is_tried_again(suites: Suites, task: Tasks) -> None:
    policy = Failing({"once": 1, "never": 100})
    work = assignments(task(3, name="well"), task(3, name="once"), task(3, name="never"))
    done = {each.task.id: each for each in play(policy, work, Limits(), suites)}
    assert {name: each.ending for name, each in done.items()} == {
        "well": Ending.SOLVED,
        "once": Ending.SOLVED,
        "never": Ending.ERROR,
    }
    assert done["never"].error == "no answer from the server"
    assert [len(done[name].turns) for name in ("well", "once", "never")] == [3, 3, 0]
