"""Does one piece of a study's work: idempotent, resuming itself, and alone at it.

What is done already is seen from the folder; what is to be done needs the study, the folder and the piece, and a
backend to do it with.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from heldout.agents import Agent, Backends, agent_of, device, processes_of, suites_of
from heldout.backend.worker import Team
from heldout.chains import Chain, chain_name, training_chain
from heldout.config import Config, Evaluate
from heldout.evaluation.measure import Identity, Wanted, measure, missing, wanted
from heldout.records import Json, Trajectory
from heldout.rollout.episode import Assignment
from heldout.store.files import read_json, replace_json
from heldout.store.lease import hold
from heldout.store.lineage import model_of
from heldout.store.runs import EvaluationFolder, StageFolder, StudyFolder
from heldout.study.controls import Matched, entropy, matched
from heldout.study.plan import Study
from heldout.study.work import MatchWork, MeasureWork, TrainWork, Work
from heldout.training.identity import ended
from heldout.training.stage import Job, Row, is_trained, refuse_another, train, train_tasks

CALIBRATION = (16, 3)
"""Training tasks, and attempts at each, from which an entropy is estimated."""


class Watch(Protocol):
    """Who is told how far a study is."""

    def step(self, chain: str, row: Row, steps: int) -> None:
        """A training step was made."""

    def playing(self, title: str, episodes: int) -> AbstractContextManager[Callable[[Trajectory], None]]:
        """So many episodes are to be played; each is told."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the pieces of one study are done: its folder, the agent that its chains start from, and who watches."""

    study: Study
    folder: StudyFolder
    agent: Agent
    watch: Watch

    def full(self, chain: Chain) -> Chain:
        """A chain of the study, with what its base went through before it."""
        return (*self.agent.chain, *chain)

    def stage(self, chain: Chain, seed: int, check: Callable[[], None] | None = None) -> StageFolder:
        """Where a training lies."""
        folder = self.folder.stage(chain_name(training_chain(self.full(chain))), seed)
        return replace(folder, check=check) if check else folder

    def evaluation(self, chain: Chain, step: int, seed: int) -> EvaluationFolder:
        """Where the measurements of a checkpoint, or of the base, lie."""
        identity = self.identity(chain, step, seed)
        return self.folder.evaluation(identity.chain, identity.step, seed)

    def identity(self, chain: Chain, step: int, seed: int) -> Identity:
        """Whose rows a measurement makes."""
        full = self.full(chain)
        return Identity(
            study=self.study.name,
            base=self.agent.base,
            model=model_of(self.job(chain, step, seed).training, step) if chain else self.agent.identity,
            chain=chain_name(training_chain(full) if full else ()),
            seed=seed,
            step=step if chain else self.agent.step,
        )

    def job(self, chain: Chain, until: int, seed: int) -> Job:
        """The training that ends a chain, up to a step."""
        config = chain[-1].configured(self.study.config)
        before = [self._facts(chain[:length], seed) for length in range(1, len(chain))]
        return Job(
            base=self.agent.digest,
            base_name=self.agent.base,
            chain=self.full(chain),
            suites=tuple(map(suites_of(config), chain[-1].envs)),
            config=replace(config, train=replace(config.train, steps=until)),
            seed=seed,
            before=(*self.agent.stages, *before),
            processes=processes_of(config),
            backend=device(),
            reference=self.agent.identity if config.train.kl else "",
        )

    def _facts(self, chain: Chain, seed: int) -> Json:
        """Of a stage that the chain goes on from: all that decides it, and where it ends."""
        job = self.job(chain, self.study.last_step(chain), seed)
        return ended(job.facts, job.config.train.steps)


def place_of_study(study: Study, folder: StudyFolder, watch: Watch) -> Place:
    """Where a study's pieces are done in this process."""
    return Place(study, folder, agent_of(study.base), watch)


def perform(place: Place, work: Work, backends: Backends) -> None:
    """Does a piece, or what is left of it; done already it costs a look."""
    match work:
        case TrainWork():
            _train(place, work, backends)
        case MatchWork():
            _match(place, work, backends)
        case MeasureWork():
            _measure(place, work, backends)


def refuse_other_trainings(place: Place, works: Sequence[Work]) -> None:
    """Refuses, before anything is done, a folder in which one of these trainings is another one."""
    for work in works:
        if isinstance(work, TrainWork):
            stage = place.stage(work.chain, work.seed)
            if stage.config.exists():
                refuse_another(place.job(work.chain, work.until, work.seed), stage)


