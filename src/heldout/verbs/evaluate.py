"""`heldout evaluate`: an agent, some environments, avg@k."""

from collections.abc import Callable, Sequence
from json import dumps
from pathlib import Path

from heldout.agents import open_agent, suites_of
from heldout.analysis.scores import ALL, Cell, CellScore, summarise
from heldout.config import Config, Limits
from heldout.envs.base import Suite
from heldout.errors import BadCall
from heldout.evaluate.measure import Identity, measure, missing, wanted
from heldout.evaluate.printed import as_json as printed
from heldout.progress import Progress
from heldout.records import Episode
from heldout.report.tables import Table, aligned
from heldout.rollout.groups import Play
from heldout.store import schema
from heldout.store.runs import EvaluationFolder, StudyFolder
from heldout.verbs.settings import base_of, run_folder, settled
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
    base = base_of(model)
    study = StudyFolder(out or run_folder("evaluate", base, config.source.variant))
    identity = Identity(study=study.root.name, base=base, chain="", seed=seed, step=0)
    rows = list[Episode]()
    folder = study.evaluation(chain="", step=0, seed=seed)
    with study.lock():
        same_limits(study, config.limits)
        with open_agent(model, config) as play:
            for chosen in cells.values():
                rows += measured(play, suites, chosen, identity=identity, config=config, folder=folder)
    scores = summarise(rows, pool=difficulty == ALL)
    print(dumps(printed(scores), indent=2) if as_json else aligned(_table(scores)).rstrip())


def same_limits(study: StudyFolder, limits: Limits) -> None:
    """Refuses to mix measurements under other budgets of tokens: rows do not say theirs."""
    budgets = {"response_budget": limits.response_budget, "reply_tokens": limits.reply_tokens}
    if not study.study.exists():
        schema.replace(study.study, {"limits": budgets})
    if (known := schema.read(study.study).get("limits")) != budgets:
        raise BadCall(
            f"{study.root} was measured with limits {known}, not {budgets}: choose another folder with --out"
        )


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
    rows, needs = folder.rows(env), list(wanted(suites, cells, identity, config.evaluate, purpose))
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
