"""Dialogues of models with AgentGym's servers, replayed; and where their logs do not say what was played."""

from collections.abc import Callable
from pathlib import Path

import pytest

from heldout.envs.recorded import RecordedEpisode
from heldout.envs.replay import Difference
from heldout.envs.textcraft.published import ARCHIVE
from heldout.envs.textcraft.recipes import goal_order
from heldout.envs.textcraft.replay import trees
from heldout.envs.webshop.files import goals
from heldout.store.lines import read_lines

pytestmark = pytest.mark.realdata

Again = Callable[[Path], tuple[list[RecordedEpisode], list[Difference]]]

BABYAI = "trajectories/babyai_deepseek-v3.2.jsonl.xz"
TEXTCRAFT = "trajectories/textcraft_gemini-3-pro.jsonl.xz"
WEBSHOP = "trajectories/webshop_gemini-3-pro.jsonl.xz"


@pytest.mark.slow
def test_every_model_s_reply_in_babyai_is_answered_as_it_was(data: Path, again: Again) -> None:
    episodes, differences = again(data / BABYAI)
    assert differences == []
    steps = [step for episode in episodes for step in episode.steps]
    assert (len(episodes), len(steps)) == (129, 1967)
    assert sum(episode.task["data_idx"] != episode.task["item"] for episode in episodes) == 119
    assert sum(step.misread != "" for step in steps) == 1


def test_every_model_s_reply_in_textcraft_is_answered_as_it_was(data: Path, again: Again) -> None:
    episodes, differences = again(data / TEXTCRAFT)
    assert differences == []
    steps = [step for episode in episodes for step in episode.steps]
    assert (len(episodes), len(steps)) == (374, 3473)
    assert sum((step.answer.observation or "").startswith("Could not execute") for step in steps) == 852
    tasks = [episode.task for episode in episodes]
    assert sum(goal_order()[task["item"]] != task["goal"] for task in tasks) == 371
    fitting = [
        sum(tree.may_show(task["goal"], task["commands"]) for task in tasks) for tree in trees(data / ARCHIVE)[:2]
    ]
    assert fitting == [346, 374]


def test_every_model_s_reply_in_webshop_is_answered_as_it_was(data: Path, again: Again) -> None:
    episodes, differences = again(data / WEBSHOP)
    assert differences == []
    steps = [step for episode in episodes for step in episode.steps]
    assert (len(episodes), len(steps)) == (45, 491)
    assert sum("Total results: " in (step.answer.observation or "") for step in steps) == 276
    tasks = [episode.task for episode in episodes]
    assert sum(task["goal_idx"] != task["item"] for task in tasks) == 45
    places = list(dict.fromkeys(task["item"] for task in tasks))
    assert all(task["goal_idx"] == places.index(task["item"]) for task in tasks)
    assert sum(goals(data)[task["goal_idx"]].instruction != task["instruction_text"] for task in tasks) == 2


def test_what_a_log_calls_success_need_not_be(data: Path) -> None:
    for name, paid, denied in ((BABYAI, 63, 63), (TEXTCRAFT, 350, 0)):
        dialogues = [value for _, value in read_lines(data / name)]
        assert sum(value["reward"] > 0 for value in dialogues) == paid
        assert sum(value["reward"] > 0 and not value["success"] for value in dialogues) == denied
