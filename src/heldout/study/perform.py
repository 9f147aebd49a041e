"""Does one piece of a study's work: idempotent, resuming itself, and alone at it.

What is done already is seen from the folder; what is to be done needs the study, the folder and the piece, and a
backend to do it with.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

from heldout.agents import Agent, Backends, agent_of, device, processes_of, suites_of
from heldout.backend.worker import Backend
from heldout.chains import Chain, chain_name, training_chain
from heldout.config import Config, Evaluate
from heldout.evaluation.measure import Identity, Wanted, measure, missing_episodes, tasks_of_cells, wanted_episodes
from heldout.records import Json, Trajectory
from heldout.rollout.episode import Assignment
from heldout.rollout.limits import refuse_if_none_fits
from heldout.store.files import read_json, replace_json
from heldout.store.lease import hold
from heldout.store.lineage import model_of
from heldout.store.runs import EvaluationFolder, StageFolder, StudyFolder
from heldout.study.controls import Matched, entropy, match_temperature
from heldout.study.plan import Study
from heldout.study.work import MatchWork, MeasureWork, TrainWork, Work
from heldout.training.identity import with_steps
from heldout.training.stage import Job, StepMetrics, StepPart, is_trained, refuse_another, train, train_tasks

CALIBRATION = (16, 3)
"""Training tasks, and attempts at each, from which an entropy is estimated."""

TRIES = 6
"""About how many temperatures are tried until one matches."""


class Watch:
    """Who is told how far a study is; each method does nothing until it is overridden."""

    def expects(self, episodes: int) -> None:
        """About so many episodes are to be played in all."""

    def loading(self, model: str) -> None:
        """A model is to be loaded."""

    def during(self, chain: str, part: StepPart) -> None:
        """A training step is so far."""

    def step(self, chain: str, row: StepMetrics, steps: int) -> None:
        """A training step was made."""

    def playing(self, title: str, episodes: int) -> AbstractContextManager[Callable[[Trajectory], None]]:
        """So many episodes are to be played; each is told."""
        del title, episodes
        return nullcontext(lambda _: None)


@dataclass(frozen=True, slots=True)
class Workspace:
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
        config = chain[-1].apply_to(self.study.config)
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
        return with_steps(job.facts, job.config.train.steps)


def open_workspace(study: Study, folder: StudyFolder, watch: Watch) -> Workspace:
    """Where a study's pieces are done in this process."""
    return Workspace(study, folder, agent_of(study.base, study.config.chat_template), watch)


def perform(workspace: Workspace, work: Work, backends: Backends) -> None:
    """Does a piece, or what is left of it; done already it costs a look."""
    match work:
        case TrainWork():
            _train(workspace, work, backends)
        case MatchWork():
            _match(workspace, work, backends)
        case MeasureWork():
            _measure(workspace, work, backends)


def episodes_left(workspace: Workspace, work: Work) -> int:
    """About how many episodes a piece still takes: of a temperature that is sought, as of few tries."""
    match work:
        case TrainWork():
            settings = work.chain[-1].apply_to(workspace.study.config).train
            made = workspace.stage(work.chain, work.seed).latest() or 0
            return max(0, work.until - made) * settings.tasks * settings.group_size
        case MatchWork():
            is_there = workspace.evaluation(work.chain, work.step, work.seed).matched.exists()
            return 0 if is_there else TRIES * len(work.chain[-1].envs) * CALIBRATION[0] * CALIBRATION[1]
        case MeasureWork():
            if work.temperature is None and not _matched(workspace, work).exists():
                unmatched = replace(work, temperature=1.0, matched=None)
                return len(_wanted_episodes(workspace, unmatched, _settings(workspace, unmatched)))
            rows = workspace.evaluation(work.chain, work.step, work.seed).rows(work.cell.env)
            return len(missing_episodes(_wanted_episodes(workspace, work, _settings(workspace, work)), rows))


def refuse_other_trainings(workspace: Workspace, works: Sequence[Work]) -> None:
    """Refuses, before anything is done, a folder in which one of these trainings is another one."""
    for work in works:
        if isinstance(work, TrainWork):
            stage = workspace.stage(work.chain, work.seed)
            if stage.config.exists():
                refuse_another(workspace.job(work.chain, work.until, work.seed), stage)


def _train(workspace: Workspace, work: TrainWork, backends: Backends) -> None:
    if is_trained(workspace.stage(work.chain, work.seed), work.until):
        return
    job = workspace.job(work.chain, work.until, work.seed)
    with hold(workspace.stage(work.chain, work.seed).lease, purpose=work.title) as lease:
        folder = workspace.stage(work.chain, work.seed, lease.check)
        workspace.watch.loading(workspace.study.base)
        backend = backends.open(job.config, workspace.study.base)
        backend.load(_model(workspace, work.chain[:-1], workspace.study.last_step(work.chain[:-1]), work.seed))
        for suite in job.suites:
            pool = train_tasks(suite, job.stage.difficulty)
            refuse_if_none_fits(pool, backend.room, job.config.limits.response_budget)
        watch, steps = workspace.watch, work.until
        train(
            job,
            backend,
            folder,
            tell=lambda row: watch.step(job.name, row, steps),
            during=lambda part: watch.during(job.name, part),
        )


