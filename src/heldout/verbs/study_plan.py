"""`heldout study plan`: what a study comes to before it runs: what is there, what it takes, what it asks."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from json import dumps
from pathlib import Path

from heldout.analysis.endpoints import Endpoint
from heldout.analysis.power import Detectable
from heldout.chains import chain_name
from heldout.printable import printable_line
from heldout.progress import span
from heldout.records import Json
from heldout.reporting.tables import MISSING, Table, align
from heldout.store.runs import StudyFolder
from heldout.study.detect import power_of
from heldout.study.matched import Matched, matched_episodes
from heldout.study.plan import Study
from heldout.study.prospect import Cost, Prospect, Training, line_of, prospect
from heldout.verbs.asking import studies_asked

KINDS = {
    "difficulty": "telling easy from hard",
    "train": "trainings, to each step that is looked at",
    "measure": "measurements of models",
    "play": "measurements of players",
    "match": "temperatures of equal entropy",
    "tune": "best temperatures",
    "drift": "forward KL",
}
"""A kind of piece → what it is."""


def study_plan(
    *,
    recipe: str,
    models: Sequence[str],
    chains: Sequence[str],
    envs: Sequence[str],
    seeds: Sequence[int],
    difficulty: str | None,
    every: int | None,
    limit: int | None,
    samples: int | None,
    controls: bool,
    as_json: bool,
    out: Path | None,
    settings: Sequence[str],
) -> None:
    """Prints the graph with what is shared once, what is done of it, the cost of the rest, and the questions."""
    asked = studies_asked(
        recipe=recipe,
        models=models,
        chains=chains,
        envs=envs,
        seeds=seeds,
        difficulty=difficulty,
        every=every,
        limit=limit,
        samples=samples,
        out=out,
        settings=settings,
    )
    found = [prospect(each.studies, each.folder, controls=controls) for each in asked]
    if as_json:
        print(dumps([_as_json(each) for each in found], indent=2))
        return
    print("\n\n".join(_page(each) for each in found))


def _page(found: Prospect) -> str:
    parts = [
        "\n".join(printable_line(line) for line in _headlines(found)),
        _aligned(_piece_table(found)),
        _aligned(_training_table(found.trainings)) if found.trainings else "",
        "\n".join(printable_line(line) for line in _cost_lines(found)),
        *(_questions(study, found.folder) for study in found.studies if study.endpoints),
    ]
    return "\n\n".join(filter(None, parts))


def _aligned(table: Table) -> str:
    return align(table).rstrip("\n")


def _headlines(found: Prospect) -> Iterable[str]:
    """The folder, then a line for each study."""
    yield f"{found.folder.root}, base {found.studies[0].base}"
    if any(study.halves for study in found.studies) and not found.folder.halves.exists():
        yield "easy is not told from hard yet: cells are counted by the environments' own halves"
    for study in found.studies:
        evaluate = study.config.evaluate
        tasks = evaluate.tasks or "all"
        yield (
            f"{study.name}: {_of(len(study.chains), 'chain')}, {_of(len(study.seeds), 'seed')}, "
            f"{_of(len(study.measured), 'cell')} of {tasks} tasks, avg@{evaluate.samples}, "
            f"{_of(len(study.endpoints), 'endpoint')}"
        )


def _of(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _piece_table(found: Prospect) -> Table:
    rows = [[words, *_figures(found.by_kind[kind])] for kind, words in KINDS.items() if kind in found.by_kind]
    return Table(
        ("PIECES", "COUNT", "DONE", "EPISODES LEFT", "TIME LEFT"), [*rows, ["all", *_figures(found.whole)]]
    )


def _figures(cost: Cost) -> list[str]:
    time = MISSING if cost.seconds is None else span(cost.seconds)
    return [f"{cost.pieces:,}", f"{cost.done:,}", f"{cost.episodes:,}", time]


def _training_table(trainings: Iterable[Training]) -> Table:
    rows = [
        [
            line_of(each),
            ", ".join(map(str, each.looks)),
            f"{each.episodes:,}",
            f"{each.done} of {_of(each.seeds, 'seed')}",
        ]
        for each in trainings
    ]
    return Table(("TRAININGS, EACH ONCE", "TO STEP", "EPISODES A SEED", "DONE"), rows)


def _cost_lines(found: Prospect) -> Iterable[str]:
    """Time, GPU-hours, disk and memory, each with what it is from."""
    whole, sizes = found.whole, found.sizes
    if whole.seconds is None:
        yield "time: not known, since nothing was measured here yet: a while of `study run` (--for 10m) tells"
    else:
        yield f"time: {span(whole.seconds)}, one piece after another, by {found.rates or 'nothing'}"
    if whole.gpu_seconds:
        yield f"GPU-hours: {whole.gpu_seconds / 3600:.1f}"
    if sizes is None:
        yield "disk and memory: not known, since the model's files are not here and its name says no size"
        return
    disk = found.disk or 0.0
    yield (
        f"disk: {disk / 1e9:.2f} GB: {_of(found.checkpoints, 'checkpoint')} of {sizes.checkpoint / 1e9:.3g} GB "
        "(study run --keep ends keeps fewer), and the episodes"
    )
    yield (
        f"memory, computed: {sizes.playing / 1e9:.2g} GB to play, {sizes.learning / 1e9:.2g} GB to learn and "
        f"activations beside ({sizes.parameters / 1e6:.3g} million parameters, by {sizes.said_by})"
    )


def _questions(study: Study, folder: StudyFolder) -> str:
    """One family of endpoints: what each can detect, and which have not as many training episodes on both sides."""
    power = power_of(study, folder)
    rows = [
        [
            each.endpoint.name,
            each.endpoint.finding or MISSING,
            _question(each.endpoint),
            each.told or "matched",
            *_detectable(power.detectable.get(each.endpoint)),
        ]
        for each in matched_episodes(study)
    ]
    header = ("ENDPOINT", "FINDING", "IS IT", "TRAINING EPISODES", "DETECTS", "+1 SEED", "2x TASKS", "2x ATTEMPTS")
    given = ", given this run" if len(study.seeds) == 1 else ""
    known = power.components
    said = (
        f"DETECTS: points, four times in five at 5 %{given}; variances {known.source} (standard deviations: tasks "
        f"{known.task:.1f}, {known.k} attempts {known.noise:.1f}, trainings {known.seed:.1f} points)"
    )
    title = printable_line(f"{study.name}: what is asked, one family")
    return f"{title}\n{_aligned(Table(header, rows))}\n{printable_line(said)}"


def _detectable(found: Detectable | None) -> list[str]:
    if found is None:
        return [MISSING] * 4
    more = (found.with_one_more_seed, found.with_twice_the_tasks, found.with_twice_the_attempts)
    alone = "" if found.beyond_this_run is None else f" ({found.beyond_this_run:.1f} beyond this run)"
    return [f"{found.change:.1f}{alone}", *(f"{each:.1f}" for each in more)]


def _question(endpoint: Endpoint) -> str:
    return "0" if endpoint.margin is None else f"within {endpoint.margin:g}"


def _as_json(found: Prospect) -> dict[str, Json]:
    sizes = found.sizes
    return {
        "folder": str(found.folder.root),
        "base": found.studies[0].base,
        "pieces": {kind: _cost_as_json(cost) for kind, cost in [*found.by_kind.items(), ("all", found.whole)]},
        "trainings": [_training_as_json(each) for each in found.trainings],
        "rates": found.rates,
        "disk_bytes": found.disk,
        "memory_bytes": sizes and {"play": sizes.playing, "learn": sizes.learning},
        "parameters": sizes and sizes.parameters,
        "studies": [
            {
                "name": study.name,
                "digest": study.digest,
                "chains": [chain_name(chain) for chain in study.chains],
                "seeds": list(study.seeds),
                "cells": [each.name for each in study.measured],
                **_questions_as_json(study, found.folder),
            }
            for study in found.studies
        ],
    }


def _cost_as_json(cost: Cost) -> dict[str, Json]:
    return {
        "count": cost.pieces,
        "done": cost.done,
        "episodes_left": cost.episodes,
        "seconds_left": cost.seconds,
        "gpu_seconds_left": cost.gpu_seconds,
    }


def _training_as_json(training: Training) -> dict[str, Json]:
    return {
        "chain": chain_name(training.chain),
        "steps": list(training.looks),
        "episodes": training.episodes,
        "seeds": training.seeds,
        "done": training.done,
    }


def _questions_as_json(study: Study, folder: StudyFolder) -> dict[str, Json]:
    power = power_of(study, folder)
    return {
        "variances": asdict(power.components),
        "endpoints": [
            _endpoint_as_json(each) | {"detects": found and asdict(found)}
            for each in matched_episodes(study)
            for found in [power.detectable.get(each.endpoint)]
        ],
    }


def _endpoint_as_json(matched: Matched) -> dict[str, Json]:
    return {
        "name": matched.endpoint.name,
        "finding": matched.endpoint.finding,
        "margin": matched.endpoint.margin,
        "training_episodes": [matched.one, matched.other],
        "matched": matched.is_matched,
    }
