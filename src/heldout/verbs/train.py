"""`heldout train`: one stage of reinforcement fine-tuning in one environment."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from heldout.agents import open_crew, suites_of
from heldout.errors import BadCall
from heldout.model.worker import Team
from heldout.progress import Progress
from heldout.records import Stage, chain_name
from heldout.store.runs import StageFolder, StudyFolder
from heldout.train.stage import Job, Row
from heldout.train.stage import train as train_stage
from heldout.verbs.settings import base_of, run_folder, settled

SHOWN = ("reward", "success", "turns", "useful_groups", "rollouts_per_second", "tokens_per_second")
"""A step's figures that the progress line shows."""


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
    stage = Stage((env,), difficulty)
    suites = (suites_of(config)(env),)
    base = base_of(model)
    job = Job(base=base, chain=chain_name((stage,)), stage=stage, suites=suites, config=config, seed=seed)
    study = StudyFolder(out or run_folder("train", base))
    folder = study.stage(job.chain, seed)
    _may_begin(folder, resume)
    reference = model if config.train.kl else None
    with study.lock(), open_crew(model, config, reference) as crew:
        with Progress(f"train {job.chain}", config.train.steps) as progress:
            train_stage(job, crew, folder, lambda row: _show(progress, row))
        published = publish(crew, Path("outputs") / f"{env}_{difficulty}_checkpoint")
    print(f"metrics: {folder.root / 'metrics.jsonl'}\ncheckpoint: {published}")


def publish(team: Team, folder: Path) -> Path:
    """The folder, now with the team's weights, to be read by transformers; it is never there half written."""
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    team.save(partial, state=False)
    shutil.rmtree(folder, ignore_errors=True)
    return partial.rename(folder)


def _may_begin(folder: StageFolder, resume: bool) -> None:
    """A run that is there is gone on with only when asked for, and the other way round."""
    if folder.config.exists() and not resume:
        raise BadCall(f"{folder.root} holds a run: go on with --resume, or write elsewhere with --out")
    if resume and not folder.config.exists():
        raise BadCall(f"{folder.root} holds no run to resume")


def _show(progress: Progress, row: Row) -> None:
    progress.show(row["step"], **{name: row[name] for name in SHOWN})
