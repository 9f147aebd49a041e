"""Where the recordings of the original environments lie; tests that need them are skipped without them."""

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from heldout.envs.logs import Logs, Unusable
from heldout.envs.recorded import RecordedEpisode
from heldout.envs.replay import Difference, Replayed
from heldout.verbs.replay import replays

Found = tuple[list[RecordedEpisode], list[Difference]]
"""The episodes of a file with our answers, and where these are not the recorded ones."""


@pytest.fixture
def golden() -> Path:
    """Transcripts made with the original code."""
    return folder("HELDOUT_GOLDEN")


@pytest.fixture
def data() -> Path:
    """The real tasks' data, and dialogues of models."""
    return folder("HELDOUT_DATA")


def folder(variable: str) -> Path:
    if variable not in os.environ:
        pytest.skip(f"{variable} is not set")
    return Path(os.environ[variable])


def _played(one: Replayed | Unusable) -> Replayed:
    assert isinstance(one, Replayed), one
    return one


@pytest.fixture(scope="session")
def again() -> Callable[[Path], Found]:
    """What `heldout replay` makes of a file by the original's rules."""

    @cache
    def played(file: Path) -> Found:
        found = [_played(one) for one in replays(file, Logs(rules="agentgym"))]
        return [one.episode for one in found], [difference for one in found for difference in one.differences]

    return played
