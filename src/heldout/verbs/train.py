"""`heldout train`: one stage of reinforcement fine-tuning in one environment."""

from collections.abc import Sequence
from pathlib import Path

from heldout.agents import open_crew, suites_of
from heldout.errors import BadCall
from heldout.model.worker import Team
from heldout.progress import Progress
from heldout.records import Stage, chain_name
from heldout.store.folders import replacing
from heldout.store.runs import StageFolder, StudyFolder, env_slug
from heldout.train.stage import Job, Row, claim
from heldout.train.stage import train as train_stage
from heldout.verbs.settings import base_of, run_folder, settled

SHOWN = ("reward", "success", "turns", "useful_groups", "rollouts_per_second", "tokens_per_second")
"""A step's figures that the progress line shows."""


def train(
    *,
    model: str,
    env: str,
    difficulty: str,
    difficulty_file: str | None,
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
        "source.difficulty": difficulty_file,
    }
    config = settled(model, flags, settings)
    stage = Stage((env,), difficulty)
    suites = (suites_of(config)(env),)
    job = Job(base=base_of(model), chain=chain_name((stage,)), stage=stage, suites=suites, config=config, seed=seed)
    study = StudyFolder(out or run_folder("train", job.base, config.source.variant))
    folder = study.stage(job.chain, seed)
    if resume and not folder.config.exists():
        raise BadCall(f"{folder.root} holds no run to resume: leave --resume out to begin one")
    with study.lock():
        if folder.config.exists() and not resume:
            raise BadCall(f"{folder.root} holds a run: go on with --resume, or write elsewhere with --out")
        claim(job, folder)  # before the model is loaded: killed from here on, the run goes on with --resume
        published = _trained(job, model, folder)
    print(f"metrics: {folder.root / 'metrics.jsonl'}\ncheckpoint: {published}")


def _trained(job: Job, model: str, folder: StageFolder) -> Path:
    """Where the trained model was published."""
    steps, stage = job.config.train.steps, job.stage
    with open_crew(model, job.config, model if job.config.train.kl else None) as crew:
        with Progress(f"train {job.chain}", steps) as progress:
            train_stage(job, crew, folder, lambda row: _show(progress, row))
        parts = (env_slug(stage.envs[0]), stage.difficulty, job.config.source.variant.name, "checkpoint")
        return publish(crew, Path("outputs") / "_".join(filter(None, parts)))


def publish(team: Team, folder: Path) -> Path:
    """The folder, now with the team's weights, to be read by transformers; it is never there half written."""
    with replacing(folder) as partial:
        team.save(partial, state=False)
    return folder


def _show(progress: Progress, row: Row) -> None:
    progress.show(row["step"], **{name: row[name] for name in SHOWN})
