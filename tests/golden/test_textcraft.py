"""Transcripts of AgentGym's TextCraft server (see HELDOUT_GOLDEN's README), replayed in `agentgym` rules."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from heldout.envs.recorded import RecordedEpisode
from heldout.envs.replay import Difference
from heldout.envs.textcraft.published import ARCHIVE
from heldout.envs.textcraft.recipes import NAMESPACE, goal_order
from heldout.envs.textcraft.replay import Tree, trees
from heldout.store.lines import read_lines

pytestmark = pytest.mark.golden

Again = Callable[[Path], tuple[list[RecordedEpisode], list[Difference]]]

SORTED = "textcraft/dev.jsonl.xz"
PUBLISHED = "textcraft/published_order/dev.jsonl.xz"


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize(("name", "sizes"), [(SORTED, (120, 1927)), (PUBLISHED, (60, 919))])
def test_every_start_and_step_is_answered_as_the_original_did(
    golden: Path, again: Again, name: str, sizes: tuple[int, int]
) -> None:
    episodes, differences = again(golden / name)
    assert differences == []
    assert (len(episodes), sum(len(episode.steps) for episode in episodes)) == sizes


@pytest.mark.parametrize(("name", "place"), [(PUBLISHED, 0), (SORTED, 1)])
def test_the_original_shows_every_recipe_that_could_serve_and_at_most_ten_others(
    golden: Path, data: Path, name: str, place: int
) -> None:
    tree: Tree = trees(data / ARCHIVE)[place]
    for _, episode in read_lines(golden / name):
        goal, number = plain(episode["task"]["goal"]), episode["task"]["data_idx"]
        assert tree.numbers(goal, number)
        assert tree.may_show(goal, episode["task"]["commands"])


def test_published_ids_are_the_published_goals(golden: Path) -> None:
    goals = json.loads((golden / "textcraft/published_order/goal_order.json").read_text("utf-8"))
    assert [plain(goal["goal"]) for goal in goals] == list(goal_order())
    assert sum(goal["published"] for goal in goals) == 374


def test_files_in_name_order_number_the_goals_as_the_original_does(golden: Path, data: Path) -> None:
    goals = json.loads((golden / "textcraft/goal_order_sorted.json").read_text("utf-8"))
    published, by_name, *_ = trees(data / ARCHIVE)
    assert [plain(goal["goal"]) for goal in goals] == list(by_name.goals)
    assert sum(one == other for one, other in zip(published.goals, by_name.goals, strict=True)) == 19


def plain(identifier: str) -> str:
    return identifier.removeprefix(NAMESPACE).replace("_", " ")
