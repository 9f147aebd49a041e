"""`heldout train`: one stage of reinforcement fine-tuning in one environment."""

from collections.abc import Sequence
from pathlib import Path

from heldout.envs.registry import open_suite
from heldout.train.stage import train as train_stage
from heldout.verbs.settings import settled


def train(
    *,
    model: str,
    env: str,
    difficulty: str,
    n_samples: int | None,
    max_response_length: int | None,
    max_turns: int | None,
    algorithm: str,
    resume: bool,
    seed: int,
    out: Path | None,
    settings: Sequence[str],
) -> None:
    """Trains an agent and says where its checkpoint lies."""
    flags = {
        "train.samples": n_samples,
        "limits.response_budget": max_response_length,
        "train.turns": max_turns,
        "train.algorithm": algorithm,
    }
    config = settled(model, flags, settings)
    suite = open_suite(env, config.source)
    checkpoint = train_stage(
        model=model, suite=suite, difficulty=difficulty, config=config, seed=seed, out=out, resume=resume
    )
    print(checkpoint)
