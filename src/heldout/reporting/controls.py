"""A model beside its controls, as `heldout evaluate --controls` shows it: a table, and the same for programs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from heldout.analysis.normalised import Normalised, normalised
from heldout.analysis.scores import Cell, CellScore, summarise
from heldout.evaluation.json_output import as_json
from heldout.records import Json, Row
from heldout.reporting.tables import MISSING, Table
from heldout.study.controls import CEILING, FLOOR, Beside, ControlRows

NOTE = "NORM. is (score − random) / (oracle − random); – where the oracle is no better"

HEADER = ("CELL", "CONTROL", "T", "SCORE", "SUCCESS", "NORM.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlScore:
    """What the model, or one of its controls, is worth in one cell."""

    control: str
    temperatures: tuple[float, ...]
    """One; of several difficulties together, each that they were measured at."""
    score: CellScore
    normalised: Normalised | None


def control_scores(beside: Beside, *, pool: bool) -> list[ControlScore]:
    """By cell, and in it the model first; `pool` adds difficulty `all`."""
    found = [score for variant in _variants(beside) for score in _of_variant(beside, variant, pool)]
    order = sorted({(each.score.variant, each.score.cell) for each in found})
    return sorted(found, key=lambda each: order.index((each.score.variant, each.score.cell)))


def control_tables(scores: Sequence[ControlScore]) -> dict[str, Table]:
    """By variant of the environments: a line for the model and each of its controls, cell by cell."""
    variants = dict.fromkeys(each.score.variant for each in scores)
    return {
        name: Table(HEADER, [_line(each) for each in scores if each.score.variant == name], keys=2)
        for name in variants
    }


def controls_as_json(beside: Beside, scores: Sequence[ControlScore]) -> dict[str, Json]:
    """All of it; scores from 0 to 1, as without controls."""
    return {
        "scores": [
            {
                "control": each.control,
                "temperatures": list(each.temperatures),
                **as_json([each.score])[0],
                "normalised": each.normalised and each.normalised.score,
                "normalised_ci95": each.normalised and list(each.normalised.ci95),
            }
            for each in scores
        ],
        "left_out": [{"control": each.name, "why": each.why} for each in beside.left_out],
    }


def _variants(beside: Beside) -> list[str]:
    return list(dict.fromkeys(row.variant for each in beside.measured for row in each.rows))


def _of_variant(beside: Beside, variant: str, pool: bool) -> Iterable[ControlScore]:
    """The model's and the controls' scores in one variant of the environments."""
    own = [ControlRows(name=each.name, rows=_rows_of(each, variant)) for each in beside.measured]
    players = {each.rows[0].model: each.rows for each in own if each.rows}
    for each in (each for each in own if each.rows):
        placed: Mapping[Cell, Normalised] = {}
        if FLOOR in players and CEILING in players:
            placed = normalised(each.rows, players[FLOOR], players[CEILING], pool=pool)
        warm = each.rows[0].temperature
        for score in summarise((replace(row, temperature=warm) for row in each.rows), pool=pool):
            yield ControlScore(
                control=each.name,
                temperatures=_temperatures(each.rows, score),
                score=score,
                normalised=placed.get(score.cell),
            )


def _rows_of(control: ControlRows, variant: str) -> tuple[Row, ...]:
    return tuple(row for row in control.rows if row.variant == variant)


def _temperatures(rows: Iterable[Row], score: CellScore) -> tuple[float, ...]:
    of_env = [row for row in rows if (row.env, row.split) == (score.env, score.split)]
    own = [row for row in of_env if row.difficulty == score.difficulty] or of_env
    return tuple(sorted({row.temperature for row in own}))


def _line(each: ControlScore) -> tuple[str, ...]:
    score = each.score
    low, high = score.ci95
    return (
        score.cell.name,
        each.control.replace("_", " "),
        "/".join(f"{temperature:.2g}" for temperature in each.temperatures),
        f"{100 * score.score:.1f} [{100 * low:.1f}, {100 * high:.1f}]",
        f"{100 * score.success:.1f}",
        f"{100 * each.normalised.score:.1f}" if each.normalised else MISSING,
    )
