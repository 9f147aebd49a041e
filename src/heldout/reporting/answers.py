"""What a study found: its endpoints, and everything that its rows say beside them, read from its folder."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from statistics import fmean

from heldout.analysis.components import measure_components
from heldout.analysis.curriculum import PlanScore, plans
from heldout.analysis.estimates import EndpointResult, SeedsElsewhere, estimate_endpoints
from heldout.analysis.measured import Place
from heldout.analysis.normalised import Normalised, normalised
from heldout.analysis.scores import (
    ALL,
    Attempts,
    CellScore,
    Change,
    count_attempts,
    paired_change,
    summarise,
)
from heldout.analysis.sequence import SequenceScores, Sequential, sequence, sequential, stage_envs
from heldout.analysis.task_by_task import TaskByTask, task_by_task
from heldout.analysis.transfer import Transfer, transfer
from heldout.chains import BASE, chain_name
from heldout.errors import HeldoutError
from heldout.records import Row
from heldout.reporting.control_rows import base_decoded_otherwise, base_matched, players_of, pool_temperatures
from heldout.store.runs import StudyFolder
from heldout.study.controls import CEILING, FLOOR
from heldout.study.plan import Study
from heldout.study.results import read_drift, read_rows

Figures = Mapping[tuple[str, Place], CellScore]
"""By chain, as the study writes it, and by cell and variant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """One study's results."""

    study: Study
    endpoints: tuple[EndpointResult, ...]
    scores: Figures
    changes: Mapping[tuple[str, Place], Change]
    """From the base to each chain's end."""
    transfers: tuple[Transfer, ...]
    plans: Mapping[tuple[str, str], PlanScore]
    """Of chains that are trained in one environment, where difficulties are told apart."""
    sequences: tuple[SequenceScores, ...]
    pairs: tuple[Sequential, ...]
    controls: Figures
    """What a gain must beat: players, and the base decoded otherwise, by their names."""
    normalised: Mapping[tuple[str, Place], Normalised]
    """Between random play and the oracle, where both were measured and the oracle does better."""
    tasks: Mapping[tuple[str, Place], TaskByTask]
    """The base against each chain's end, task by task."""
    drift: Mapping[tuple[str, str], float]
    """The forward KL from the base in nats a token, by chain and environment: the mean over seeds that have it."""
    attempts: Mapping[str, tuple[Attempts, ...]]
    missing: tuple[str, ...]
    """What was not measured, or not wholly, a line each."""

    @property
    def places(self) -> list[Place]:
        """The columns of a table: each environment once, its difficulties together, in the study's order."""
        found = [(place[0].env, place[0].split, place[1]) for _, place in self.scores]
        order = {env: number for number, env in enumerate(self.study.envs)}
        known = {place for _, place in self.scores}
        return [
            _whole(env, split, variant, known)
            for env, split, variant in sorted(set(found), key=lambda each: (each[2], order[each[0]], each[1]))
        ]


def read_answers(study: Study, folder: StudyFolder, others: Iterable[Study] = ()) -> Answers:
    """What the folder has of the study; `others` are its other studies, which may tell what one seed does not."""
    matched = {
        f"matched to {chain_name(chain)}": own
        for chain in study.chains
        if (own := base_matched(study, folder, chain))
    }
    controls = {**players_of(study, folder), **base_decoded_otherwise(study, folder), **matched}
    rows = read_rows(study, folder)
    found = answers_of(study, rows.by_chain, controls, _elsewhere(study, folder, others))
    return replace(found, missing=(*found.missing, *rows.left_out), drift=_drift(study, folder))


