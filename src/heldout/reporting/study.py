"""A study's answers, in a terminal, as a Markdown page and for programs."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from math import isfinite
from typing import Any

from heldout.analysis.conclusions import conclude
from heldout.analysis.estimates import EndpointResult
from heldout.analysis.scores import CellScore, Change
from heldout.errors import BadCall
from heldout.records import Json, from_json
from heldout.reporting.answer_tables import (
    control_table,
    drift_line,
    drift_table,
    endpoint_table,
    missing_lines,
    pair_table,
    place_name,
    plan_table,
    score_table,
    sequence_table,
    task_table,
    transfer_table,
)
from heldout.reporting.answers import Answers, read_answers
from heldout.reporting.losses import loss_lines
from heldout.reporting.markdown import escape
from heldout.reporting.pages import GIVEN_THIS_RUN, HELD_OUT
from heldout.reporting.tables import Table, align, markdown
from heldout.store.files import replace_file, replace_json
from heldout.store.runs import StudyFolder
from heldout.study.plan import Study
from heldout.study.results import entries_of

ENDPOINTS = "Endpoints"
FAMILY = """\
The endpoints were named before the study ran, and are one family: p-values are Holm's over all of them. Every other
figure is exploratory. That nothing is told apart is no finding of sameness: *equivalent* is only what two one-sided
tests place within the margin.
"""
DRIFT = """\
The forward KL from the base to the trained model in nats a token, over what the base said where it was measured.
"""
TASK_RULE = """\
A task is gained, or lost, where the share of its attempts that did it rises, or falls, by a half or more; *by
chance* is how many would be gained were both draws of one model. Figures are means over training seeds.
"""


def studies_in(folder: StudyFolder) -> list[Study]:
    """Those that measure something, of all that the folder was asked, in that order."""
    found = [study for entry in entries_of(folder) if (study := from_json(Study, entry.study)).measured]
    if not found:
        raise BadCall(f"{folder.root} was asked no study that measures anything: nothing is to be told of it")
    return found


def write_answers(studies: Sequence[Study], folder: StudyFolder) -> list[Answers]:
    """Writes `report/answers.md` and `report/answers.json` of these studies of the folder."""
    found = [read_answers(study, folder, [each for each in studies if each is not study]) for study in studies]
    replace_file(folder.report / "answers.md", "\n".join(map(answers_page, found)))
    replace_json(folder.report / "answers.json", [answers_as_json(each) for each in found])
    return found


def answers_text(answers: Answers) -> str:
    """For a terminal: the endpoints, the paper's tables, and what is missing."""
    study, given = answers.study, GIVEN_THIS_RUN if len(answers.study.seeds) == 1 else ""
    head = f"{study.name} of {study.base}: avg@{study.config.evaluate.samples} in points\n"
    tables = [align(table) for _, table in _tables(answers) if table.rows]
    lines = "".join(f"{line}\n" for line in _missing_and_lost(answers))
    return "\n".join(part for part in (head, *tables, given, lines) if part)


def answers_page(answers: Answers) -> str:
    """For a reader: all of it, with intervals."""
    study = answers.study
    sections = [
        (title, f"{markdown(table)}\n{FAMILY}" if title == ENDPOINTS else markdown(table))
        for title, table in _tables(answers)
        if table.rows
    ]
    cells, tasks, drift = score_table(answers), task_table(answers), drift_table(answers)
    lines = "".join(f"- {escape(line)}\n" for line in _missing_and_lost(answers))
    parts = [
        f"# {escape(study.name)}, of {escape(study.base)}\n",
        f"avg@{study.config.evaluate.samples} in points; training seeds {', '.join(map(str, study.seeds))}.\n",
        GIVEN_THIS_RUN if len(study.seeds) == 1 else "",
        *(f"## {title}\n\n{table}" for title, table in sections),
        f"## Every cell\n\n{markdown(cells)}" if cells.rows else "",
        f"## How far from the base\n\n{DRIFT}\n{markdown(drift)}\n{drift_line(answers)}" if drift.rows else "",
        f"## Task by task\n\n{TASK_RULE}\n{markdown(tasks)}" if tasks.rows else "",
        f"## What held out means\n\n{HELD_OUT}",
        f"## Not measured, and lost\n\n{lines}" if lines else "",
    ]
    return "\n".join(part for part in parts if part)


def _tables(answers: Answers) -> Iterable[tuple[str, Table]]:
    yield ENDPOINTS, endpoint_table(answers)
    yield "Where it was trained, and elsewhere", transfer_table(answers)
    yield "What a gain must beat", control_table(answers)
    yield "Plans of training by difficulty", plan_table(answers)
    yield "Two stages against one", pair_table(answers)
    yield "Stages one after another", sequence_table(answers)


def _missing_and_lost(answers: Answers) -> list[str]:
    """What was not measured, and the attempts that are in no figure, a line each."""
    lost = [f"{chain}, {line}" for chain, own in answers.attempts.items() for line in loss_lines(own)]
    return [*missing_lines(answers), *lost]


def answers_as_json(answers: Answers) -> dict[str, Json]:
    """For a program, in points from 0 to 100; what was not measured is null."""
    return {
        "study": answers.study.name,
        "digest": answers.study.digest,
        "base": answers.study.base,
        "seeds": list(answers.study.seeds),
        "endpoints": [_endpoint(each) for each in answers.endpoints],
        "scores": [
            {"chain": chain, "cell": place_name(place, whole=True), **_score(score), **_change(change)}
            for (chain, place), score in answers.scores.items()
            for change in [answers.changes.get((chain, place))]
        ],
        "normalised": [
            {
                "chain": chain,
                "cell": place_name(place, whole=True),
                "score": 100 * each.score,
                "ci95": [100 * end for end in each.ci95],
            }
            for (chain, place), each in answers.normalised.items()
        ],
        "controls": [
            {"control": name, "cell": place_name(place, whole=True), **_score(score)}
            for (name, place), score in answers.controls.items()
        ],
        "transfers": [asdict(each) for each in answers.transfers],
        "plans": [asdict(each) for each in answers.plans.values()],
        "pairs": [asdict(each) for each in answers.pairs],
        "sequences": [asdict(each) for each in answers.sequences],
        "forward_kl": [{"chain": chain, "env": env, "kl": kl} for (chain, env), kl in answers.drift.items()],
        "tasks": [
            {"chain": chain, "cell": place_name(place, whole=True), **asdict(each)}
            for (chain, place), each in answers.tasks.items()
        ],
        "missing": _missing_and_lost(answers),
    }


def _endpoint(result: EndpointResult) -> dict[str, Any]:
    estimate = asdict(result.estimate) if result.estimate else {}
    return {
        "name": result.endpoint.name,
        "finding": result.endpoint.finding,
        "margin": result.endpoint.margin,
        "shown": str(conclude(result)),
        "p_holm": result.adjusted,
        "missing": result.missing or None,
        **estimate,
    }


def _score(score: CellScore) -> dict[str, Any]:
    return {
        "step": score.step,
        "score": 100 * score.score,
        "ci95": [100 * end for end in score.ci95],
        "success": 100 * score.success,
        "pass_at_k": 100 * score.pass_at_k,
        "n": score.n,
        "k": score.k,
        "seeds": score.seeds,
        "given_this_run": score.is_given_this_run,
        "turns": score.turns,
        "tokens": score.tokens,
        "asked": score.asked,
        "played": score.played,
    }


def _change(change: Change | None) -> dict[str, Any]:
    if change is None:
        return {"change": None, "change_ci95": None}
    return {
        "change": change.mean,
        "change_ci95": [end if isfinite(end) else None for end in change.ci95],
    }
