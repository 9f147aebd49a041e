"""One training, or the measurement of one agent, in a study's folder: what `heldout train` and `evaluate` do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from heldout.agents import PLAYERS, Agent, Backends, OpenAgent, agent_of, identity_of, open_agent, suites_of
from heldout.analysis.scores import ALL, Cell
from heldout.chains import Chain, Stage, chain_name
from heldout.config import Config
from heldout.envs.base import Suite
from heldout.errors import BadCall
from heldout.evaluation.measure import Identity, Playing, measure_in, tasks_of_cells
from heldout.records import Json, Row
from heldout.rollout.groups import Play
from heldout.rollout.limits import refuse_if_none_fits
from heldout.store import schema
from heldout.store.folders import sweep
from heldout.store.lease import hold
from heldout.store.lineage import differences
from heldout.store.runs import EvaluationFolder, StageFolder, StudyFolder
from heldout.study.perform import Workspace, checkpoint_of, episodes_left, open_workspace, perform
from heldout.study.plan import plan
from heldout.study.results import Base, Manifest, read_manifest, write_manifest
from heldout.study.run import claim
from heldout.study.site import Site
from heldout.training.identity import apart
from heldout.training.skipping import last_recorded_step

SETTINGS = ("train.", "limits.", "processes", "slots", "backend", "reference")
"""What may differ where a run goes on as a new stage."""


def train_once(workspace: Workspace, *, resume: bool | None = None) -> tuple[Path, StageFolder, str]:
    """Trains the one stage of a study of one chain and one seed: its checkpoint, its folder, and what was new.

    `resume` says whether a run is expected in the folder; None takes it as it is. A run that cannot go on as it
    was, since its settings are others now, goes on as a new stage from its last good checkpoint; the text says so.
    """
    [chain], [seed] = workspace.study.chains, workspace.study.seeds
    folder = workspace.stage(chain, seed)
    if resume and not folder.config.exists():
        raise BadCall(f"{folder.root} holds no run to resume: leave --resume out to begin one")
    if resume is False and folder.config.exists():
        raise BadCall(f"{folder.root} holds a run: go on with --resume, or write elsewhere with --out")
    here, news = _continue(workspace, folder, chain) if folder.config.exists() else (workspace, "")
    graph = plan(here.study, controls=False)
    with Backends() as backends:
        claim(Site(here.folder, here.watch, backends), [here.study], graph, controls=False)
        here.watch.expects(sum(episodes_left(here, planned.work) for planned in graph))
        for planned in graph:
            perform(here, planned.work, backends)
    [chain] = here.study.chains
    return checkpoint_of(here, chain, seed), here.stage(chain, seed), news


def measure_agent(
    model: str,
    cells: Sequence[Sequence[Cell]],
    config: Config,
    study: StudyFolder,
    *,
    seed: int | None,
    playing: Playing,
    loading: Callable[[str], None] = lambda _: None,
) -> list[Row]:
    """The rows of an agent in each environment's cells; what is in the folder is not played again.

    Rows of a checkpoint have the seed that it was trained by: another is refused, and None is its own.
    """
    agent = agent_of(model, config.chat_template)
    place = Place(study=study, seed=seed_of(agent, seed), playing=playing)
    if model not in PLAYERS:
        loading(model)
    with open_agent(model, config) as opened:
        return measure_opened(agent, opened, cells, config, place)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the rows of a call lie, of which seed they are, and who is told."""

    study: StudyFolder
    seed: int
    playing: Playing

    def evaluation(self, agent: Agent) -> EvaluationFolder:
        """Where an agent's rows lie."""
        identity = identity_of(agent, self.study, self.seed)
        return self.study.evaluation(
            _label(agent, _claim_base(self.study, agent), identity), identity.step, self.seed
        )


