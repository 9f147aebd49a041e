"""Does one piece of a study's work: idempotent, resuming itself, and alone at it.

What is done already is seen from the folder; what is to be done needs the study, the folder and the piece, and a
backend to do it with.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

from heldout.agents import Agent, Backends, agent_of, device, player, processes_of, suites_of
from heldout.analysis.scores import Cell
from heldout.chains import Chain, chain_name, training_chain
from heldout.config import REFERENCES, Config, Evaluate, under_variant
from heldout.envs.base import Suite
from heldout.errors import BadCall
from heldout.evaluation.measure import (
    Identity,
    Wanted,
    measure_in,
    missing_episodes,
    tasks_of,
    tasks_of_cells,
    wanted_episodes,
)
from heldout.learn.methods import method_of
from heldout.records import Json, Trajectory, digest
from heldout.rollout.groups import Play
from heldout.rollout.limits import refuse_if_none_fits
from heldout.store.files import read_json, replace_json
from heldout.store.lease import hold
from heldout.store.lineage import model_of
from heldout.store.runs import EvaluationFolder, StageFolder, StudyFolder
from heldout.study import calibrate
from heldout.study.calibrate import Pair, calibration_episodes, tuning_episodes
from heldout.study.drift import drift_episodes, forward_kl
from heldout.study.facts import CellFacts, tuning_digest
from heldout.study.halves import halve, with_halves
from heldout.study.outcome import Finished
from heldout.study.plan import Study
from heldout.study.work import DifficultyWork, DriftWork, MatchWork, MeasureWork, TrainWork, TuneWork, Work
from heldout.training.figures import StepMetrics
from heldout.training.identity import with_steps
from heldout.training.job import Job
from heldout.training.stage import StepPart, train, train_tasks


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

    def left_out(self, title: str, why: str) -> None:
        """A control cannot be measured."""

    def finished(self, finished: Finished) -> None:
        """A piece came to its end."""

    def stands(self, done: int, running: int, waiting: int) -> None:
        """So many pieces are done, at work and waiting now."""

    def news(self, text: str) -> None:
        """Something that whoever runs the study should know."""

    def waiting(self, why: str) -> None:
        """Nothing can begin now: another process is at what is left."""


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

    def whose(self, work: MeasureWork) -> Identity:
        """Whose rows a piece of work makes; a player's are those of `heldout evaluate --model PLAYER`."""
        if not work.player:
            return self.identity(work.chain, work.step, work.seed)
        return Identity(
            study=self.study.name, base=work.player, model=work.player, chain=chain_name(()), seed=work.seed, step=0
        )

    def place(self, work: MeasureWork) -> EvaluationFolder:
        """Where a piece of work's rows lie."""
        if work.player:
            return self.folder.evaluation(work.player, 0, work.seed)
        return self.evaluation(work.chain, work.step, work.seed)

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
            reference=self._reference(config, chain, seed) if method_of(config.train).kl else "",
        )

    def _reference(self, config: Config, chain: Chain, seed: int) -> str:
        """What a stage's KL term holds on to, by what decided its weights."""
        if config.train.reference not in REFERENCES:
            return agent_of(config.train.reference, config.chat_template).digest
        start = chain[:-1] if config.train.reference == "stage_start" else ()
        return self.identity(start, self.study.last_step(start), seed).model

    def _facts(self, chain: Chain, seed: int) -> Json:
        """Of a stage that the chain goes on from: all that decides it, and where it ends."""
        job = self.job(chain, self.study.last_step(chain), seed)
        return with_steps(job.facts, job.config.train.steps)


def open_workspace(study: Study, folder: StudyFolder, watch: Watch) -> Workspace:
    """Where a study's pieces are done in this process."""
    return Workspace(with_halves(study, folder), folder, agent_of(study.base, study.config.chat_template), watch)


def perform(workspace: Workspace, work: Work, backends: Backends) -> None:
    """Does a piece, or what is left of it; done already it costs a look."""
    match work:
        case DifficultyWork():
            halve(workspace.folder, workspace.study.config, work, backends, workspace.watch.playing)
        case TrainWork():
            _train(workspace, work, backends)
        case MatchWork():
            _match(workspace, work, backends)
        case TuneWork():
            _tune(workspace, work, backends)
        case DriftWork():
            _drift(workspace, work, backends)
        case MeasureWork(player=""):
            _measure(workspace, work, backends)
        case MeasureWork():
            try:
                _measure(workspace, work, backends)
            except BadCall as refusal:  # such as of tasks on a server, which no player can see into
                workspace.watch.left_out(work.title, str(refusal))


