"""Transcripts of the original servers, played through our server: over HTTP they are what they are in process."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from heldout.bench.clients import Client
from heldout.config import Source
from heldout.envs.agentgym.protocol import ENV_PROTOCOLS
from heldout.store.lines import read_lines

pytestmark = pytest.mark.golden

EVERY = 4
"""Of how many transcripts one is played here; all are, in process."""

FILES = {"babyai": "babyai/dev.jsonl.xz", "textcraft": "textcraft/published_order/dev.jsonl.xz"}


@pytest.mark.slow
@pytest.mark.usefixtures("data")
@pytest.mark.parametrize(("env", "steps"), [("babyai", 913), ("textcraft", 154)])
def test_transcripts_through_the_door_are_word_for_word(
    golden: Path, served: Callable[..., Any], env: str, steps: int
) -> None:
    there = served(env, Source(kind="real", rules="agentgym"))
    client, played = Client(there.address, ENV_PROTOCOLS[env], keeps=True), 0
    number = client.create()
    for recorded in [episode for _, episode in read_lines(golden / FILES[env])][::EVERY]:
        _, opening = client.call("POST", "/reset", {"id": number, "data_idx": recorded["task"]["data_idx"]})
        assert compared(env, opening["observation"]) == compared(env, recorded["start"])
        for step in recorded["steps"]:
            _, said = client.call("POST", "/step", {"id": number, "action": step["action"]})
            assert said == {name: value for name, value in step.items() if name != "action"}, recorded["id"]
            played += 1
    client.leave()
    assert played == steps


def compared(env: str, opening: str) -> str:
    """TextCraft draws the lines that it shows by the process's hash seed (Q-TC4): its goal is compared."""
    return opening.partition("\n\nGoal: ")[2] if env == "textcraft" else opening
