"""Transcripts of the original server, replayed word for word."""

import json
import lzma
import os
from pathlib import Path
from typing import Any

import pytest

from heldout.envs.babyai.env import OriginalBabyAI
from heldout.envs.babyai.world import World
from heldout.errors import OriginalError

pytestmark = pytest.mark.golden


OTHER_MISSIONS = {(36, 3), (37, 3)}
"""Level and seed where minigrid 3.2 draws another mission than the original's 2.3 (neither is a published task)."""


def transcripts() -> list[Any]:
    folder = os.environ.get("HELDOUT_GOLDEN")
    path = Path(folder or "", "babyai", "dev.jsonl.xz")
    if folder is None or not path.is_file():
        pytest.skip(f"needs the transcripts of the original: HELDOUT_GOLDEN is {folder!r}")
    with lzma.open(path, "rt") as lines:
        episodes = [json.loads(line) for line in lines]
    assert len(episodes) == 188
    return [e for e in episodes if (e["task"]["level"], e["task"]["seed"]) not in OTHER_MISSIONS]


def differences(episode: Any) -> list[tuple[int, Any, Any]]:
    """Each step that differs from the transcript: its number, what came, what was recorded."""
    env = OriginalBabyAI(World(episode["task"]["level"], episode["task"]["seed"], original=True))
    found = list[tuple[int, Any, Any]]()
    opening = env.start().observation
    if opening != episode["start"]:
        found.append((-1, opening, episode["start"]))
    for number, recorded in enumerate(episode["steps"]):
        expected = {key: recorded[key] for key in recorded if key != "action"}
        try:
            step = env.step(recorded["action"])
            came: dict[str, object] = {
                "observation": step.observation,
                "reward": step.reward,
                "score": step.score,
                "done": step.ending is not None,
            }
        except OriginalError as error:
            came = {"error": str(error)}
        if came != expected:
            found.append((number, came, expected))
    return found


def test_every_transcript_of_the_original_server_replays_word_for_word() -> None:
    episodes = transcripts()
    assert len(episodes) == 187
    assert {e["id"]: found for e in episodes if (found := differences(e))} == {}


def test_the_worlds_of_the_transcripts_are_made_cell_by_cell() -> None:
    for episode in transcripts():
        task = episode["task"]
        world = World(task["level"], task["seed"], original=True)
        made = (world.mission, world.grid.max_steps, world.grid.pprint_grid().splitlines())
        assert made == (task["mission"], task["max_steps"], task["world"]), episode["id"]
