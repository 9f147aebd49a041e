"""Runs a study: trains each prefix of its chains once and measures what it asks for.

Running again is resuming: a finished stage is passed over, an unfinished one goes on from its last
checkpoint, and of the measurements only missing rows are played.
"""

import platform
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

import torch
import transformers

from heldout import __version__
from heldout.agents import open_crew, suites_of
from heldout.analysis.scores import Cell
from heldout.config import Evaluate
from heldout.errors import BadCall
from heldout.evaluate.measure import Identity, key, measure, missing, tasks_of, wanted
from heldout.model.load import base_of
from heldout.model.worker import Team
from heldout.records import Chain, Ending, Episode, Trajectory, chain_name, to_json
from heldout.rollout.episode import Assignment
from heldout.store import schema
from heldout.store.files import read_json, replace_json
from heldout.store.runs import EvaluationFolder, StudyFolder
from heldout.study.controls import Matched, entropy, matched
from heldout.study.plan import Measured, Study, to_train
from heldout.train.stage import Job, Row, recorded, train, train_tasks

CALIBRATION = (16, 3)
"""Training tasks, and attempts at each, from which an entropy is estimated."""


class Watch(Protocol):
    """Who is told how far a study is."""

    def step(self, chain: str, row: Row, steps: int) -> None:
        """A training step was made."""

    def playing(self, title: str, episodes: int) -> AbstractContextManager[Callable[[Trajectory], None]]:
        """So many episodes are to be played; each is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Running:
    """A study while it runs: its folder, its team, and who watches."""

    study: Study
    folder: StudyFolder
    team: Team
    watch: Watch


def run(study: Study, folder: StudyFolder, watch: Watch, controls: bool = True) -> None:
    """Everything that the study asks for and the folder does not have yet."""
    begun = time.monotonic()
    with folder.lock():
        _open(study, folder)
        reference = study.base if study.config.train.kl else None
        with open_crew(study.base, study.config, reference) as crew:
            running = _Running(study=study, folder=folder, team=crew, watch=watch)
            for seed in study.seeds:
                _run_seed(running, seed, controls)
        _add_seconds(folder, time.monotonic() - begun)


def rows_of(study: Study, folder: StudyFolder, chain: Chain, seed: int, temperature: float) -> list[Episode]:
    """What the study wanted to know of a chain's end, or of the base, and has played, each episode once."""
    evaluation = evaluation_of(study, folder, chain, seed)
    played = {key(row): row for env in _envs(study.cells) for row in evaluation.rows(env) if _is_whole(row)}
    suites, identity = suites_of(study.config), _identity(study, chain, seed)
    needs = (
        need
        for each in study.measured
        for need in wanted(suites, [each.cell], identity, _settings(study, each, temperature))
    )
    return [played[need.key] for need in needs if need.key in played]


def _run_seed(running: _Running, seed: int, controls: bool) -> None:
    study = running.study
    running.team.begin(study.base)
    _measure(running, study.measured, (), seed, study.config.evaluate.temperature)
    for chain in to_train(study.chains):
        _train(running, chain, seed)
    for chain in study.chains:
        running.team.begin(_model(running, chain, seed))
        _measure(running, study.measured, chain, seed, study.config.evaluate.temperature)
        if controls:
            _controls(running, chain, seed)


def _train(running: _Running, chain: Chain, seed: int) -> None:
    """The chain's last stage, from where the chain before it ended."""
    study, name = running.study, chain_name(chain)
    folder = running.folder.stage(name, seed)
    suites = suites_of(study.config)
    job = Job(
        base=study.base,
        chain=name,
        stage=chain[-1],
        suites=tuple(suites(env) for env in chain[-1].envs),
        config=study.config,
        seed=seed,
    )
    if folder.done.exists() and recorded(folder) >= study.config.train.steps:
        return
    running.team.begin(_model(running, chain[:-1], seed))
    train(job, running.team, folder, lambda row: running.watch.step(name, row, study.config.train.steps))


def _controls(running: _Running, chain: Chain, seed: int) -> None:
    """The base measured greedily, once a task, and at the entropy of the chain's end."""
    match = _matched(running, chain, seed)
    running.team.begin(running.study.base)
    measured = [each for each in running.study.measured if each.controls]
    _measure(running, measured, (), seed, 0.0)
    _measure(running, measured, (), seed, match.temperature)


def _matched(running: _Running, chain: Chain, seed: int) -> Matched:
    """Sought once, and kept beside the chain's measurements; the team holds the chain's end."""
    path = matched_file(running.study, running.folder, chain, seed)
    if path.exists():
        return Matched(**read_json(path))
    wanted_entropy = _entropy(running, chain, seed, running.study.config.evaluate.temperature)
    running.team.begin(running.study.base)
    match = matched(wanted_entropy, partial(_entropy, running, chain, seed))
    replace_json(path, asdict(match))
    return match


