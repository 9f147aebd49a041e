"""The report of a study of one chain: reads its folder, writes `report/`."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean

from heldout.analysis.normalised import normalised
from heldout.analysis.scores import Cell, cell_of, count_attempts, paired_change, summarise
from heldout.chains import Chain, chain_name
from heldout.records import Row, Trajectory
from heldout.reporting.control_rows import base_decoded_otherwise, base_matched, players_of, pool_temperatures
from heldout.reporting.examples import Example, examples
from heldout.reporting.figures import Point, learning_curve, png, svg
from heldout.reporting.findings import Control, Findings
from heldout.reporting.pages import study_page
from heldout.reporting.summary import summary
from heldout.store.files import replace_file, replace_json
from heldout.store.runs import StudyFolder
from heldout.study.controls import CEILING, FLOOR
from heldout.study.plan import Study
from heldout.study.results import evaluation_of, rows_of, seconds_of, stage_of


def write_report(study: Study, folder: StudyFolder) -> Findings:
    """Everything derived from a finished study of one chain: page, curve, and the figures for programs."""
    found = findings(study, folder)
    [chain] = study.chains
    metrics = [list(stage_of(study, folder, chain, seed).metrics) for seed in study.seeds]
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
    before, after = (
        [row for seed in study.seeds for row in rows_of(study, folder, each, seed, own)] for each in ((), chain)
    )
    players = players_of(study, folder)
    controls = {**players, **_controls(study, folder, chain)}
    floor, ceiling = players.get(FLOOR, []), players.get(CEILING, [])
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
            **{name: tuple(count_attempts(pool_temperatures(rows))) for name, rows in controls.items() if rows},
        },
        wall_seconds=seconds_of(folder),
    )


def _controls(study: Study, folder: StudyFolder, chain: Chain) -> dict[str, list[Row]]:
    """The rows of the base at the controls' temperatures; of a control that was not measured there are none."""
    matched = base_matched(study, folder, chain)
    return base_decoded_otherwise(study, folder) | ({"matched_entropy": matched} if matched else {})


def _as_control(name: str, rows: Sequence[Row], after: Sequence[Row], players: Mapping[str, list[Row]]) -> Control:
    """A control's figures; though every seed and cell may have a temperature of its own, a cell has one score."""
    warm = defaultdict[Cell, list[float]](list)
    for row in rows if name not in players else ():
        warm[cell_of(row)].append(row.temperature)
    return Control(
        name=name,
        temperatures={cell: fmean(values) for cell, values in warm.items()},
        scores=tuple(summarise(pool_temperatures(rows))),
        change=paired_change(rows, after, one_base=name not in players),
        normalised=normalised(rows, players.get(FLOOR, []), players.get(CEILING, [])),
    )


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