def _train(place: Place, work: TrainWork, backends: Backends) -> None:
    if is_trained(place.stage(work.chain, work.seed), work.until):
        return
    job = place.job(work.chain, work.until, work.seed)
    with hold(place.stage(work.chain, work.seed).lease, purpose=work.title) as lease:
        folder = place.stage(work.chain, work.seed, lease.check)
        team = backends.open(job.config, place.study.base)
        team.begin(_model(place, work.chain[:-1], place.study.last_step(work.chain[:-1]), work.seed))
        train(job, team, folder, lambda row: place.watch.step(job.name, row, work.until))


def _match(place: Place, work: MatchWork, backends: Backends) -> None:
    """Sought once, and kept beside the checkpoint's measurements."""
    evaluation = place.evaluation(work.chain, work.step, work.seed)
    if evaluation.matched.exists():
        return
    with hold(evaluation.lease(evaluation.matched.stem), purpose=work.title) as lease:
        team = backends.open(place.study.config, place.study.base, to_learn=False)
        team.begin(_model(place, work.chain, work.step, work.seed))
        wanted_entropy = _entropy(place, work, team, place.study.config.evaluate.temperature)
        team.begin(place.study.base)
        match = matched(wanted_entropy, partial(_entropy, place, work, team))
        replace_json(evaluation.matched, asdict(match), lease.check)


def _entropy(place: Place, work: MatchWork, team: Team, temperature: float) -> float:
    """Of the model that the team holds, on training tasks of the chain's last stage."""
    count, attempts = CALIBRATION
    stage, config = work.chain[-1], work.chain[-1].configured(place.study.config)
    suites = suites_of(place.study.config)
    tasks = [task for env in stage.envs for task in train_tasks(suites(env), stage.difficulty)[:count]]
    assignments = [
        Assignment(task=task, attempt=attempt, seed=work.seed, stream="entropy")
        for task in tasks
        for attempt in range(attempts)
    ]
    longest = max(suites(env).turn_limit for env in stage.envs)
    limits = replace(config.limits, turns=config.train.turns or longest)
    played = sorted(team.play(assignments, limits, temperature), key=lambda each: each.stream)
    return entropy(played)


def _measure(place: Place, work: MeasureWork, backends: Backends) -> None:
    """This cell, with the checkpoint or the base."""
    evaluation, config = place.evaluation(work.chain, work.step, work.seed), place.study.config
    settings = _settings(place, work)
    rows = evaluation.rows(work.cell.env)
    if not missing(_wanted(place, work, settings), rows):
        return
    with hold(evaluation.lease(work.cell.env), purpose=work.title) as lease:
        evaluation.mend(work.cell.env)
        left = len(missing(_wanted(place, work, settings), rows))
        team = backends.open(config, place.study.base, to_learn=False)
        team.begin(_model(place, work.chain, work.step, work.seed))
        identity = place.identity(work.chain, work.step, work.seed)
        title = f"{identity.chain} on {work.cell.name}, temperature {settings.temperature:.2g}"
        with place.watch.playing(title, left) as played:
            measure(
                partial(team.play, temperature=settings.temperature),
                suites_of(config),
                [work.cell],
                identity=identity,
                settings=settings,
                limits=config.limits,
                rows=rows,
                trajectories=evaluation.trajectories(work.cell.env),
                progress=played,
                check=lease.check,
            )


def _wanted(place: Place, work: MeasureWork, settings: Evaluate) -> list[Wanted]:
    """Every episode that the piece takes."""
    config: Config = place.study.config
    limits = replace(config.limits, turns=settings.turns)
    identity = place.identity(work.chain, work.step, work.seed)
    return list(wanted(suites_of(config), [work.cell], identity, settings, limits))


def _settings(place: Place, work: MeasureWork) -> Evaluate:
    """How the cell is measured; a temperature that is to match has been sought by now."""
    temperature = work.temperature
    if temperature is None:
        assert work.matched is not None
        match = place.evaluation(work.matched.chain, work.matched.step, work.seed).matched
        temperature = Matched(**read_json(match)).temperature
    return replace(place.study.config.evaluate, temperature=temperature, tasks=work.tasks, samples=work.samples)


def _model(place: Place, chain: Chain, step: int, seed: int) -> str:
    """The model that a chain ends in: a checkpoint's folder, or the base."""
    return str(place.stage(chain, seed).whole(step)) if chain else place.study.base


def checkpoint_of(place: Place, chain: Chain, seed: int) -> Path:
    """The folder of a chain's end."""
    return place.stage(chain, seed).whole(place.study.last_step(chain))
