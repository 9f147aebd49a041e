"""The report of a study of one chain: reads its folder, writes `report/`."""

from collections.abc import Iterable, Iterator

from heldout.analysis.scores import CellScore, paired_change, summarise
from heldout.evaluate.measure import by_stream
from heldout.records import Chain, Episode, Trajectory, chain_name
from heldout.report.examples import Example, examples
from heldout.report.figures import Point, learning_curve, png, svg
from heldout.report.findings import Control, Findings
from heldout.report.pages import study_page
from heldout.report.summary import summary
from heldout.store.files import read_json, replace_file, replace_json
from heldout.store.runs import StudyFolder
from heldout.study.plan import Study
from heldout.study.run import matched_file, rows_of


def write_report(study: Study, folder: StudyFolder) -> Findings:
    """Everything derived from a finished study of one chain: page, curve, and the figures for programs."""
    found = findings(study, folder)
    [chain], seed = study.chains, study.seeds[0]
    metrics = list(folder.stage(chain_name(chain), seed).metrics)
    points = [Point(score.step, score) for score in (*found.base, *found.trained)]
    figure = learning_curve(metrics, points)
    replace_file(folder.report / "curve.svg", svg(figure))
    replace_file(folder.report / "curve.png", png(figure))
    replace_file(folder.report / "README.md", study_page(found, _shown(study, folder, chain), "curve.svg"))
    replace_json(folder.report / "summary.json", summary(found))
    return found


def findings(study: Study, folder: StudyFolder) -> Findings:
    """What the rows of a study of one chain say."""
    [chain] = study.chains
    warm = study.config.evaluate.temperature
    base_rows = [row for seed in study.seeds for row in rows_of(study, folder, (), seed)]
    after = [row for seed in study.seeds for row in rows_of(study, folder, chain, seed)]
    before = [row for row in base_rows if row.temperature == warm]
    [stage] = chain[-1:]
    return Findings(
        study=study.name,
        base_name=study.base,
        chain=chain_name(chain),
        trained_env="+".join(stage.envs),
        trained_difficulty=stage.difficulty,
        seeds=study.seeds,
        steps=study.config.train.steps,
        base=tuple(summarise(before)),
        trained=tuple(summarise(after)),
        change=paired_change(before, after),
        controls=tuple(_controls(study, folder, chain, base_rows, after)),
        wall_seconds=read_json(folder.study)["seconds"],
    )


def _controls(
    study: Study, folder: StudyFolder, chain: Chain, base_rows: Iterable[Episode], after: list[Episode]
) -> Iterator[Control]:
    """The base's rows at the controls' temperatures; those that were not measured are left out."""
    temperatures = {"greedy": {0.0}, "matched_entropy": _matched_temperatures(study, folder, chain)}
    rows = list(base_rows)
    for name, wanted in temperatures.items():
        own = [row for row in rows if row.temperature in wanted]
        if own:
            scores: list[CellScore] = summarise(own)
            change = paired_change(own, after)
            yield Control(name=name, temperature=max(wanted), scores=tuple(scores), change=change)


def _matched_temperatures(study: Study, folder: StudyFolder, chain: Chain) -> set[float]:
    files = [matched_file(study, folder, chain, seed) for seed in study.seeds]
    return {read_json(path)["temperature"] for path in files if path.exists()}


def _shown(study: Study, folder: StudyFolder, chain: Chain) -> list[Example]:
    """Tasks of the cell that was trained on: each shown before and after."""
    seed, stage = study.seeds[0], chain[-1]
    env = stage.envs[0]
    before = _played(folder, env, rows_of(study, folder, (), seed), study, ())
    after = _played(folder, env, rows_of(study, folder, chain, seed), study, chain)
    wanted = (stage.difficulty,) if stage.difficulty != "all" else ("easy", "hard")
    return examples(
        [one for one in before if one.task.difficulty in wanted],
        [one for one in after if one.task.difficulty in wanted],
    )


def _played(folder: StudyFolder, env: str, rows: Iterable[Episode], study: Study, chain: Chain) -> list[Trajectory]:
    """The trajectories behind the rows that were sampled as training samples."""
    step = study.config.train.steps if chain else 0
    evaluation = folder.evaluation(chain_name(chain), step, study.seeds[0])
    known = by_stream(evaluation.trajectories(env))
    warm = study.config.evaluate.temperature
    streams = [row.stream for row in rows if row.env == env and row.temperature == warm]
    return [known[stream] for stream in streams if stream in known]
