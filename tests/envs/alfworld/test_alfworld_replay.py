"""Recordings, by the real games: skipped without them."""

import pytest

from heldout.config import Source
from heldout.envs.alfworld import suite
from heldout.envs.base import Recordings, Suite
from heldout.envs.recorded import Answer, Dialogue, RecordedEpisode, RecordedStep
from heldout.envs.replay import replay_episode
from heldout.errors import BadCall

pytestmark = [pytest.mark.realdata, pytest.mark.usefixtures("data")]


def _recordings(rules: str) -> Recordings:
    found = suite(Source(rules=rules)).recordings
    assert found is not None
    return found


def _dialogue(there: Suite, item: int, place: int) -> Dialogue:
    """What the oracle's dialogue with AgentGym's client is, in one of the test tasks."""
    env = there.open(there.tasks("test")[place])
    opening, turns, step = env.start().observation, list[tuple[str, str]](), None
    while step is None or step.ending is None:
        action = there.players.oracle(env.world)
        step = env.step(action)
        turns.append((f"Thought:\nI know.\n\nAction:\n{action}", step.observation))
    return Dialogue(
        env="alfworld",
        item=item,
        place=place,
        id="one",
        instruction="",
        opening=opening,
        turns=tuple(turns),
        reward=1.0,
    )


def test_a_dialogue_is_played_again_in_the_game_of_its_number() -> None:
    there = suite(Source(kind="real", rules="agentgym"))
    dialogue, recordings = _dialogue(there, 2421, 1), _recordings("agentgym")
    episode = recordings.episode_of(dialogue)
    assert episode.task["game"] == there.tasks("test")[1].world["game"]
    assert "AVAILABLE ACTIONS: go to " in (episode.start or "")
    env = recordings.open(episode)
    assert replay_episode(episode, env, past_end=True, beside=recordings.beside).differences == ()


def test_a_number_past_the_index_is_refused() -> None:
    there = suite(Source(kind="real", rules="agentgym"))
    with pytest.raises(BadCall, match="there is no alfworld_9999: AgentGym lists 2620 games"):
        _recordings("agentgym").episode_of(_dialogue(there, 9999, 0))


def test_by_our_rules_a_recorded_refusal_is_answered_with_its_reason() -> None:
    game = "pick_and_place_simple-Mug-None-Desk-308/trial_T20190908_125200_737896"
    episode = RecordedEpisode(
        env="alfworld", id="x", task={"data": "2.1.1", "split": "valid_unseen", "game": game}, steps=()
    )
    env = _recordings("fixed").open(episode)
    assert "\nAVAILABLE ACTIONS: " in env.start().observation
    assert env.step("open drawer 1").observation == "Nothing happens: you are not at the drawer 1."
    with pytest.raises(BadCall, match="a task of ALFWorld has game"):
        _recordings("fixed").open(RecordedEpisode(env="alfworld", id="x", task={}, steps=()))


def test_an_episode_ends_after_50_actions_or_as_many_as_the_recorded_server_let() -> None:
    game = "pick_and_place_simple-Mug-None-Desk-308/trial_T20190908_125200_737896"
    task = {"data": "2.1.1", "split": "valid_unseen", "game": game}
    steps = tuple(RecordedStep(action="look", answer=Answer(done=False)) for _ in range(60))
    for limit, differences in ((None, 11), (60, 1), (200, 0)):
        episode = RecordedEpisode(env="alfworld", id="x", task=task, max_steps=limit, steps=steps)
        env = _recordings("agentgym").open(episode)
        assert len(replay_episode(episode, env, past_end=True).differences) == differences
