from typing import final

import pytest

from heldout.envs.recorded import Answer, RecordedEpisode, RecordedStep
from heldout.envs.replay import OVER, Difference, replay_episode
from heldout.errors import OriginalError
from heldout.records import Ending, Step


@final
class Two:
    """Two doors; the second is the end, and what lies beyond is an error of the original."""

    def __init__(self) -> None:
        self.world = 0

    def start(self) -> Step:
        """The opening."""
        return Step("2 doors.")

    def step(self, action: str) -> Step:
        """`go` passes a door; anything else is looking."""
        if self.world > 2:
            raise OriginalError("nothing beyond")
        self.world += action == "go"
        ending = Ending.SOLVED if self.world == 2 else None
        return Step(f"Door {self.world}.", reward=float(ending is not None), score=self.world / 2, ending=ending)


def recorded(*steps: RecordedStep, start: str | None = "2 doors.") -> RecordedEpisode:
    return RecordedEpisode(env="two", id="two-1", task={}, start=start, steps=steps)


def step(
    action: str,
    observation: str | None = None,
    *,
    reward: float | None = None,
    score: float | None = None,
    done: bool | None = None,
) -> RecordedStep:
    answer = Answer(observation=observation, reward=reward, score=score, done=done)
    return RecordedStep(action=action, answer=answer)


def error(action: str, text: str) -> RecordedStep:
    return RecordedStep(action=action, answer=Answer(error=text))


def test_the_same_answers_are_no_difference() -> None:
    episode = recorded(
        step("go", "Door 1.", reward=0, score=0.5, done=False),
        step("go", "Door 2.", reward=1, score=1.0, done=True),
        step("go", "Door 3.", done=False),
        error("go", "nothing beyond"),
    )
    assert replay_episode(episode, Two(), past_end=True).differences == ()


def test_what_we_answer_stands_in_the_same_episode() -> None:
    ours = replay_episode(recorded(step("go"), start=None), Two(), past_end=True).episode
    answer = Answer(observation="Door 1.", reward=0.0, score=0.5, done=False)
    assert ours == recorded(RecordedStep(action="go", answer=answer), start="2 doors.")


def test_our_own_answers_are_no_difference() -> None:
    ours = replay_episode(recorded(*[step("go")] * 5), Two(), past_end=True).episode
    assert [answer.answer.error for answer in ours.steps] == [None, None, None, "nothing beyond", "nothing beyond"]
    assert replay_episode(ours, Two(), past_end=True).differences == ()


def test_an_episode_without_answers_is_just_played() -> None:
    played = replay_episode(recorded(step("go"), step("look"), start=None), Two(), past_end=True)
    assert played.differences == ()
    assert [answer.answer.observation for answer in played.episode.steps] == ["Door 1.", "Door 1."]


def test_a_difference_says_where_it_is_and_what_was_answered() -> None:
    was = Answer(observation="Door 1.", reward=1.0, done=False)
    played = replay_episode(recorded(RecordedStep(action="look", answer=was)), Two(), past_end=True)
    ours = Answer(observation="Door 0.", reward=0.0, score=0.0, done=False)
    assert played.differences == (
        Difference(
            episode="two-1",
            step=1,
            action="look",
            fields=("observation", "reward"),
            recorded=was,
            ours=ours,
        ),
    )


def test_the_start_is_step_0() -> None:
    [difference] = replay_episode(recorded(start="3 doors."), Two(), past_end=True).differences
    assert (difference.step, difference.action, difference.fields) == (0, "", ("observation",))


@pytest.mark.parametrize("was", [error("look", "no looking"), error("look", "")])
def test_an_error_where_we_answer_is_a_difference(was: RecordedStep) -> None:
    [difference] = replay_episode(recorded(was), Two(), past_end=True).differences
    assert difference.fields == ("error",)


def test_an_answer_where_we_raise_an_error_is_a_difference() -> None:
    episode = recorded(*[step("go")] * 3, step("go", "Door 4.", reward=0.0))
    [difference] = replay_episode(episode, Two(), past_end=True).differences
    assert (difference.step, difference.fields, difference.ours) == (4, ("error",), Answer(error="nothing beyond"))


def test_after_the_ending_the_environment_is_asked_only_where_play_goes_on() -> None:
    episode = recorded(step("go"), step("go"), step("look", "Door 2."), step("look", "Door 2."))
    assert replay_episode(episode, Two(), past_end=True).differences == ()
    played = replay_episode(episode, Two(), past_end=False)
    assert [(each.step, each.ours) for each in played.differences] == [
        (3, Answer(error=OVER)),
        (4, Answer(error=OVER)),
    ]


def test_a_reply_that_the_client_answered_itself_does_not_reach_the_environment() -> None:
    told = "one at a time"
    asked = RecordedStep(action="", answer=Answer(observation=told, reward=0.0), misread=told)
    episode = recorded(asked, step("go", "Door 1."))
    assert replay_episode(episode, Two(), past_end=True).differences == ()


def test_what_is_told_beside_the_steps_is_compared_from_the_start_on() -> None:
    def beside(world: int) -> Answer:
        return Answer(available=("go",) if world < 2 else ())

    was = [
        Answer(observation="Door 1.", available=("go",)),
        Answer(observation="Door 2.", available=()),
        Answer(observation="Door 3.", available=("look",)),
        Answer(error="nothing beyond", available=()),
    ]
    steps = tuple(RecordedStep(action="go", answer=answer) for answer in was)
    episode = RecordedEpisode(env="two", id="two-1", task={}, start="2 doors.", available=("go",), steps=steps)
    [difference] = replay_episode(episode, Two(), past_end=True, beside=beside).differences
    assert (difference.step, difference.fields, difference.ours.available) == (3, ("available",), ())
    without = replay_episode(episode, Two(), past_end=True).differences
    assert [each.step for each in without] == [0, 1, 2, 3, 4]
