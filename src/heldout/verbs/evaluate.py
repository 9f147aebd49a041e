"""`heldout evaluate`: an agent, some environments, avg@k."""

import sys
from collections.abc import Sequence
from json import dumps
from pathlib import Path

from heldout.agents import agent_of, suites_of
from heldout.analysis.pass_curve import PassAt, pass_curve, powers_to
from heldout.analysis.scores import ALL, CellScore, count_attempts, summarise
from heldout.errors import BadCall
from heldout.evaluation.json_output import as_json as printed
from heldout.printable import printable_line
from heldout.records import Row
from heldout.reporting.controls import NOTE, control_scores, control_tables, controls_as_json
from heldout.reporting.losses import loss_lines
from heldout.reporting.tables import Table, align
from heldout.store.runs import StudyFolder
from heldout.study.beside import measure_with_controls
from heldout.study.controls import Beside
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

GIVEN_THIS_RUN = "GIVEN THIS RUN"
"""What heads the intervals of one training seed: they say nothing of another."""


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
    controls: bool,
    curve: bool,
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
    if controls and curve:
        raise BadCall("--pass-at is of one agent, and --controls measures several: choose one")
    suites = suites_of(config)
    cells = [cells_of(suites(env), split, difficulty) for env in dict.fromkeys(envs)]
    study = StudyFolder(out or run_folder("evaluate", agent_of(model, config.chat_template), config.source.variant))
    if controls:
        beside = measure_with_controls(
            model, cells, config, study, seed=seed, playing=show_episodes, loading=show_loading
        )
        _tell_too_long(beside.measured[0].rows)
        _print_controls(beside, pool=difficulty == ALL, to_read=not as_json)
        return
    rows = measure_agent(model, cells, config, study, seed=seed, playing=show_episodes, loading=show_loading)
    _tell_too_long(rows)
    scores = summarise(rows, pool=difficulty == ALL)
    found = list[PassAt]()
    if curve and scores:
        found = pass_curve(rows, powers_to(min(score.k for score in scores)), pool=difficulty == ALL)
    print(dumps(printed(scores, found), indent=2) if as_json else _shown(scores))
    if found and not as_json:
        told = "Of 100 tasks, those that one of k attempts did, and 95 % intervals:"
        print(f"\n{told}\n\n{align(_curve_table(found)).rstrip()}")
    _tell_lost(rows, to_read=not as_json)


def _print_controls(beside: Beside, *, pool: bool, to_read: bool) -> None:
    """The model and its controls, and in a line each those that were left out."""
    scores = control_scores(beside, pool=pool)
    if to_read:
        for variant, table in control_tables(scores).items():
            print(f"variant {variant}\n{align(table)}" if variant else align(table))
        print(NOTE)
    else:
        print(dumps(controls_as_json(beside, scores), indent=2))
    for measured in beside.measured:
        _tell_lost(measured.rows, to_read=to_read, who=f"{measured.name.replace('_', ' ')}: ")
    if not to_read:
        return
    for each in beside.left_out:
        print(printable_line(f"left out: {each.name.replace('_', ' ')}: {each.why}"))


def _tell_lost(rows: Sequence[Row], *, to_read: bool, who: str = "") -> None:
    """Attempts that are in no figure; beside JSON on the other stream, since a cell may have no figure."""
    for line in loss_lines(count_attempts(rows)):
        told = printable_line(f"{who}{line}")
        print(told if to_read else f"heldout: {told}", file=sys.stdout if to_read else sys.stderr)


def _tell_too_long(rows: Sequence[Row]) -> None:
    if told := _too_long(rows):
        print(printable_line(told), file=sys.stderr)


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
    given = any(score.is_given_this_run for score in scores)
    header = [f"{name}, {GIVEN_THIS_RUN}" if given and name == "95 %" else name for name in HEADER]
    table = align(Table(header, [_row(score) for score in scores], keys=2)).rstrip()
    return "\n".join([*(f"variant {name}" for name in variants), table])


def _curve_table(curve: Sequence[PassAt]) -> Table:
    """A line a cell, a column a k."""
    ks = list(dict.fromkeys(each.k for each in curve))
    cells = list(dict.fromkeys(each.cell for each in curve))
    at = {(each.cell, each.k): f"{_points(each.share)} [{', '.join(map(_points, each.ci95))}]" for each in curve}
    rows = [(cell.env, cell.difficulty, cell.split, *(at[cell, k] for k in ks)) for cell in cells]
    return Table(("ENV", "DIFFICULTY", "SPLIT", *(f"PASS@{k}" for k in ks)), rows, keys=3)


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
