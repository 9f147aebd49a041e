"""Transcripts of the original server, replayed word for word."""

from collections.abc import Callable
from pathlib import Path

import pytest

from heldout.envs.babyai.world import World
from heldout.envs.recorded import RecordedEpisode
from heldout.envs.replay import Difference
from heldout.store.lines import read_lines

pytestmark = pytest.mark.golden

Again = Callable[[Path], tuple[list[RecordedEpisode], list[Difference]]]

FILE = "babyai/dev.jsonl.xz"


@pytest.mark.slow
def test_every_transcript_of_the_original_server_replays_word_for_word(golden: Path, again: Again) -> None:
    episodes, differences = again(golden / FILE)
    assert differences == []
    assert (len(episodes), sum(len(episode.steps) for episode in episodes)) == (188, 3442)


def test_the_worlds_of_the_transcripts_are_made_cell_by_cell(golden: Path) -> None:
    tasks = [episode["task"] for _, episode in read_lines(golden / FILE)]
    assert len(tasks) == 188
    for task in tasks:
        world = World(task["level"], task["seed"], original=True)
        made = (world.mission, world.grid.max_steps, world.grid.pprint_grid().splitlines())
        assert made == (task["mission"], task["max_steps"], task["world"]), (task["level"], task["seed"])