def answers_of(
    study: Study,
    rows: Mapping[str, Sequence[Row]],
    controls: Mapping[str, Sequence[Row]] | None = None,
    elsewhere: SeedsElsewhere | None = None,
) -> Answers:
    """What rows say: those of each checkpoint by its chain's name in the study, and those of its controls."""
    controls, scores = controls or {}, _figures(rows)
    floor, ceiling = controls.get(FLOOR, ()), controls.get(CEILING, ())
    changes = {
        (chain, (cell, variant)): change
        for chain, own in rows.items()
        if chain != BASE
        for variant in sorted({row.variant for row in own})
        for cell, change in paired_change(_under(variant, rows[BASE]), _under(variant, own), pool=True).items()
    }
    points = _points(scores)
    by_env = _by_env(points)
    return Answers(
        study=study,
        endpoints=tuple(estimate_endpoints(study.endpoints, rows, elsewhere)),
        scores=scores,
        changes=changes,
        transfers=tuple(transfer(by_env, study.envs)),
        plans=plans(points, _task_counts(scores), study.envs) if _tells_difficulties(study) else {},
        sequences=tuple(
            sequence(by_env, chain, study.envs, _points_of_player(floor))
            for chain in rows
            if len(stage_envs(chain)) > 1
        ),
        pairs=tuple(sequential(by_env)),
        controls=_figures({name: pool_temperatures(own) for name, own in controls.items()}),
        normalised={
            (chain, (cell, variant)): each
            for chain, own in rows.items()
            for variant in sorted({row.variant for row in own})
            for cell, each in normalised(
                *(_under(variant, side) for side in (own, floor, ceiling)), pool=True
            ).items()
        },
        tasks={
            (chain, place): each
            for chain, own in rows.items()
            if chain != BASE
            for place, each in task_by_task(rows[BASE], own).items()
        },
        drift={},
        attempts={chain: tuple(count_attempts(own)) for chain, own in rows.items()},
        missing=tuple(_missing(study, rows)),
    )


def _figures(rows: Mapping[str, Sequence[Row]]) -> Figures:
    """The score of each in every cell, and in those of all difficulties together."""
    return {
        (name, (score.cell, score.variant)): score
        for name, own in rows.items()
        for score in summarise(own, pool=True)
    }


def _under(variant: str, rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row.variant == variant]


def _points(scores: Figures) -> dict[tuple[str, str, str], float]:
    """Points by chain, environment and difficulty, of test tasks as the study has them."""
    return {
        (chain, cell.env, cell.difficulty): 100 * score.score
        for (chain, (cell, variant)), score in scores.items()
        if cell.split == "test" and not variant
    }


def _by_env(points: Mapping[tuple[str, str, str], float]) -> dict[tuple[str, str], float]:
    """Of each environment all difficulties together, or the only one."""
    single = {(chain, env): value for (chain, env, _), value in points.items()}
    return {**single, **{(chain, env): value for (chain, env, which), value in points.items() if which == ALL}}


def _task_counts(scores: Figures) -> dict[tuple[str, str], int]:
    return {(cell.env, cell.difficulty): score.n for (chain, (cell, _)), score in scores.items() if chain == BASE}


def _tells_difficulties(study: Study) -> bool:
    """Whether some of its chains are trained on easy or hard tasks alone."""
    return any(stage.difficulty != ALL for chain in study.chains for stage in chain)


def _whole(env: str, split: str, variant: str, known: set[Place]) -> Place:
    """The cell of all difficulties of an environment, or of the only one that was measured."""
    own = [(cell, name) for cell, name in known if (cell.env, cell.split, name) == (env, split, variant)]
    return next((place for place in own if place[0].difficulty == ALL), own[0])


def _points_of_player(rows: Sequence[Row]) -> dict[str, float]:
    """What a player comes to in each environment, in points, where it was measured."""
    return {env: value for (_, env), value in _by_env(_points(_figures({FLOOR: rows}))).items()}


def _elsewhere(study: Study, folder: StudyFolder, others: Iterable[Study]) -> SeedsElsewhere | None:
    """How much trainings differ, where a study of one seed cannot tell it and another of the folder can."""
    if len(study.seeds) > 1:
        return None
    for other in others:
        if len(other.seeds) > 1:
            try:
                known = measure_components(read_rows(other, folder).by_chain, source=other.name)
            except HeldoutError:  # it has not been measured yet
                continue
            return SeedsElsewhere(sd=known.seed, df=known.seed_df, source=f"study {other.name}")
    return None


def _drift(study: Study, folder: StudyFolder) -> dict[tuple[str, str], float]:
    found = defaultdict[tuple[str, str], list[float]](list)
    for chain, seed, env in product(study.chains, study.seeds, study.envs):
        if drift := read_drift(study, folder, chain, seed, env):
            found[chain_name(chain), env].append(drift.kl)
    return {place: fmean(own) for place, own in found.items()}


def _missing(study: Study, rows: Mapping[str, Sequence[Row]]) -> Iterable[str]:
    """Cells of which a seed has nothing: a missing cell, and never a zero."""
    for chain, own in rows.items():
        there = {(row.seed, row.env, row.split, row.difficulty) for row in own}
        for seed in study.seeds:
            lacking = [
                each.name
                for each in study.measured
                if (seed, each.cell.env, each.cell.split, each.cell.difficulty) not in there
            ]
            if lacking:
                yield f"{chain}, seed {seed}: not measured on {', '.join(lacking)}"
