"""`heldout difficulty`: which tasks are easy and which are hard for a reference model."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from json import dumps
from pathlib import Path

from heldout.addresses import public_name
from heldout.agents import agent_of, identity_of, open_agent, suites_of
from heldout.config import Config, Evaluate
from heldout.errors import BadCall
from heldout.evaluation.difficulty import PURPOSE, cells_of, in_drawn_order, settings_of
from heldout.evaluation.measure import tasks_of_cells
from heldout.printable import printable_line
from heldout.records import Difficulty, Row
from heldout.reporting.difficulty import Against, Turns, against, oracle_table, page, size_table, summary
from heldout.reporting.figures import png, svg
from heldout.reporting.tables import align
from heldout.reporting.turns import turns_by_score
from heldout.rollout.limits import refuse_if_none_fits
from heldout.store.difficulty import NAME, write
from heldout.store.files import replace_file, replace_json
from heldout.store.folders import sweep
from heldout.store.lease import hold
from heldout.store.runs import StudyFolder
from heldout.study.halves import difficulty_by
from heldout.study.once import measure_cells
from heldout.verbs.progress import show_episodes
from heldout.verbs.settings import resolve_config, run_folder

ORACLE = "oracle"
ORACLE_TURNS = 100
"""What the oracle may take: enough for every task that any environment has."""


def difficulty(
    *,
    model: str,
    envs: Sequence[str],
    samples: int | None,
    max_turns: int | None,
    limit: int | None,
    seed: int,
    as_json: bool,
    out: Path | None,
    settings: Sequence[str],
) -> None:
    """Measures avg@k on training and test tasks, writes which are easy and which hard, and shows the halves."""
    flags = {"evaluate.samples": samples, "evaluate.max_turns": max_turns, "evaluate.tasks": limit}
    config = resolve_config(model, flags, settings)
    if config.source.difficulty:
        raise BadCall("difficulty is measured on an environment's own tasks: leave source.difficulty out")
    agent = agent_of(model)
    study = StudyFolder(out or run_folder("difficulty", agent, config.source.variant))
    envs = list(dict.fromkeys(map(public_name, envs)))
    with hold(study.lease, purpose="begin difficulty"):
        sweep(study.root)
    rows = _play_agent(model, envs, config, study, seed=seed)
    found = difficulty_by(agent, rows, envs, settings_of(config, seed))
    write(study.root / NAME, found)
    beside = _report(found, _oracle_turns(envs, config, study), study)
    if as_json:
        print(dumps({"file": str(study.root / NAME), **summary(found, beside)}, indent=2))
    else:
        print(f"{align(size_table(found))}\n{align(oracle_table(beside))}")
        print(printable_line(f"{study.root / NAME}; with a figure: {study.report / 'README.md'}"))


def _play_agent(model: str, envs: Iterable[str], config: Config, study: StudyFolder, *, seed: int) -> list[Row]:
    """The episodes of a player in these environments; what is on disk is not played again."""
    suites = in_drawn_order(suites_of(config))
    identity = identity_of(agent_of(model), study, seed)
    folder = study.difficulty(f"seed_{seed}" if model != ORACLE else ORACLE)
    every = [cells_of(suites(env)) for env in envs]
    with open_agent(model, config) as opened:
        for cells in every:
            tasks = tasks_of_cells(suites, cells, config.evaluate)
            refuse_if_none_fits(tasks, opened.room, config.limits.response_budget)
        return [
            row
            for cells in every
            for row in measure_cells(
                opened.play,
                suites,
                cells,
                identity=identity,
                config=config,
                folder=folder,
                playing=show_episodes,
                purpose=PURPOSE,
            )
        ]


def _oracle_turns(envs: Iterable[str], config: Config, study: StudyFolder) -> Turns:
    """How long the oracle takes for each of the tasks that were measured."""
    once = replace(config, evaluate=Evaluate(samples=1, max_turns=ORACLE_TURNS, tasks=config.evaluate.tasks))
    rows = _play_agent(ORACLE, envs, once, study, seed=0)
    return {(row.env, row.split, row.task): row.turns for row in rows if row.success}


def _report(found: Difficulty, turns: Turns, study: StudyFolder) -> list[Against]:
    """Writes the page, its figure, and the same for programs."""
    beside, figure = against(found, turns), turns_by_score(found, turns)
    replace_file(study.report / "turns.svg", svg(figure))
    replace_file(study.report / "turns.png", png(figure))
    replace_file(study.report / "README.md", page(found, beside, "turns.svg"))
    replace_json(study.report / "summary.json", summary(found, beside))
    return beside
