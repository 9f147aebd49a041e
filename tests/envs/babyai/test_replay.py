from dataclasses import replace

import pytest

from heldout.envs.babyai.env import BabyAI, OriginalBabyAI
from heldout.envs.babyai.replay import episode_of, open_recording
from heldout.envs.babyai.world import World
from heldout.envs.recorded import Answer, Dialogue, RecordedEpisode, RecordedStep
from heldout.envs.replay import replay_episode
from heldout.errors import BadCall
from heldout.records import Json


def of(**task: Json) -> RecordedEpisode:
    return RecordedEpisode(env="babyai", id="b", task=task, steps=())


def dialogue(number: int, *, item: int, place: int) -> Dialogue:
    """A dialogue of one turn, about the world of that number."""
    level, seed = number % 40 + 1, number // 40
    env = OriginalBabyAI(World(level, seed, original=True))
    opening = env.start().observation
    turns = (("Thought: well.\nAction: Turn left.", env.step("turn left").observation),)
    return Dialogue(
        env="babyai", item=item, place=place, id="b", instruction="…", opening=opening, turns=turns, reward=0.0
    )


def test_a_task_is_a_level_and_a_seed_or_the_two_in_one_number() -> None:
    for task in ({"level": 9, "seed": 2}, {"data_idx": 88}, {"level": 9, "seed": 2, "data_idx": 0}):
        world = open_recording(of(**task), rules="agentgym").world
        assert (world.level, world.seed, world.original) == (9, 2, True)


def test_the_rules_are_the_original_s_or_ours() -> None:
    assert isinstance(open_recording(of(data_idx=0), rules="agentgym"), OriginalBabyAI)
    fixed = open_recording(of(data_idx=0), rules="fixed")
    assert isinstance(fixed, BabyAI)
    assert not fixed.world.original


@pytest.mark.parametrize(
    ("task", "told"),
    [
        ({"level": 41, "seed": 0}, "BabyAI has levels 1 to 40, not 41"),
        ({"level": 1, "seed": -1}, "seed is a whole number from 0, not -1"),
        ({"level": "one", "seed": 0}, "level is a whole number from 0, not 'one'"),
        ({"data_idx": True}, "data_idx is a whole number from 0, not True"),
        ({"mission": "go"}, r"has level and seed, or data_idx \(there are: mission\)"),
    ],
)
def test_a_world_that_is_none_is_refused_by_its_value(task: Json, told: str) -> None:
    with pytest.raises(BadCall, match=told):
        open_recording(of(**task), rules="agentgym")


def test_a_dialogue_is_about_its_item() -> None:
    episode = episode_of(dialogue(88, item=88, place=0))
    assert episode.task == {"item": 88, "data_idx": 88, "level": 9, "seed": 2}
    assert episode.steps == (RecordedStep(action="Turn left", answer=episode.steps[0].answer),)
    assert episode.steps[0].answer.score == 0.0
    assert replay_episode(episode, open_recording(episode, rules="agentgym"), past_end=True).differences == ()


def test_a_dialogue_may_be_about_the_place_of_its_item_among_the_items() -> None:
    episode = episode_of(dialogue(5, item=7, place=5))
    assert episode.task == {"item": 7, "data_idx": 5, "level": 6, "seed": 0}
    assert replay_episode(episode, open_recording(episode, rules="agentgym"), past_end=True).differences == ()


def test_a_dialogue_about_another_world_is_its_item_s_and_differs_from_the_start() -> None:
    episode = episode_of(dialogue(11, item=7, place=5))
    assert episode.task["data_idx"] == 7
    assert (
        replay_episode(episode, open_recording(episode, rules="agentgym"), past_end=True).differences[0].step == 0
    )


def test_a_score_is_compared_with_what_the_client_was_paid() -> None:
    episode = episode_of(replace(dialogue(5, item=7, place=5), reward=0.25))
    [difference] = replay_episode(episode, open_recording(episode, rules="agentgym"), past_end=True).differences
    assert (difference.fields, difference.recorded.score) == (("score",), 0.25)
    assert difference.ours == replace(episode.steps[0].answer, reward=0.0, score=0.0, done=False)
    assert isinstance(difference.ours, Answer)
