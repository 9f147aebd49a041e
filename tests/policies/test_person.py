"""A person at the keyboard."""

from collections.abc import Callable, Iterator

import pytest

from heldout.config import Limits
from heldout.envs.base import Suite
from heldout.policies.person import HELP, Person, Stopped
from heldout.records import Task, Trajectory
from heldout.rollout.episode import Assignment
from heldout.rollout.groups import play

Tasks = Callable[..., Task]


def sit(suite: Suite, task: Task, *lines: str) -> tuple[list[str], Iterator[Trajectory]]:
    """What a person reads, as it comes, and the episode of one who types these lines."""
    typed, read = iter(lines), list[str]()

    def listen(_: str) -> str:
        line = next(typed, None)
        if line is None:
            raise EOFError
        return line

    assignment = Assignment(task=task, attempt=0, seed=0, stream="test")
    return read, play(Person(suite, listen, read.append), [assignment], Limits(), lambda _: suite)


def test_a_bare_action_is_enough_and_a_whole_reply_is_taken_as_it_is(doors: Suite, task: Tasks) -> None:
    read, playing = sit(doors, task(3), "go", "Thought: on. Action: go", "Thought:", "on", "", "Action:", "go")
    [trajectory] = playing
    assert trajectory.success
    assert [turn.reply.text for turn in trajectory.turns] == [
        "Action: go",
        "Thought: on. Action: go",
        "Thought:\non\n\nAction:\ngo",
    ]
    assert read == ["Go to the end.\n\n3 doors.", "Door 1.", "Door 2."]


def test_a_hint_is_what_the_oracle_would_do_here_and_costs_nothing(doors: Suite, task: Tasks) -> None:
    read, playing = sit(doors, task(1), ":hint", "", ":what", "go")
    [trajectory] = playing
    assert read[1:] == ["go", f"{HELP}\n  go\n  jump"]
    assert len(trajectory.turns) == 1


def test_a_question_mark_lists_the_actions_and_costs_no_turn(doors: Suite, task: Tasks) -> None:
    read, playing = sit(doors, task(1), "?", "go")
    [trajectory] = playing
    assert read[1:] == [f"{HELP}\n  go\n  jump"]
    assert [turn.action for turn in trajectory.turns] == ["go"]


@pytest.mark.parametrize("lines", [("go", ":quit", "go"), ("go",), ("go", "Thought: and then")])
def test_a_person_may_stop_or_run_out_of_lines(doors: Suite, task: Tasks, lines: tuple[str, ...]) -> None:
    _, playing = sit(doors, task(3), *lines)
    with pytest.raises(Stopped):
        next(playing)
