"""One episode: what is asked of the policy, what becomes of its replies, and how it ends."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from heldout.config import Limits, Source
from heldout.envs import corridor
from heldout.envs.base import Suite
from heldout.envs.guard import guard
from heldout.envs.react import SEVERAL
from heldout.errors import BadReward, OriginalError
from heldout.policies.base import Request
from heldout.records import Ending, Reply, Step, Stop, Task, Trajectory
from heldout.rollout.episode import Assignment, episode
from heldout.seeds import derive

Tasks = Callable[..., Task]
GO = Reply(text="Thought: on.\nAction: go")


def assigned(task: Task) -> Assignment:
    return Assignment(task=task, attempt=3, seed=7, stream="doors.easy/2")


def played(suite: Suite, task: Task, *replies: Reply, turns: int = 10) -> tuple[list[Request], Trajectory]:
    """The requests that an episode made, and the trajectory that the replies led to."""
    playing = episode(suite, assigned(task), Limits(max_turns=turns))
    asked = [next(playing)]
    for reply in replies:
        try:
            asked.append(playing.send(reply))
        except StopIteration as finished:
            trajectory: Trajectory = finished.value
            return asked, trajectory
    pytest.fail("the episode did not end")


class Confused:
    """Answers every action with an error of its own."""

    world = None

    def start(self) -> Step:
        return Step("Here.", score=0.5)

    def step(self, action: str) -> Step:
        raise OriginalError(f"'minecraft:{action.replace('go', 'stick')}'")


def test_an_episode_is_its_opening_its_turns_and_its_ending(doors: Suite, task: Tasks) -> None:
    asked, trajectory = played(doors, task(2), GO, GO)
    assert [request.text for request in asked] == ["Go to the end.\n\n2 doors.", "Door 1."]
    assert [(turn.action, turn.observation, turn.reward, turn.digest) for turn in trajectory.turns] == [
        ("go", "Door 1.", 0.5, "1"),
        ("go", "Door 2.", 0.5, "2"),
    ]
    assert (trajectory.reward, trajectory.score, trajectory.ending) == (1.0, 1.0, Ending.SOLVED)
    assert (trajectory.opening, trajectory.attempt) == (asked[0].text, 3)


def test_a_request_names_its_conversation_its_turn_and_its_chance(doors: Suite, task: Tasks) -> None:
    asked, trajectory = played(doors, task(2), GO, GO)
    name = "doors.easy/2/doors/doors_2/3"
    assert {request.conversation for request in asked} == {trajectory.stream} == {name}
    assert [request.turn for request in asked] == [0, 1]
    assert [request.seed for request in asked] == [derive(7, name, 0), derive(7, name, 1)]


def test_a_failed_task_keeps_the_score_that_the_environment_gave(doors: Suite, task: Tasks) -> None:
    _, trajectory = played(doors, task(4), GO, Reply(text="Action: jump"))
    assert (trajectory.ending, trajectory.score, trajectory.reward) == (Ending.FAILED, 0.25, 0.25)


def test_an_original_error_reply_ends_an_episode_that_is_then_worth_nothing(doors: Suite, task: Tasks) -> None:
    _, trajectory = played(replace(doors, open=lambda _: Confused()), task(3), GO)
    assert (trajectory.ending, trajectory.score, trajectory.error) == (Ending.FAILED, 0.0, "")
    assert [turn.observation for turn in trajectory.turns] == ["'minecraft:stick'"]


def test_on_a_server_an_episode_has_the_chance_that_it_has_in_process(task: Tasks) -> None:
    here = assigned(task(2))
    there = replace(here, task=replace(here.task, env="agentgym:doors@http://localhost:36001"))
    assert there.chance == here.chance == here.name != there.name


def test_an_episode_out_of_turns_keeps_its_score(doors: Suite, task: Tasks) -> None:
    _, trajectory = played(doors, task(4), GO, GO, turns=2)
    assert (trajectory.ending, trajectory.score, len(trajectory.turns)) == (Ending.OUT_OF_TURNS, 0.5, 2)


def test_a_reply_without_room_is_not_carried_out_and_the_score_stays(doors: Suite, task: Tasks) -> None:
    cut = Reply(text="Thought: on.\nAction: go", stop=Stop.NO_ROOM)
    _, trajectory = played(doors, task(2), GO, cut)
    assert (trajectory.ending, trajectory.score, trajectory.reward) == (Ending.OUT_OF_TOKENS, 0.5, 0.5)
    assert trajectory.turns[-1].reply == cut
    assert (trajectory.turns[-1].action, trajectory.turns[-1].observation) == ("", "")


def test_a_reply_cut_at_its_own_cap_is_still_an_answer(doors: Suite, task: Tasks) -> None:
    _, trajectory = played(doors, task(2), GO, Reply(text="Action: go", stop=Stop.LENGTH))
    assert trajectory.ending is Ending.SOLVED


def test_a_reply_with_two_actions_is_told_so_and_costs_a_turn(doors: Suite, task: Tasks) -> None:
    both = Reply(text="Action: go\nAction: go")
    asked, trajectory = played(doors, task(4), GO, both, GO, turns=3)
    assert asked[2].text == SEVERAL
    assert [turn.action for turn in trajectory.turns] == ["go", "", "go"]
    assert (trajectory.ending, trajectory.score) == (Ending.OUT_OF_TURNS, 0.5)


def test_a_failure_of_the_infrastructure_is_an_ending_of_its_own(
    task: Tasks, unreliable: Callable[[int], tuple[Suite, object]]
) -> None:
    suite, _ = unreliable(1)
    playing = episode(suite, assigned(task(2)), Limits())
    with pytest.raises(StopIteration) as finished:
        next(playing)
    assert (finished.value.value.ending, finished.value.value.error) == (Ending.ERROR, "no answer (1)")


class Paying:
    """Pays so much for every action, and never ends."""

    world = None

    def __init__(self, reward: float) -> None:
        self.reward = reward

    def start(self) -> Step:
        return Step("Here.")

    def step(self, action: str) -> Step:
        del action
        return Step("More.", reward=self.reward)


def test_a_reward_that_is_no_number_names_environment_task_value_attempt_and_turn(
    doors: Suite, task: Tasks
) -> None:
    paying = guard(replace(doors, open=lambda _: Paying(float("nan"))))
    with pytest.raises(BadReward) as refused:
        played(paying, task(2), GO)
    assert str(refused.value) == (
        "doors: task doors_2 gave the reward nan, which is no finite number (attempt 3, turn 1)"
    )


def test_rewards_whose_sum_is_infinite_are_refused_at_the_episodes_end(doors: Suite, task: Tasks) -> None:
    paying = guard(replace(doors, open=lambda _: Paying(1e308)))
    with pytest.raises(
        BadReward, match=r"^doors: task doors_2 ended with reward inf and score 0.0.*\(attempt 3\)$"
    ):
        played(paying, task(2), GO, GO, turns=2)


def test_refused_actions_are_counted_and_so_are_replies_that_hold_none() -> None:
    suite = corridor.suite(Source())
    first = suite.tasks("test")[0]
    said = ("Thought: hm.\nAction: dance", "Let me think.", "Thought: a note.\nAction: read note")
    _, trajectory = played(suite, first, *(Reply(text=text) for text in said), turns=3)
    assert [turn.refused for turn in trajectory.turns] == [True, True, False]
    assert trajectory.invalid_actions == 2


def test_where_an_environment_does_not_tell_what_it_refuses_none_is_counted(doors: Suite, task: Tasks) -> None:
    _, trajectory = played(doors, task(2), GO, GO)
    assert [turn.refused for turn in trajectory.turns] == [None, None]
    assert trajectory.invalid_actions is None
