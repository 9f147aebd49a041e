"""The rows of a study's controls: players, and the base decoded otherwise."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from heldout.analysis.scores import Cell, cell_of
from heldout.chains import Chain
from heldout.records import Row
from heldout.store.runs import StudyFolder
from heldout.study.controls import CONTROL_PLAYERS
from heldout.study.plan import Study
from heldout.study.results import player_rows, read_match, read_tuned, rows_of

Warm = float | Mapping[Cell, float]
"""One temperature, or each cell's own."""


def players_of(study: Study, folder: StudyFolder) -> dict[str, list[Row]]:
    """The rows of each player that was measured."""
    found = {
        name: [row for seed in study.seeds for row in player_rows(study, folder, name, seed)]
        for name in CONTROL_PLAYERS
    }
    return {name: rows for name, rows in found.items() if rows}


def base_decoded_otherwise(study: Study, folder: StudyFolder) -> dict[str, list[Row]]:
    """The base greedily, and at its best temperature, where it was measured so.

    Where a control's temperature is the study's own, the control is the base itself.
    """
    tuned = {cell: choice.temperature for cell in study.cells if (choice := read_tuned(study, folder, cell))}
    warm: dict[str, Warm] = {"greedy": 0.0, "best_temperature": tuned}
    return _there(
        study, {name: _rows(study, folder, dict.fromkeys(study.seeds, each)) for name, each in warm.items()}
    )


def base_matched(study: Study, folder: StudyFolder, chain: Chain) -> list[Row]:
    """The base at each seed's temperature of equal entropy with a chain's end, where it was sought."""
    found = {seed: read_match(study, folder, chain, seed) for seed in study.seeds}
    warm: dict[int, Warm] = {seed: match.temperature for seed, match in found.items() if match}
    return _there(study, {"": _rows(study, folder, warm)}).get("", [])


def pool_temperatures(rows: Sequence[Row]) -> list[Row]:
    """The rows as of one temperature, though every seed and cell may have its own."""
    return [replace(row, temperature=rows[0].temperature) for row in rows]


def _rows(study: Study, folder: StudyFolder, temperatures: Mapping[int, Warm]) -> list[Row]:
    return [row for seed, warm in temperatures.items() for row in rows_of(study, folder, (), seed, warm)]


def _there(study: Study, found: Mapping[str, Sequence[Row]]) -> dict[str, list[Row]]:
    """The controls that were measured, in the cells where they were to be."""
    controlled = {each.cell for each in study.measured if each.controls}
    own = {name: [row for row in rows if cell_of(row) in controlled] for name, rows in found.items()}
    return {name: rows for name, rows in own.items() if rows}
