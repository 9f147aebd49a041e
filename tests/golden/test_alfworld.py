"""Transcripts of the original server, replayed word for word, with what was available at every step."""

from collections.abc import Callable
from pathlib import Path

import pytest

from heldout.envs.recorded import RecordedEpisode
from heldout.envs.replay import Difference

pytestmark = [pytest.mark.golden, pytest.mark.usefixtures("data")]

Again = Callable[[Path], tuple[list[RecordedEpisode], list[Difference]]]

FILE = "alfworld/dev.jsonl.xz"


@pytest.mark.slow
def test_every_step_and_every_list_of_actions_of_the_original_server_is_the_same(
    golden: Path, again: Again
) -> None:
    episodes, differences = again(golden / FILE)
    assert differences == []
    steps = [step.answer for episode in episodes for step in episode.steps]
    assert (len(episodes), len(steps)) == (178, 3009)
    assert sum(answer.available is not None for answer in steps) >= 2934
    assert sum(answer.error is not None for answer in steps) == 75
    assert sum(answer.reward == 1 for answer in steps) == 120
