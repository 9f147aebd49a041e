"""A small study, and what of a folder must be the same whoever filled it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from heldout.analysis.scores import Cell
from heldout.chains import parse_chain
from heldout.config import Config, Evaluate, Limits, Train
from heldout.study.plan import Measured, Study

TIMES = {"seconds_play", "seconds_learn", "tokens_per_second", "rollouts_per_second"}
CONFIG = Config(
    limits=Limits(response_budget=400, reply_tokens=8),
    train=Train(steps=2, tasks=2, group_size=2, max_turns=2, lr=1e-3, kl=0.0, save_every=1),
    evaluate=Evaluate(samples=2, max_turns=1, tasks=2),
    processes=1,
)


@pytest.fixture(scope="session")
def small(tiny: Path) -> Study:
    """Two chains of TextCraft, measured in two cells: eight pieces without controls."""
    return Study(
        name="small",
        base=str(tiny),
        chains=(parse_chain("textcraft"), parse_chain("textcraft > textcraft.easy")),
        seeds=(0,),
        measured=tuple(
            Measured(cell=Cell(env=env, split="test", difficulty="easy")) for env in ("babyai", "textcraft")
        ),
        config=CONFIG,
    )


@pytest.fixture(scope="session")
def made() -> Callable[[Path], dict[str, object]]:
    """Rows, trajectories, metrics without their times, and weights."""

    def held(root: Path) -> dict[str, object]:
        kept = [*(root / "evaluations").rglob("*.jsonl*"), *(root / "stages").rglob("*.*")]
        return {
            path.relative_to(root).as_posix(): _content(path)
            for path in kept
            if path.suffix in (".jsonl", ".zst", ".safetensors") and not path.name.startswith(".")
        }

    return held


def _content(path: Path) -> object:
    if path.name != "metrics.jsonl":
        return path.read_bytes()
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [{name: value for name, value in row.items() if name not in TIMES} for row in rows]