def matched_file(study: Study, folder: StudyFolder, chain: Chain, seed: int) -> Path:
    """Where the matched temperature is kept."""
    return evaluation_of(study, folder, chain, seed).root / "matched.json"


def _entropy(running: _Running, chain: Chain, seed: int, temperature: float) -> float:
    """Of the model that the team holds, on training tasks of the chain's last stage."""
    count, attempts = CALIBRATION
    suites = suites_of(running.study.config)
    tasks = [task for env in chain[-1].envs for task in train_tasks(suites(env), chain[-1].difficulty)[:count]]
    assignments = [
        Assignment(task=task, attempt=attempt, seed=seed, stream="entropy")
        for task in tasks
        for attempt in range(attempts)
    ]
    config = running.study.config
    longest = max(suites(env).turn_limit for env in chain[-1].envs)
    limits = replace(config.limits, turns=config.train.turns or longest)
    played = sorted(running.team.play(assignments, limits, temperature), key=lambda each: each.stream)
    return entropy(played)


def _measure(running: _Running, measured: Iterable[Measured], chain: Chain, seed: int, temperature: float) -> None:
    """These cells, with the model that the team holds."""
    study, suites = running.study, suites_of(running.study.config)
    identity = _identity(study, chain, seed)
    folder = evaluation_of(study, running.folder, chain, seed)
    for each in measured:
        settings, rows = _settings(study, each, temperature), folder.rows(each.cell.env)
        needs = list(wanted(suites, [each.cell], identity, settings))
        if not missing(needs, rows):
            continue
        folder.mend(each.cell.env)
        left = len(missing(needs, rows))
        title = f"{chain_name(chain)} on {each.cell.name}, temperature {temperature:.2g}"
        with running.watch.playing(title, left) as played:
            measure(
                partial(running.team.play, temperature=temperature),
                suites,
                [each.cell],
                identity=identity,
                settings=settings,
                limits=study.config.limits,
                rows=rows,
                trajectories=folder.trajectories(each.cell.env),
                progress=played,
            )


def _model(running: _Running, chain: Chain, seed: int) -> str:
    """The model that a chain ends in: a checkpoint's folder, or the base."""
    if not chain:
        return running.study.base
    folder = running.folder.stage(chain_name(chain), seed)
    return str(folder.whole(running.study.config.train.steps))


def evaluation_of(study: Study, folder: StudyFolder, chain: Chain, seed: int) -> EvaluationFolder:
    """Where the measurements of a chain's end, or of the base, are kept."""
    return folder.evaluation(chain_name(chain), _last_step(study, chain), seed)


def _identity(study: Study, chain: Chain, seed: int) -> Identity:
    return Identity(
        study=study.name, base=study.base, chain=chain_name(chain), seed=seed, step=_last_step(study, chain)
    )


def _settings(study: Study, measured: Measured, temperature: float) -> Evaluate:
    """How a cell is measured at that temperature; greedy decoding says the same each time, so once."""
    plain = study.config.evaluate
    settings = replace(plain, temperature=temperature, tasks=measured.tasks or plain.tasks)
    return settings if temperature else replace(settings, samples=1)


def _last_step(study: Study, chain: Chain) -> int:
    return study.config.train.steps if chain else 0


def _is_whole(row: Episode) -> bool:
    """Whether the episode was played to an ending of its own."""
    return row.ending != Ending.ERROR


def _envs(cells: Iterable[Cell]) -> list[str]:
    """The environments of the cells, each once, in their order."""
    return list(dict.fromkeys(cell.env for cell in cells))


def _open(study: Study, folder: StudyFolder) -> None:
    """Writes what the folder is, or refuses one that is something else."""
    for cell in study.cells:
        tasks_of(suites_of(study.config)(cell.env), cell)
    weights = base_of(study.base)
    if folder.study.exists():
        known = schema.read(folder.study)
        if (known.get("digest"), known.get("base")) != (study.digest, weights):
            raise BadCall(
                f"{folder.root} holds another study (its base, settings, seeds or environments differ): "
                "choose another folder with --out, or remove this one"
            )
        return
    written = {
        "digest": study.digest,
        "base": weights,
        "study": to_json(study),
        "versions": {
            "heldout": __version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
        },
        "machine": platform.machine(),
        "seconds": 0.0,
    }
    schema.replace(folder.study, written)


def _add_seconds(folder: StudyFolder, seconds: float) -> None:
    """What all runs of the study took together."""
    written = schema.read(folder.study)
    schema.replace(folder.study, {**written, "seconds": written["seconds"] + seconds})