def _match(workspace: Workspace, work: MatchWork, backends: Backends) -> None:
    """Sought once, and kept beside the checkpoint's measurements."""
    evaluation = workspace.evaluation(work.chain, work.step, work.seed)
    if evaluation.matched.exists():
        return
    with hold(evaluation.lease(evaluation.matched.stem), purpose=work.title) as lease:
        config = work.chain[-1].apply_to(workspace.study.config)  # its training tasks are as the stage has them
        backend = backends.open(config, workspace.study.base, to_learn=False)
        backend.load(_model(workspace, work.chain, work.step, work.seed))
        wanted_entropy = _entropy(workspace, work, backend, workspace.study.config.evaluate.temperature)
        backend.load(workspace.study.base)
        match = match_temperature(wanted_entropy, partial(_entropy, workspace, work, backend))
        replace_json(evaluation.matched, asdict(match), lease.check)


def _entropy(workspace: Workspace, work: MatchWork, backend: Backend, temperature: float) -> float:
    """Of the model that the backend holds, on training tasks of the chain's last stage."""
    count, attempts = CALIBRATION
    stage, config = work.chain[-1], work.chain[-1].apply_to(workspace.study.config)
    suites = suites_of(config)
    tasks = [task for env in stage.envs for task in train_tasks(suites(env), stage.difficulty)[:count]]
    assignments = [
        Assignment(task=task, attempt=attempt, seed=work.seed, stream="entropy")
        for task in tasks
        for attempt in range(attempts)
    ]
    longest = max(suites(env).max_turns for env in stage.envs)
    limits = replace(config.limits, max_turns=config.train.max_turns or longest)
    played = sorted(backend.play(assignments, limits, temperature), key=lambda each: each.stream)
    return entropy(played)


def _measure(workspace: Workspace, work: MeasureWork, backends: Backends) -> None:
    """This cell, with the checkpoint or the base."""
    evaluation, config = workspace.evaluation(work.chain, work.step, work.seed), workspace.study.config
    settings = _settings(workspace, work)
    rows = evaluation.rows(work.cell.env)
    if not missing_episodes(_wanted_episodes(workspace, work, settings), rows):
        return
    with hold(evaluation.lease(work.cell.env), purpose=work.title) as lease:
        evaluation.mend(work.cell.env)
        left = len(missing_episodes(_wanted_episodes(workspace, work, settings), rows))
        backend = backends.open(config, workspace.study.base, to_learn=False)
        backend.load(_model(workspace, work.chain, work.step, work.seed))
        tasks = tasks_of_cells(suites_of(config), [work.cell], settings)
        refuse_if_none_fits(tasks, backend.room, config.limits.response_budget)
        identity = workspace.identity(work.chain, work.step, work.seed)
        title = f"{identity.chain} on {work.cell.name}, temperature {settings.temperature:.2g}"
        with workspace.watch.playing(title, left) as played:
            measure(
                partial(backend.play, temperature=settings.temperature),
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


def _wanted_episodes(workspace: Workspace, work: MeasureWork, settings: Evaluate) -> list[Wanted]:
    """Every episode that the piece takes."""
    config: Config = workspace.study.config
    limits = replace(config.limits, max_turns=settings.max_turns)
    identity = workspace.identity(work.chain, work.step, work.seed)
    return list(wanted_episodes(suites_of(config), [work.cell], identity, settings, limits))


def _settings(workspace: Workspace, work: MeasureWork) -> Evaluate:
    """How the cell is measured; a temperature that is to match has been sought by now."""
    temperature = work.temperature
    if temperature is None:
        temperature = Matched(**read_json(_matched(workspace, work))).temperature
    return replace(workspace.study.config.evaluate, temperature=temperature, tasks=work.tasks, samples=work.samples)


def _matched(workspace: Workspace, work: MeasureWork) -> Path:
    """Where the temperature lies that a cell is measured at."""
    assert work.matched is not None
    return workspace.evaluation(work.matched.chain, work.matched.step, work.seed).matched


def _model(workspace: Workspace, chain: Chain, step: int, seed: int) -> str:
    """The model that a chain ends in: a checkpoint's folder, or the base."""
    return str(workspace.stage(chain, seed).whole(step)) if chain else workspace.study.base


def checkpoint_of(workspace: Workspace, chain: Chain, seed: int) -> Path:
    """The folder of a chain's end."""
    return workspace.stage(chain, seed).whole(workspace.study.last_step(chain))
