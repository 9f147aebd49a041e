"""The report of a study of one chain: reads its folder, writes `report/`."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean

from heldout.analysis.normalised import normalised
from heldout.analysis.scores import Cell, count_attempts, paired_change, summarise
from heldout.chains import Chain, chain_name
from heldout.records import Row, Trajectory
from heldout.reporting.examples import Example, examples
from heldout.reporting.figures import Point, learning_curve, png, svg
from heldout.reporting.findings import Control, Findings
from heldout.reporting.pages import study_page
from heldout.reporting.summary import summary
from heldout.store.files import replace_file, replace_json
from heldout.store.runs import StudyFolder
from heldout.study.controls import CEILING, CONTROL_PLAYERS, FLOOR
from heldout.study.plan import Study
from heldout.study.results import evaluation_of, player_rows, read_match, read_tuned, rows_of, seconds_of, stage_of

Warm = float | Mapping[Cell, float]
"""One temperature, or each cell's own."""


def write_report(study: Study, folder: StudyFolder) -> Findings:
    """Everything derived from a finished study of one chain: page, curve, and the figures for programs."""
    found = findings(study, folder)
    [chain], seed = study.chains, study.seeds[0]
    metrics = list(stage_of(study, folder, chain, seed).metrics)
    points = [Point(score.step, score) for score in (*found.base, *found.trained)]
    figure = learning_curve(metrics, points)
    replace_file(folder.report / "curve.svg", svg(figure))
    replace_file(folder.report / "curve.png", png(figure))
    replace_file(folder.report / "README.md", study_page(found, _examples_of(study, folder, chain), "curve.svg"))
    replace_json(folder.report / "summary.json", summary(found))
    return found


def findings(study: Study, folder: StudyFolder) -> Findings:
    """What the rows of a study of one chain say."""
    [chain] = study.chains
    own = study.config.evaluate.temperature
    before, after = (_rows(study, folder, each, dict.fromkeys(study.seeds, own)) for each in ((), chain))
    players = {name: _player_rows(study, folder, name) for name in CONTROL_PLAYERS}
    controls = {**players, **_controls(study, folder, chain)}
    floor, ceiling = players[FLOOR], players[CEILING]
    [stage] = chain[-1:]
    return Findings(
        study=study.name,
        base_name=study.base,
        chain=chain_name(chain),
        trained_env="+".join(stage.envs),
        trained_difficulty=stage.difficulty,
        seeds=study.seeds,
        config=study.config,
        base=tuple(summarise(before)),
        trained=tuple(summarise(after)),
        change=paired_change(before, after),
        controls=tuple(_as_control(name, rows, after, players) for name, rows in controls.items() if rows),
        base_normalised=normalised(before, floor, ceiling),
        trained_normalised=normalised(after, floor, ceiling),
        attempts={
            "base": tuple(count_attempts(before)),
            "trained": tuple(count_attempts(after)),
            **{name: tuple(count_attempts(_pool_temperatures(rows))) for name, rows in controls.items() if rows},
        },
        wall_seconds=seconds_of(folder),
    )


def _rows(study: Study, folder: StudyFolder, chain: Chain, temperatures: Mapping[int, Warm]) -> list[Row]:
    """What was measured of a chain's end, or of the base, at each seed's temperature."""
    return [row for seed, warm in temperatures.items() for row in rows_of(study, folder, chain, seed, warm)]


def _player_rows(study: Study, folder: StudyFolder, player: str) -> list[Row]:
    return [row for seed in study.seeds for row in player_rows(study, folder, player, seed)]


def _controls(study: Study, folder: StudyFolder, chain: Chain) -> dict[str, list[Row]]:
    """The rows of the base at the controls' temperatures; of a control that was not measured there are none.

    Where a control's temperature is the study's own, the control is the base itself.
    """
    tuned = {cell: choice.temperature for cell in study.cells if (choice := read_tuned(study, folder, cell))}
    temperatures: dict[str, Mapping[int, Warm]] = {
        "greedy": dict.fromkeys(study.seeds, 0.0),
        "best_temperature": dict.fromkeys(study.seeds, tuned),
        "matched_entropy": _matched_temperatures(study, folder, chain),
    }
    controlled = {each.cell for each in study.measured if each.controls}
    found = {name: _rows(study, folder, (), warm) for name, warm in temperatures.items()}
    return {name: [row for row in rows if _cell_of(row) in controlled] for name, rows in found.items()}


def _as_control(name: str, rows: Sequence[Row], after: Sequence[Row], players: Mapping[str, list[Row]]) -> Control:
    """A control's figures; though every seed and cell may have a temperature of its own, a cell has one score."""
    warm = defaultdict[Cell, list[float]](list)
    for row in rows if name not in players else ():
        warm[_cell_of(row)].append(row.temperature)
    return Control(
        name=name,
        temperatures={cell: fmean(values) for cell, values in warm.items()},
        scores=tuple(summarise(_pool_temperatures(rows))),
        change=paired_change(rows, after, one_base=name not in players),
        normalised=normalised(rows, players[FLOOR], players[CEILING]),
    )


def _pool_temperatures(rows: Sequence[Row]) -> list[Row]:
    """The rows as of one temperature, though every seed and cell may have its own."""
    return [replace(row, temperature=rows[0].temperature) for row in rows]


def _cell_of(row: Row) -> Cell:
    return Cell(env=row.env, split=row.split, difficulty=row.difficulty)


def _matched_temperatures(study: Study, folder: StudyFolder, chain: Chain) -> dict[int, Warm]:
    """The matched temperature of each seed that has one."""
    found = {seed: read_match(study, folder, chain, seed) for seed in study.seeds}
    return {seed: match.temperature for seed, match in found.items() if match}


def _examples_of(study: Study, folder: StudyFolder, chain: Chain) -> list[Example]:
    """Tasks of the cell that was trained on: each shown before and after."""
    seed, stage = study.seeds[0], chain[-1]
    env = stage.envs[0]
    before = _trajectories_of(study, folder, (), seed, env)
    after = _trajectories_of(study, folder, chain, seed, env)
    wanted = (stage.difficulty,) if stage.difficulty != "all" else ("easy", "hard")
    return examples(
        [one for one in before if one.task.difficulty in wanted],
        [one for one in after if one.task.difficulty in wanted],
    )


def _trajectories_of(study: Study, folder: StudyFolder, chain: Chain, seed: int, env: str) -> list[Trajectory]:
    """The trajectories behind the rows of one environment, at the study's own temperature."""
    evaluation = evaluation_of(study, folder, chain, seed)
    known = {each.stream: each for each in evaluation.trajectories(env)}  # of one played twice, the last
    rows = rows_of(study, folder, chain, seed, study.config.evaluate.temperature)
    return [known[row.stream] for row in rows if row.env == env and row.stream in known]
