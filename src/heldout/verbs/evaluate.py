"""`heldout evaluate`: an agent, some environments, avg@k."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from json import dumps
from pathlib import Path

from heldout.agents import Agent, agent_of, open_agent, suites_of
from heldout.analysis.scores import ALL, Cell, CellScore, summarise
from heldout.chains import chain_name, training_chain
from heldout.config import Config
from heldout.envs.base import Suite
from heldout.evaluate.measure import Identity, measure, missing, wanted
from heldout.evaluate.printed import as_json as printed
from heldout.progress import Progress
from heldout.records import Episode
from heldout.report.tables import Table, aligned
from heldout.rollout.groups import Play
from heldout.store.folders import sweep
from heldout.store.lease import hold
from heldout.store.runs import EvaluationFolder, StudyFolder
from heldout.study.results import Base, Union, read_union, write_union
from heldout.verbs.settings import run_folder, settled
from heldout.verbs.tally import Tally

HEADER = (
    "ENV",
    "DIFFICULTY",
    "SPLIT",
    "TASKS",
    "K",
    "SCORE",
    "95 %",
    "SUCCESS",
    "PASS@K",
    "USEFUL",
    "TURNS",
    "TOKENS",
    "ENDINGS",
)


def evaluate(
    *,
    model: str,
    envs: Sequence[str],
    difficulty: str,
    difficulty_file: str | None,
    split: str,
    samples: int | None,
    max_turns: int | None,
    limit: int | None,
    seed: int,
    as_json: bool,
    out: Path | None,
    settings: Sequence[str],
) -> None:
    """Measures an agent, playing only what is not on disk yet, and prints a figure for each cell."""
    flags = {
        "evaluate.samples": samples,
        "evaluate.turns": max_turns,
        "evaluate.tasks": limit,
        "source.difficulty": difficulty_file,
    }
    config = settled(model, flags, settings)
    suites = suites_of(config)
    cells = {env: cells_of(suites(env), split, difficulty) for env in envs}
    agent = agent_of(model)
    study = StudyFolder(out or run_folder("evaluate", agent, config.source.variant))
    identity = identity_of(agent, study, seed)
    folder = study.evaluation(_label(agent, _claimed(study, agent), identity.chain), identity.step, seed)
    rows = list[Episode]()
    with open_agent(model, config) as play:
        for chosen in cells.values():
            rows += measured(play, suites, chosen, identity=identity, config=config, folder=folder)
    scores = summarise(rows, pool=difficulty == ALL)
    print(dumps(printed(scores), indent=2) if as_json else aligned(_table(scores)).rstrip())


def identity_of(agent: Agent, study: StudyFolder, seed: int) -> Identity:
    """Whose rows an agent's are; those of a checkpoint say its chain and its step."""
    return Identity(
        study=study.root.name,
        base=agent.base,
        model=agent.identity,
        chain=chain_name(training_chain(agent.chain) if agent.chain else ()),
        seed=seed,
        step=agent.step,
    )


def _claimed(study: StudyFolder, agent: Agent) -> Base:
    """What the chains of the folder start from: the first that was measured there."""
    with hold(study.lease, purpose="begin evaluate"):
        sweep(study.root)
        union = read_union(study)
        if union is None:
            union = Union(base=Base(name=agent.base, digest=agent.digest))
            write_union(study, union)
    return union.base


def _label(agent: Agent, base: Base, chain: str) -> str:
    """The folder's name for an agent: another base than the folder's own has its own, by what it is."""
    return chain if agent.digest == base.digest else f"{agent.base} {chain} {agent.digest}"


def cells_of(suite: Suite, split: str, difficulty: str) -> list[Cell]:
    """What is measured of one environment: one difficulty, or where `all` is asked each that it has."""
    there = sorted({task.difficulty for task in suite.tasks(split)}) if difficulty == ALL else [difficulty]
    return [Cell(env=suite.name, split=split, difficulty=each) for each in there]


def measured(
    play: Play,
    suites: Callable[[str], Suite],
    cells: Sequence[Cell],
    *,
    identity: Identity,
    config: Config,
    folder: EvaluationFolder,
    purpose: str = "evaluate",
) -> list[Episode]:
    """The rows of one environment's cells, with live progress."""
    env = cells[0].env
    limits = replace(config.limits, turns=config.evaluate.turns)
    rows, needs = folder.rows(env), list(wanted(suites, cells, identity, config.evaluate, limits, purpose))
    with hold(folder.lease(env), purpose=f"{purpose} {env}") as lease:
        if left := missing(needs, rows):
            folder.mend(env)
            left = missing(needs, rows)
        with Progress(f"{purpose} {env}", len(left)) as progress:
            return measure(
                play,
                suites,
                cells,
                identity=identity,
                settings=config.evaluate,
                limits=config.limits,
                rows=rows,
                trajectories=folder.trajectories(env),
                progress=Tally(progress),
                check=lease.check,
                purpose=purpose,
            )


def _table(scores: Sequence[CellScore]) -> Table:
    """A line a cell; the variant has a column where there is one."""
    if not any(score.variant for score in scores):
        return Table(HEADER, [_row(score) for score in scores])
    rows = [(score.env, score.variant or "none", *_row(score)[1:]) for score in scores]
    return Table((HEADER[0], "VARIANT", *HEADER[1:]), rows)


def _row(score: CellScore) -> tuple[str, ...]:
    return (
        score.env,
        score.difficulty,
        score.split,
        str(score.n),
        str(score.k),
        _points(score.score),
        " to ".join(map(_points, score.ci95)),
        _points(score.success),
        _points(score.pass_at_k),
        _points(score.useful),
        f"{score.turns:.1f}",
        f"{score.tokens:.0f}",
        ", ".join(f"{name} {count}" for name, count in score.endings.items()),
    )


def _points(share: float) -> str:
    return f"{100 * share:.1f}"
