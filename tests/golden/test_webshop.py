"""Transcripts of the original server, replayed step for step: its pages, prices, purchases and errors."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from heldout.envs.recorded import RecordedEpisode
from heldout.envs.replay import Difference
from heldout.envs.webshop.files import goals, prices
from heldout.store.lines import read_lines

pytestmark = [pytest.mark.golden, pytest.mark.usefixtures("data")]

Again = Callable[[Path], tuple[list[RecordedEpisode], list[Difference]]]

FILE = "webshop/dev.jsonl.xz"


def test_every_step_of_the_original_server_is_answered_as_it_was(golden: Path, again: Again) -> None:
    episodes, differences = again(golden / FILE)
    assert differences == []
    steps = [step.answer for episode in episodes for step in episode.steps]
    assert (len(episodes), len(steps)) == (120, 1305)
    assert sum("Total results: " in (answer.observation or "") for answer in steps) == 347
    assert sum(answer.error is not None for answer in steps) == 6


def test_what_was_bought_is_told_with_all_parts_of_its_reward(golden: Path, again: Again) -> None:
    episodes, _ = again(golden / FILE)
    ours = {(episode.id, place): step.answer for episode in episodes for place, step in enumerate(episode.steps)}
    compared = exact = 0
    for _, episode in read_lines(golden / FILE):
        for place, step in enumerate(episode["steps"]):
            if "purchase" in step:
                assert ours[episode["id"], place].purchase == step["purchase"]
                assert ours[episode["id"], place].available == ()
                compared, exact = compared + 1, exact + step["exact_reward"]
    assert (compared, exact) == (103, 75)


def test_the_goals_are_the_known_ones_in_their_order(data: Path) -> None:
    known = [goal for _, goal in read_lines(data / "webshop/derived_goals_6910.jsonl.xz")]
    found = goals(data)
    assert len(found) == len(known) == 6910
    for ours, theirs in zip(found, known, strict=True):
        text = ours.instruction.partition(", and price lower than ")[0]
        assert (ours.asin, text) == (theirs["asin"], theirs["instruction_text"])
        assert (list(ours.attributes), dict(ours.options)) == (theirs["attributes"], theirs["goal_options"])


@pytest.mark.parametrize("seed", [11, 12])
def test_a_server_s_clock_gives_the_prices_that_it_drew(golden: Path, data: Path, seed: int) -> None:
    drawn = json.loads((golden / f"webshop/prices_seed{seed}.json").read_text())
    assert len(drawn) == 93
    assert {asin: prices(data, seed)[asin] for asin in drawn} == drawn
