"""Each verb once, as a user calls it and as small as it goes: what `make test-newest` asks of new versions."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from heldout.cli import VERBS

SMALL = (
    "processes=1 train.steps=1 train.tasks=2 train.group_size=2 train.max_turns=2 "
    "evaluate.tasks=1 evaluate.samples=1 evaluate.max_turns=2"
)
CALLS = {
    "envs": "",
    "play": "textcraft",
    "laws": "heldout.envs.corridor:suite",
    "evaluate": "--model pocket --envs textcraft --out measured --set SMALL",
    "replay": "measured/evaluations/base@0/seed_0/textcraft.trajectories.jsonl.zst --rules fixed",
    "train": "--env textcraft --difficulty easy --model pocket --out trained --set SMALL",
    "study plan": "--model pocket --chains textcraft --envs textcraft --seeds 0 --limit 1 --out asked --set SMALL",
    "study run": "--model pocket --chains textcraft --envs textcraft --seeds 0 --limit 1 --no-controls --out asked "
    "--set SMALL",
    "study status": "asked",
    "report": "asked",
    "study prune": "asked --keep ends",
    "study unlock": "trained",
    "demo": "--env textcraft --seeds 0 --set SMALL",
    "difficulty": "--model pocket --envs textcraft --limit 2 --n-samples 1 --max-turns 2 --set processes=1",
    "data list": "",
    "data leakage": "--envs textcraft --limit 5",
    "config": "--model pocket --set train.lr=1e-5",
    "help": "bench envs",
    "bench rollout": "--model pocket --env textcraft --in-flight 2 --episodes 2 --rounds 1",
    "bench train": "--model pocket --env textcraft --tasks 2 --samples 2 --rounds 1 --set processes=1",
    "bench envs": "--env textcraft --limit 2",
    "bench coverage": "--trials 5 --part 97",
    "bench serve": "--env textcraft --episodes 10 --in-flight 2 --steps 10 --seconds 1",
}
"""In this order: a later one reads what an earlier one wrote."""
ELSEWHERE = {"serve", "data check", "data fetch", "data prepare", "pocket"}
"""Verbs that wait for others, need data or take minutes, with tests of their own."""


def test_every_verb_is_called() -> None:
    assert CALLS.keys() | ELSEWHERE == VERBS.keys()


@pytest.mark.very_slow
@pytest.mark.timeout(900)
def test_every_verb_does_its_work(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "HELDOUT_DATA"}
    for name, call in CALLS.items():
        words = [*name.split(), *call.replace("SMALL", SMALL).split()]
        done = subprocess.run(
            [sys.executable, "-m", "heldout", *words],
            cwd=tmp_path,
            env=environment,
            input=":quit\n",
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr, (name, done.stderr)
        assert done.returncode == 0, (name, done.stdout, done.stderr)
