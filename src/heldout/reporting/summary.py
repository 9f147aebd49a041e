"""A study's findings as one JSON object, in points from 0 to 100: what a program reads."""

from collections.abc import Mapping
from typing import Any

from heldout.analysis.normalised import Normalised
from heldout.analysis.scores import Cell, CellScore, Change
from heldout.records import Json, to_json
from heldout.reporting.findings import Control, Findings

DIGITS = 3


def summary(findings: Findings) -> dict[str, Json]:
    """The content of `summary.json`; cells are named `<env>.<difficulty>`."""
    return {
        "base": _scores(findings.base, findings.base_normalised),
        "trained": _scores(findings.trained, findings.trained_normalised),
        "controls": {control.name: _control(control) for control in findings.controls},
        "change": _changes(findings.change),
        "wall_seconds": round(findings.wall_seconds, 1),
        "steps": findings.config.train.steps,
        "source": to_json(findings.config.source),
    }


def _control(control: Control) -> dict[str, Any]:
    """The control's cells, its temperature in each (players have none), and the trained model's change over it."""
    return {
        **_scores(control.scores, control.normalised),
        "temperatures": {cell.name: round(each, DIGITS) for cell, each in control.temperatures.items()},
        "change": _changes(control.change),
    }


def _scores(scores: tuple[CellScore, ...], normalised: Mapping[Cell, Normalised]) -> dict[str, Any]:
    return {score.cell.name: _score(score, normalised.get(score.cell)) for score in scores}


def _score(score: CellScore, normalised: Normalised | None) -> dict[str, Any]:
    return {
        "mean": _points(score.score),
        "ci95": [_points(end) for end in score.ci95],
        "success": _points(score.success),
        "normalised": _points(normalised.score) if normalised else None,
        "normalised_ci95": [_points(end) for end in normalised.ci95] if normalised else None,
        "n": score.n,
        "k": score.k,
        "seeds": score.seeds,
        "given_this_run": score.is_given_this_run,
        "turns": round(score.turns, DIGITS),
        "tokens": round(score.tokens, DIGITS),
        "asked": score.asked,
        "played": score.played,
        "lost": score.lost,
    }


def _changes(changes: Mapping[Cell, Change]) -> dict[str, Any]:
    return {
        cell.name: {
            "mean": round(change.mean, DIGITS),
            "ci95": [round(end, DIGITS) for end in change.ci95],
            "seeds": change.seeds,
            "of_seeds": [round(each, DIGITS) for each in change.of_seeds],
            "given_this_run": change.is_given_this_run,
        }
        for cell, change in changes.items()
    }


def _points(share: float) -> float:
    return round(100 * share, DIGITS)