def measure_opened(
    agent: Agent, opened: OpenAgent, cells: Sequence[Sequence[Cell]], config: Config, place: Place
) -> list[Row]:
    """The rows of an agent that is ready to play."""
    suites, folder = suites_of(config), place.evaluation(agent)
    for own in cells:
        tasks = tasks_of_cells(suites, own, config.evaluate)
        refuse_if_none_fits(tasks, opened.room, config.limits.response_budget)
    identity = identity_of(agent, place.study, place.seed)
    return [
        row
        for own in cells
        for row in measure_cells(
            opened.play, suites, own, identity=identity, config=config, folder=folder, playing=place.playing
        )
    ]


def seed_of(agent: Agent, asked: int | None) -> int:
    """The seed of an agent's rows."""
    if agent.seed is None:
        return asked or 0
    if asked not in (None, agent.seed):
        raise BadCall(
            f"{agent.model} was trained by seed {agent.seed}, and its rows say so, not {asked}: leave --seed out "
            "(evaluate.samples are more attempts)"
        )
    return agent.seed


def measure_cells(
    play: Play,
    suites: Callable[[str], Suite],
    cells: Sequence[Cell],
    *,
    identity: Identity,
    config: Config,
    folder: EvaluationFolder,
    playing: Playing,
    purpose: str = "evaluate",
) -> list[Row]:
    """The rows of one environment's cells."""
    title = f"{purpose} {cells[0].env}"
    with hold(folder.lease(cells[0].env), purpose=title) as lease:
        return measure_in(
            folder,
            play,
            suites,
            cells,
            identity=identity,
            settings=config.evaluate,
            limits=config.limits,
            playing=partial(playing, title),
            check=lease.check,
            purpose=purpose,
        )


def cells_of(suite: Suite, split: str, difficulty: str) -> list[Cell]:
    """What is measured of one environment: one difficulty, or where `all` is asked each that it has."""
    there = sorted({task.difficulty for task in suite.tasks(split)}) if difficulty == ALL else [difficulty]
    return [Cell(env=suite.name, split=split, difficulty=each) for each in there]


def _continue(workspace: Workspace, folder: StageFolder, chain: Chain) -> tuple[Workspace, str]:
    """The same; or, where the run cannot go on as it was, that of a new stage from its last good checkpoint.

    Only settings may differ: another base, seed or task source is another run, and refused.
    """
    job = workspace.job(chain, workspace.study.last_step(chain), workspace.study.seeds[0])
    known = schema.read(folder.config)["training"]
    own = f"stages.{len(job.before)}."
    differing = {path.removeprefix(own): now for path, _, now in differences(known, job.training)}
    if not differing:
        return workspace, ""
    reason, last = apart(known, job.training), last_recorded_step(folder)
    if not all(path.startswith(SETTINGS) for path in differing):
        raise BadCall(f"{folder.root} holds another run: {reason} (choose another folder with --out)")
    if not last:
        raise BadCall(f"{folder.root} cannot go on: {reason}, and it has no checkpoint yet (choose --out)")
    stage = replace(chain[-1], changes=_changes(chain[-1], differing))
    study = replace(workspace.study, base=str(folder.whole(last)), chains=((stage,),))
    new = open_workspace(study, workspace.folder, workspace.watch)
    return new, f"{reason}: goes on from step {last} as a new stage, {chain_name(new.full((stage,)))}"


def _changes(stage: Stage, differing: dict[str, Json]) -> tuple[tuple[str, str], ...]:
    """The stage's own changes, and those settings that differ from the run's before it."""
    new = {path: str(value) for path, value in differing.items() if path.startswith(("train.", "limits."))}
    return tuple({**dict(stage.changes), **new}.items())


def _claim_base(study: StudyFolder, agent: Agent) -> Base:
    """What the chains of the folder start from: the first that was measured there."""
    with hold(study.lease, purpose="begin evaluate"):
        sweep(study.root)
        manifest = read_manifest(study)
        if manifest is None:
            manifest = Manifest(base=Base(name=agent.base, digest=agent.digest))
            write_manifest(study, manifest)
    return manifest.base


def _label(agent: Agent, base: Base, identity: Identity) -> str:
    """The folder's name for an agent; one that the folder's own study would not look for there has its own."""
    if agent.digest == base.digest:
        return identity.chain
    return agent.base if agent.model in PLAYERS else f"{identity.chain} {agent.identity}"
