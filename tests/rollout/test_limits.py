"""The turn limit: how it ends an episode, and what it leaves alone."""

from collections.abc import Callable

import pytest

from heldout.envs.base import Suite
from heldout.errors import BadCall
from heldout.records import Ending, Step, Task
from heldout.rollout.limits import TurnLimit, refuse_if_none_fits


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
        "Which one?", score=0.25, ending=Ending.OUT_OF_TURNS, digest="1", refusal="Which one?"
    )
    assert env.world == [1, 4]


def test_tasks_of_which_no_opening_fits_are_refused_with_the_smallest_and_the_context(
    task: Callable[..., Task],
) -> None:
    """A conversation of 64 ids has room for an opening of 63 and one id of a reply."""
    tasks, asked = [task(2), task(3), task(4)], list[str]()

    def room(lengths: dict[str, int]) -> Callable[[Task], tuple[int, int]]:
        asked.clear()

        def of_task(task: Task) -> tuple[int, int]:
            asked.append(task.id)
            return lengths[task.id], 64

        return of_task

    with pytest.raises(BadCall) as refused:
        refuse_if_none_fits(tasks, room({"doors_2": 90, "doors_3": 64, "doors_4": 70}), 512)
    assert str(refused.value) == (
        "no opening of doors fits: the smallest has 64 ids, and a conversation with this model may have 64, "
        "replies included (choose a model with a longer context, or smaller tasks)"
    )
    refuse_if_none_fits(tasks, room({"doors_2": 90, "doors_3": 63, "doors_4": 70}), 512)
    assert asked == ["doors_2", "doors_3"]


def test_a_budget_without_a_token_for_a_reply_is_refused_but_not_to_players(task: Callable[..., Task]) -> None:
    with pytest.raises(BadCall, match=r"^limits\.response_budget is 1 or more, not 0: no reply would have room$"):
        refuse_if_none_fits([task(2)], lambda _: (5, 64), 0)
    refuse_if_none_fits([task(2)], None, 0)