def episodes_left(workspace: Workspace, work: Work) -> int:
    """About how many episodes a piece still takes: at a temperature that is not known yet, as many as at any."""
    match work:
        case TrainWork():
            settings = work.chain[-1].apply_to(workspace.study.config).train
            folder = workspace.stage(work.chain, work.seed)
            made = max((step for step in folder.resumable() if step < work.until), default=0)
            left = 0 if folder.was_made(work.until) else work.until - made
            return left * settings.tasks * settings.group_size
        case MatchWork():
            stage = work.chain[-1]
            episodes = calibration_episodes(stage, stage.apply_to(workspace.study.config), work.seed)
            return 0 if _found_at(workspace, work).exists() else len(episodes)
        case TuneWork():
            is_there = _found_at(workspace, work).exists()
            return 0 if is_there else tuning_episodes(work.cell, workspace.study.config)
        case DriftWork() | DifficultyWork():
            return 0
        case MeasureWork():
            if work.found_by and not _found_at(workspace, work.found_by).exists():
                unknown = replace(work, temperature=1.0, found_by=None)
                return len(_wanted_episodes(workspace, unknown, _settings(workspace, unknown)))
            rows = workspace.place(work).rows(work.cell.env)
            return len(missing_episodes(_wanted_episodes(workspace, work, _settings(workspace, work)), rows))


def is_left(workspace: Workspace, work: Work) -> bool:
    """Whether something of a piece is still to be done; a drift plays nothing."""
    if isinstance(work, DriftWork):
        return not _found_at(workspace, work).exists()
    return episodes_left(workspace, work) > 0


def facts_of(suite: Suite, cell: Cell, tasks: int | None) -> CellFacts:
    """What a cell is now, with its first so many tasks."""
    return CellFacts(
        tasks=tuple(task.id for task in tasks_of(suite, cell)[:tasks]),
        data=suite.data,
        rules=suite.rules,
        rules_version=suite.rules_version,
        prompt=digest(suite.instruction),
        variant=suite.variant.name,
        difficulty_source=suite.difficulty_source,
    )


def _train(workspace: Workspace, work: TrainWork, backends: Backends) -> None:
    if workspace.stage(work.chain, work.seed).was_made(work.until):
        return
    job = workspace.job(work.chain, work.until, work.seed)
    with hold(workspace.stage(work.chain, work.seed).lease, purpose=work.title) as lease:
        folder = workspace.stage(work.chain, work.seed, lease.check)
        workspace.watch.loading(workspace.study.base)
        start = _model(workspace, work.chain[:-1], workspace.study.last_step(work.chain[:-1]), work.seed)
        holds_on_to = _held_on_to(job, start) if method_of(job.config.train).kl else None
        backend = backends.open(job.config, workspace.study.base, reference=holds_on_to)
        backend.load(start)
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


def _held_on_to(job: Job, start: str) -> str | None:
    """The model of a KL term; None is the base."""
    named = job.config.train.reference
    return {"base": None, "stage_start": start}.get(named, named)


def _match(workspace: Workspace, work: MatchWork, backends: Backends) -> None:
    """Sought once, and kept beside the checkpoint's measurements."""
    config, path = workspace.study.config, _found_at(workspace, work)
    if path.exists():
        return
    with hold(path.parent / f".{path.stem}.lease", purpose=work.title) as lease:
        stage = work.chain[-1]
        backend = backends.open(stage.apply_to(config), workspace.study.base, to_learn=False)
        trained = _model(workspace, work.chain, work.step, work.seed)
        with workspace.watch.playing(work.title, episodes_left(workspace, work)) as played:
            pair = Pair(trained=trained, base=workspace.study.base)
            match = calibrate.match(backend, pair, stage, config, seed=work.seed, hear=played)
        replace_json(path, asdict(match), lease.check)


def _tune(workspace: Workspace, work: TuneWork, backends: Backends) -> None:
    """Sought once, and kept beside the base's measurements."""
    config, path = workspace.study.config, _found_at(workspace, work)
    if path.exists():
        return
    with hold(path.parent / f".{path.stem}.lease", purpose=work.title) as lease:
        backend = backends.open(config, workspace.study.base, to_learn=False)
        backend.load(workspace.study.base)
        with workspace.watch.playing(work.title, episodes_left(workspace, work)) as played:
            tuned = calibrate.tune(backend, work.cell, config, seed=work.seed, hear=played)
        replace_json(path, asdict(tuned), lease.check)


