"""The turn limit: how it ends an episode, and what it leaves alone."""

from collections.abc import Callable

from heldout.envs.base import Suite
from heldout.records import Ending, Step, Task
from heldout.rollout.limits import TurnLimit


def limited(suite: Suite, task: Task, limit: int) -> TurnLimit:
    env = TurnLimit(suite.open(task), limit)
    env.start()
    return env


def test_the_last_turn_ends_the_episode_with_its_own_answer(doors: Suite, task: Callable[..., Task]) -> None:
    env = limited(doors, task(4), 2)
    assert env.step("go").ending is None
    assert env.step("go") == Step("Door 2.", reward=0.25, score=0.5, ending=Ending.OUT_OF_TURNS, digest="2")


def test_a_task_done_at_the_last_turn_is_solved(doors: Suite, task: Callable[..., Task]) -> None:
    env = limited(doors, task(2), 2)
    env.step("go")
    assert env.step("go").ending is Ending.SOLVED


def test_a_misread_reply_costs_a_turn_and_changes_nothing_else(doors: Suite, task: Callable[..., Task]) -> None:
    env = limited(doors, task(4), 2)
    before = env.step("go")
    assert env.misread("Which one?", before) == Step(
        "Which one?", score=0.25, ending=Ending.OUT_OF_TURNS, digest="1"
    )
    assert env.world == [1, 4]
