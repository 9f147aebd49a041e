"""The report of a study of one chain: reads its folder, writes `report/`."""

from collections.abc import Mapping
from dataclasses import replace
from statistics import fmean

from heldout.analysis.scores import count_attempts, paired_change, summarise
from heldout.chains import Chain, chain_name
from heldout.records import Row, Trajectory
from heldout.reporting.examples import Example, examples
from heldout.reporting.figures import Point, learning_curve, png, svg
from heldout.reporting.findings import Control, Findings
from heldout.reporting.pages import study_page
from heldout.reporting.summary import summary
from heldout.store.files import replace_file, replace_json
from heldout.store.runs import StudyFolder
from heldout.study.plan import Study
from heldout.study.results import evaluation_of, read_match, rows_of, seconds_of, stage_of


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
    warm = dict.fromkeys(study.seeds, study.config.evaluate.temperature)
    before, after = _rows(study, folder, (), warm), _rows(study, folder, chain, warm)
    controls = _control_rows(study, folder, chain)
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
        controls=tuple(_control(name, *measured, after) for name, measured in controls.items()),
        attempts={
            "base": tuple(count_attempts(before)),
            "trained": tuple(count_attempts(after)),
            **{name: tuple(count_attempts(_pool_seeds(rows))) for name, (_, rows) in controls.items()},
        },
        wall_seconds=seconds_of(folder),
    )


def _rows(study: Study, folder: StudyFolder, chain: Chain, temperatures: Mapping[int, float]) -> list[Row]:
    """What was measured of a chain's end, or of the base, at each seed's temperature."""
    return [row for seed, warm in temperatures.items() for row in rows_of(study, folder, chain, seed, warm)]


def _control_rows(study: Study, folder: StudyFolder, chain: Chain) -> dict[str, tuple[float, list[Row]]]:
    """The base at the controls' temperatures, by their names, with the mean one; what was not measured is left out.

    Where a control's temperature is the study's own, the control is the base itself.
    """
    temperatures = {
        "greedy": dict.fromkeys(study.seeds, 0.0),
        "matched_entropy": _matched_temperatures(study, folder, chain),
    }
    return {
        name: (fmean(own.values()), rows)
        for name, own in temperatures.items()
        if (rows := _rows(study, folder, (), own))
    }


def _control(name: str, temperature: float, rows: list[Row], after: list[Row]) -> Control:
    return Control(
        name=name,
        temperature=temperature,
        scores=tuple(summarise(_pool_seeds(rows))),
        change=paired_change(rows, after),
    )


def _pool_seeds(rows: list[Row]) -> list[Row]:
    """The rows as of one temperature, though every seed may have its own."""
    return [replace(row, temperature=rows[0].temperature) for row in rows]


def _matched_temperatures(study: Study, folder: StudyFolder, chain: Chain) -> dict[int, float]:
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