def _drift(workspace: Workspace, work: DriftWork, backends: Backends) -> None:
    """Taken once, and kept beside the checkpoint's measurements."""
    config, path = workspace.study.config, _found_at(workspace, work)
    if path.exists():
        return
    with hold(path.parent / f".{path.stem}.lease", purpose=work.title) as lease:
        said = workspace.evaluation((), 0, work.seed)
        wanted = drift_episodes(workspace.study, work.cells, workspace.identity((), 0, work.seed))
        streams = {row.stream for row in said.rows(work.env) if row.is_played and row.key in wanted}
        base = workspace.study.base
        backend = backends.open(config, base, reference=base)
        backend.load(_model(workspace, work.chain, work.step, work.seed))
        drift = forward_kl(backend, said.trajectories(work.env), streams, config)
        replace_json(path, asdict(drift), lease.check)


def _measure(workspace: Workspace, work: MeasureWork, backends: Backends) -> None:
    """This cell, with the checkpoint, the base or a player."""
    evaluation, config = workspace.place(work), _config(workspace, work)
    settings, identity = _settings(workspace, work), workspace.whose(work)
    if not missing_episodes(_wanted_episodes(workspace, work, settings), evaluation.rows(work.cell.env)):
        return
    title = f"{work.player or identity.chain} on {work.place}, temperature {settings.temperature:.2g}"
    with hold(evaluation.lease(work.cell.env), purpose=work.title) as lease:
        measure_in(
            evaluation,
            _play(workspace, work, settings, backends),
            suites_of(config),
            [work.cell],
            identity=identity,
            settings=settings,
            limits=config.limits,
            playing=partial(workspace.watch.playing, title),
            check=lease.check,
        )


def _play(workspace: Workspace, work: MeasureWork, settings: Evaluate, backends: Backends) -> Play:
    """How a cell is played: by a player, or by a model whose openings leave room for a reply."""
    config = _config(workspace, work)
    if work.player:
        return player(work.player, config)
    backend = backends.open(config, workspace.study.base, to_learn=False)
    backend.load(_model(workspace, work.chain, work.step, work.seed))
    tasks = tasks_of_cells(suites_of(config), [work.cell], settings)
    refuse_if_none_fits(tasks, backend.room, config.limits.response_budget)
    return partial(backend.play, temperature=settings.temperature)


def _wanted_episodes(workspace: Workspace, work: MeasureWork, settings: Evaluate) -> list[Wanted]:
    """Every episode that the piece takes."""
    config = _config(workspace, work)
    limits = replace(config.limits, max_turns=settings.max_turns)
    return list(wanted_episodes(suites_of(config), [work.cell], workspace.whose(work), settings, limits))


def _config(workspace: Workspace, work: MeasureWork) -> Config:
    """The study's, under the variant that the cell is measured under."""
    return under_variant(workspace.study.config, work.variant)


def _settings(workspace: Workspace, work: MeasureWork) -> Evaluate:
    """How the cell is measured; a temperature that is to be found has been by now."""
    temperature = work.temperature
    if temperature is None:
        assert work.found_by is not None
        temperature = read_json(_found_at(workspace, work.found_by))["temperature"]
    samples = work.samples if temperature or work.player else workspace.study.samples(0)
    return replace(workspace.study.config.evaluate, temperature=temperature, tasks=work.tasks, samples=samples)


def _found_at(workspace: Workspace, work: MatchWork | TuneWork | DriftWork) -> Path:
    """Where the temperature, or the figure, lies that a piece of work finds."""
    config = workspace.study.config
    if isinstance(work, DriftWork):
        return workspace.evaluation(work.chain, work.step, work.seed).drift(work.env, config.evaluate.temperature)
    if isinstance(work, MatchWork):
        evaluation = workspace.evaluation(work.chain, work.step, work.seed)
        return evaluation.matched(config.evaluate.temperature)
    facts = facts_of(suites_of(config)(work.cell.env), work.cell, 0)
    return workspace.evaluation((), 0, work.seed).tuned(work.cell.name, tuning_digest(facts, config))


def _model(workspace: Workspace, chain: Chain, step: int, seed: int) -> str:
    """The model that a chain ends in: a checkpoint's folder, or the base."""
    return str(workspace.stage(chain, seed).whole(step)) if chain else workspace.study.base


def checkpoint_of(workspace: Workspace, chain: Chain, seed: int) -> Path:
    """The folder of a chain's end."""
    return workspace.stage(chain, seed).whole(workspace.study.last_step(chain))
