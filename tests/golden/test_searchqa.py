"""Transcripts of AgentGym's SearchQA server, replayed word for word; and what its scorer made of each answer."""

from collections.abc import Callable
from pathlib import Path

import pytest

from heldout.envs.recorded import RecordedEpisode
from heldout.envs.replay import Difference
from heldout.envs.searchqa.files import answers_in
from heldout.envs.searchqa.protocol import last_answer
from heldout.envs.searchqa.scoring import matches, normalise
from heldout.store.lines import read_lines

pytestmark = pytest.mark.golden

Again = Callable[[Path], tuple[list[RecordedEpisode], list[Difference]]]

FILE = "searchqa/dev.jsonl.xz"


def test_every_start_and_step_is_answered_as_the_original_did(golden: Path, again: Again) -> None:
    episodes, differences = again(golden / FILE)
    assert differences == []
    assert (len(episodes), sum(len(episode.steps) for episode in episodes)) == (200, 280)
    assert all((episode.start or "").startswith("Question:") for episode in episodes)


def test_every_answer_is_extracted_normalised_and_scored_as_the_original_did(golden: Path) -> None:
    scored = 0
    for _, episode in read_lines(golden / FILE):
        golds = answers_in(episode["task"] | {"answers": episode["task"]["golden_answers"]})
        for step in episode["steps"]:
            assert (step["extracted"] is None) == (last_answer(step["action"]) is None), step
            if (answer := last_answer(step["action"])) is not None:
                right = matches(answer, golds, exact_original=True)
                found = {"extracted": answer, "normalized": normalise(answer), "em": int(right)}
                assert found == {name: step[name] for name in found}, step
                scored += 1
    assert scored == 226
