from pathlib import Path

import pytest

from heldout.envs.recorded import Answer, Dialogue, RecordedEpisode, RecordedStep
from heldout.envs.replay import replay_episode
from heldout.envs.webshop import replay
from heldout.envs.webshop.files import goals
from heldout.envs.webshop.nouns import every_word, tagger
from heldout.envs.webshop.replay import beside, episode_of
from heldout.errors import BadCall
from heldout.records import Json

from .conftest import Opened

pytestmark = [pytest.mark.realdata, pytest.mark.usefixtures("data")]

TEXT = 'Find me double sided, machine washable decorative pillows with printing technology with size: 28" x 28"'


def recorded(task: dict[str, Json], *steps: RecordedStep) -> RecordedEpisode:
    return RecordedEpisode(env="webshop", id="webshop-1", task=task, steps=steps)


def test_a_number_is_a_goal_and_a_clock_its_prices(data: Path) -> None:
    world = replay.open_recording(recorded({"goal_idx": 0}), rules="fixed").world
    assert (world.goal, world.exact_original) == (goals(data)[0], False)
    world = replay.open_recording(recorded({"goal_idx": 993, "price_seed": 11}), rules="agentgym").world
    assert world.goal.instruction.endswith(
        "with color: lavender, and size: small, and price lower than 40.00 dollars"
    )
    assert world.exact_original


def test_a_limit_that_the_recording_says_is_taken() -> None:
    task: dict[str, Json] = {"goal_idx": 0, "instruction_text": f"{TEXT}, and price lower than 70.00 dollars"}
    goal = replay.open_recording(recorded(task), rules="fixed").world.goal
    assert (goal.instruction, goal.price_limit) == (task["instruction_text"], 70.0)
    with pytest.raises(BadCall, match="the goal is 'Find me double sided"):
        replay.open_recording(recorded({"goal_idx": 0, "instruction_text": "Find me a shirt"}), rules="fixed")


def test_a_recording_without_a_tagger_is_played_without_one() -> None:
    bought = RecordedStep(action="click[buy now]", answer=Answer(purchase={"standin_r_type": 1.0}))
    assert replay.open_recording(recorded({"goal_idx": 0}, bought), rules="agentgym").world.shop.nouns is every_word
    assert replay.open_recording(recorded({"goal_idx": 0}), rules="agentgym").world.shop.nouns is tagger().nouns


@pytest.mark.parametrize(
    ("task", "told"),
    [
        ({}, "a task of WebShop has goal_idx, a whole number from 0, not None"),
        ({"goal_idx": "5"}, "not '5'"),
        ({"goal_idx": 6910}, "goal_idx 6910 is past the 6910 goals"),
        ({"goal_idx": 1, "price_seed": -1}, "price_seed, a whole number from 0, not -1"),
    ],
)
def test_what_names_no_goal_is_refused(task: dict[str, Json], told: str) -> None:
    with pytest.raises(BadCall, match=told):
        replay.open_recording(recorded(task), rules="agentgym")


def test_a_dialogue_s_goal_is_found_by_its_words() -> None:
    said = f"{TEXT}, and price lower than 50.00 dollars"
    dialogue = Dialogue(
        env="webshop",
        item=7,
        place=0,
        id="webshop_7",
        instruction="You are web shopping.",
        opening=f"WebShop [SEP] Instruction: [SEP] {said} [SEP] Search",
        turns=(("Thought: a\nAction:\nsearch[pillow]", "…"), ("Action: click[buy now]", None)),
        reward=0.5,
    )
    episode = episode_of(dialogue)
    assert episode.task == {"item": 7, "goal_idx": 0, "instruction_text": said}
    assert [step.action for step in episode.steps] == ["search[pillow]", "click[buy now]"]
    assert episode.steps[-1].answer.reward == 0.5


def test_a_dialogue_about_nothing_known_is_refused() -> None:
    dialogue = Dialogue(env="webshop", item=7, place=0, id="x", instruction="", opening="Hello", turns=())
    with pytest.raises(BadCall, match="no goal is ''"):
        episode_of(dialogue)


def test_what_can_be_clicked_and_the_parts_of_a_reward_are_told_beside_the_step(opened: Opened) -> None:
    actions = ("search[shirt]", "click[b000000001]", "click[large]", "click[buy now]")
    steps = tuple(RecordedStep(action=action) for action in actions)
    ours = replay_episode(recorded({}, *steps), opened(), past_end=False, beside=beside).episode
    assert ours.available == ("search",)
    assert ours.steps[0].answer.available == ("back to search", "b000000001")
    assert ours.steps[2].answer.purchase is None
    assert (ours.steps[3].answer.available, ours.steps[3].answer.reward) == ((), 0.8)
    assert ours.steps[3].answer.purchase == {
        "asin": "B000000001",
        "options": {"size": "large"},
        "price": 19.99,
        "reward_without_type": 0.8,
        "standin_r_type": 1.0,
        "standin_title_score": 1.0,
        "query_match": True,
        "category_match": True,
        "r_att": 1.0,
        "w_att": 0.4,
        "r_option": 0.5,
        "w_option": 0.4,
        "r_price": True,
        "w_price": 0.2,
    }
