"""`heldout evaluate`: an agent, some environments, avg@k."""

import sys
from collections.abc import Sequence
from json import dumps
from pathlib import Path

from heldout.agents import agent_of, suites_of
from heldout.analysis.scores import ALL, CellScore, count_attempts, summarise
from heldout.evaluation.json_output import as_json as printed
from heldout.printable import printable_line
from heldout.records import Row
from heldout.reporting.losses import loss_lines
from heldout.reporting.tables import Table, align
from heldout.store.runs import StudyFolder
from heldout.study.once import cells_of, measure_agent
from heldout.verbs.progress import show_episodes, show_loading
from heldout.verbs.settings import resolve_config, run_folder

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
    seed: int | None,
    as_json: bool,
    out: Path | None,
    settings: Sequence[str],
) -> None:
    """Measures an agent, playing only what is not on disk yet, and prints a figure for each cell."""
    flags = {
        "evaluate.samples": samples,
        "evaluate.max_turns": max_turns,
        "evaluate.tasks": limit,
        "source.difficulty": difficulty_file,
    }
    config = resolve_config(model, flags, settings)
    suites = suites_of(config)
    cells = [cells_of(suites(env), split, difficulty) for env in dict.fromkeys(envs)]
    study = StudyFolder(out or run_folder("evaluate", agent_of(model, config.chat_template), config.source.variant))
    rows = measure_agent(model, cells, config, study, seed=seed, playing=show_episodes, loading=show_loading)
    if told := _too_long(rows):
        print(printable_line(told), file=sys.stderr)
    scores = summarise(rows, pool=difficulty == ALL)
    print(dumps(printed(scores), indent=2) if as_json else _shown(scores))
    _tell_lost(rows, to_read=not as_json)


def _tell_lost(rows: Sequence[Row], *, to_read: bool) -> None:
    """Attempts that are in no figure; beside JSON on the other stream, since a cell may have no figure."""
    for line in map(printable_line, loss_lines(count_attempts(rows))):
        print(line if to_read else f"heldout: {line}", file=sys.stdout if to_read else sys.stderr)


def _too_long(rows: Sequence[Row]) -> str:
    """How many episodes could not begin, in a line; empty where all could."""
    found = [row for row in rows if row.is_too_long]
    tasks = {(row.env, row.task) for row in found}
    if not found:
        return ""
    return (
        f"heldout: {len(found)} of {len(rows)} episodes ended out_of_tokens before the first reply: the openings "
        f"of {len(tasks)} tasks, such as {min(tasks)[1]}, do not fit into the model's context"
    )


def _shown(scores: Sequence[CellScore]) -> str:
    """A line a cell; above them the variant, where there is one: a call measures by a single one."""
    variants = sorted({score.variant for score in scores if score.variant})
    table = align(Table(HEADER, [_row(score) for score in scores], keys=2)).rstrip()
    return "\n".join([*(f"variant {name}" for name in variants), table])


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
