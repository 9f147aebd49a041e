"""Tells easy tasks from hard for a study, by a reference model: its file is what the study's difficulties mean."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from heldout.addresses import public_name
from heldout.agents import PLAYERS, Agent, Backends, agent_of, identity_of, player, suites_of
from heldout.analysis.difficulty import split_by_difficulty
from heldout.config import Config
from heldout.errors import BadCall
from heldout.evaluation.difficulty import PURPOSE, cells_of, in_drawn_order, settings_of
from heldout.evaluation.measure import Identity, Playing, measure_in, tasks_of_cells
from heldout.model.load import hub_name_of
from heldout.records import Difficulty, Json, Row
from heldout.rollout.groups import Play
from heldout.rollout.limits import refuse_if_none_fits
from heldout.store.difficulty import read, write
from heldout.store.lease import hold
from heldout.store.runs import StudyFolder
from heldout.study.plan import Study
from heldout.study.work import DifficultyWork


def with_halves(study: Study, folder: StudyFolder) -> Study:
    """The study, its easy and hard being those of its own work's file; until that is there no task can be had."""
    if study.halves is None:
        return study
    source = replace(study.config.source, difficulty=str(folder.halves))
    return replace(study, config=replace(study.config, source=source))


def halve(folder: StudyFolder, config: Config, work: DifficultyWork, backends: Backends, playing: Playing) -> None:
    """Plays what is missing of the reference model's episodes, and writes the file; one that is there is kept."""
    config = _config(config, work)
    if folder.halves.exists():
        _refuse_others(folder, config, work)
        return
    with hold(folder.halves_lease, purpose=work.title) as lease:
        agent = agent_of(work.model)
        halving = _Halving(
            folder, config, work, identity_of(agent, folder, work.seed), _player(config, work, backends)
        )
        rows = [row for env in work.envs for row in halving.rows(env, playing, lease.check)]
        found = difficulty_by(agent, rows, work.envs, settings_of(config, work.seed))
        lease.check()
        write(folder.halves, found)


def _refuse_others(folder: StudyFolder, config: Config, work: DifficultyWork) -> None:
    """Refuses a file that was measured otherwise; a model at Hugging Face is told by its name and not looked up."""
    known, hub = read(str(folder.halves)), hub_name_of(work.model)
    is_model = known.model.startswith(f"{hub}-") if hub else known.model == reference_name(agent_of(work.model))
    is_whole = {each.env for each in known.envs} >= set(map(public_name, work.envs))
    is_k = {each.k for each in known.envs} == {work.samples}
    if not (is_model and is_whole and is_k and known.settings == settings_of(config, work.seed)):
        raise BadCall(
            f"{folder.halves} tells easy from hard otherwise: by {known.model} in "
            f"{', '.join(each.env for each in known.envs)}, and {work.title} was asked: choose another folder"
        )


def difficulty_by(
    agent: Agent, rows: Sequence[Row], envs: Iterable[str], settings: Mapping[str, Json]
) -> Difficulty:
    """What a reference model's episodes tell of these environments; `settings` are how they were played."""
    return Difficulty(
        model=reference_name(agent),
        settings=settings,
        envs=tuple(split_by_difficulty(row for row in rows if row.env == env) for env in envs),
    )


def reference_name(agent: Agent) -> str:
    """The reference model as a difficulty file names it: what it is called, and what it is."""
    return agent.base if agent.model in PLAYERS else f"{agent.base}-{agent.identity}"


def _config(config: Config, work: DifficultyWork) -> Config:
    """The study's, over the environments' own tasks, as `heldout difficulty` measures them; nothing is learned."""
    return replace(
        config,
        source=replace(config.source, difficulty=""),
        train=replace(config.train, kl=0.0),
        evaluate=replace(config.evaluate, samples=work.samples, tasks=work.tasks),
    )


def _player(config: Config, work: DifficultyWork, backends: Backends) -> Play:
    if work.model in PLAYERS:
        return player(work.model, config)
    backend = backends.open(config, work.model, to_learn=False)
    backend.load(work.model)
    suites = in_drawn_order(suites_of(config))
    for env in work.envs:
        tasks = tasks_of_cells(suites, cells_of(suites(env)), config.evaluate)
        refuse_if_none_fits(tasks, backend.room, config.limits.response_budget)
    return partial(backend.play, temperature=config.evaluate.temperature)


@dataclass(frozen=True, slots=True)
class _Halving:
    """Where a reference model's episodes are played and kept."""

    folder: StudyFolder
    config: Config
    work: DifficultyWork
    identity: Identity
    play: Play

    def rows(self, env: str, playing: Playing, check: Callable[[], None]) -> list[Row]:
        """Of all training and test tasks of an environment; what is on disk is not played again."""
        suites = in_drawn_order(suites_of(self.config))
        return measure_in(
            self.folder.difficulty(f"seed_{self.work.seed}"),
            self.play,
            suites,
            cells_of(suites(env)),
            identity=self.identity,
            settings=self.config.evaluate,
            limits=self.config.limits,
            playing=partial(playing, f"{self.work.title}: {env}"),
            check=check,
            purpose=PURPOSE,
        )
