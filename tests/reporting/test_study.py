"""A study of two environments, its rows typed in."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from heldout.analysis.endpoints import Endpoint, Term
from heldout.analysis.scores import Cell
from heldout.chains import chain_name, parse_chain
from heldout.config import Config
from heldout.records import Row
from heldout.reporting.answer_tables import (
    control_table,
    drift_line,
    drift_table,
    endpoint_table,
    missing_lines,
    plan_table,
    score_table,
    sequence_table,
    transfer_table,
)
from heldout.reporting.answers import Answers, answers_of
from heldout.reporting.study import answers_as_json, answers_page, answers_text
from heldout.study.plan import Measured, Study
from heldout.testing import make_row

ENVS = ("doors", "grid")
CHAINS = tuple(map(parse_chain, ("doors", "doors > grid", "doors.easy")))
CELLS = [Cell(env=env, split="test", difficulty=level) for env in ENVS for level in ("easy", "hard")]
WHOLE = Cell(env="grid", split="test", difficulty="all")
ENDPOINTS = tuple(
    Endpoint(
        name=name,
        terms=(Term(weight=1.0, chain=chain, cell=WHOLE), Term(weight=-1.0, chain="base", cell=WHOLE)),
        margin=margin,
        finding="held-out",
    )
    for name, chain, margin in (
        ("held out", "doors", None),
        ("the same there", "doors", 40.0),
        ("easy", "doors.easy", None),
    )
)
STUDY = Study(
    name="two doors",
    base="pocket",
    chains=CHAINS,
    seeds=(0, 1, 2),
    measured=tuple(Measured(cell=cell) for cell in CELLS),
    config=Config(),
    endpoints=ENDPOINTS,
)
PLAYERS = {"random": 0.1, "oracle": 0.9}
GAINS = {"base": 0.0, "grid": 0.25, "doors": 0.2, "doors > grid": 0.1, "doors.easy": 0.3}


def rows_of(chain: str, envs: Sequence[str] = ENVS, seeds: Sequence[int] = (0, 1, 2)) -> list[Row]:
    """Four tasks a cell, hard ones a tenth lower; a seed adds a hundredth; in `grid` a chain gains half as much."""
    stages = chain_name(parse_chain(chain))
    return [
        make_row(
            chain=stages,
            step=0 if chain == "base" else 5,
            model="0f" if chain == "base" else f"{chain}/{seed}",
            seed=seed,
            env=cell.env,
            difficulty=cell.difficulty,
            task=f"{cell.name}{task}",
            score=0.3
            + 0.1 * (task % 2)
            - 0.1 * (cell.difficulty == "hard")
            + GAINS[chain] * (1 if cell.env == "doors" else 0.5)
            + 0.01 * seed * task * (chain != "base"),
        )
        for seed in seeds
        for cell in CELLS
        if cell.env in envs
        for task in range(4)
    ]


@pytest.fixture
def answers() -> Answers:
    """The second stage was not measured in the first one's environment, and one chain not at all."""
    rows = {"base": rows_of("base"), "doors": rows_of("doors"), "doors > grid": rows_of("doors > grid", ["grid"])}
    return answers_of(STUDY, {**rows, "doors.easy": []})


def test_endpoints_are_told_with_what_may_be_said_of_them(answers: Answers) -> None:
    table = endpoint_table(answers)
    assert table.header == ("endpoint", "points", "95 %", "p (Holm)", "shown")
    held_out, same, easy = table.rows
    assert held_out[:2] == ("held out", "+11.5")
    assert (held_out[4], same[0], same[4]) == ("higher", "the same there (within ±40)", "equivalent")
    assert easy == ("easy", "–", "–", "–", "missing")
    assert missing_lines(answers)[0] == "easy: doors.easy was not measured in grid.all"


def test_transfer_is_held_in_and_held_out_and_a_missing_cell_is_missing(answers: Answers) -> None:
    base, doors, both = transfer_table(answers).rows
    assert base == ("base", "30.0", "30.0", "–", "–", "–")
    assert doors == ("doors", "51.5", "41.5", "+21.5", "+11.5", "+16.5")
    assert both == ("doors > grid", "–", "36.5", "–", "–", "–")


def test_stages_one_after_another_need_every_cell_and_say_what_is_not_there(answers: Answers) -> None:
    [line] = sequence_table(answers).rows
    assert line == ("doors > grid", "–", "–", "+11.5", "–", "–")
    assert "doors > grid, seed 0: not measured on doors.easy, doors.hard" in missing_lines(answers)


def test_plans_by_difficulty_are_of_their_own_environment(answers: Answers) -> None:
    rows = {name: tuple(row) for name, *row in plan_table(answers).rows if row[0] == "doors"}
    assert rows["base"] == ("doors", "35.0", "25.0", "30.0")
    assert rows["all"][1:] == ("56.5", "46.5", "51.5")


def test_one_training_seed_is_given_this_run_everywhere() -> None:
    study = replace(STUDY, seeds=(0,), chains=CHAINS[:1], endpoints=ENDPOINTS[:2])
    rows = {"base": rows_of("base", seeds=[0]), "doors": rows_of("doors", seeds=[0])}
    found = answers_of(study, rows)
    assert endpoint_table(found).header[2] == "95 %, given this run"
    assert [row[4] for row in endpoint_table(found).rows] == ["given this run"] * 2
    assert "*Given this run*" in answers_text(found)
    assert "change, 95 %, given this run" in answers_page(found)
    assert "*Given this run*" not in answers_text(answers_of(STUDY, {name: rows_of(name) for name in GAINS}))


def test_a_program_reads_points_and_null_where_nothing_was_measured(answers: Answers) -> None:
    found = answers_as_json(answers)
    assert [each["shown"] for each in found["endpoints"]] == ["higher", "equivalent", "missing"]
    assert found["endpoints"][2]["missing"] == "doors.easy was not measured in grid.all"
    [doors] = [each for each in found["scores"] if (each["chain"], each["cell"]) == ("doors", "grid.all")]
    assert (round(doors["score"], 6), round(doors["change"], 6), doors["seeds"]) == (41.5, 11.5, 3)
    assert found["transfers"][1]["held_in"] is None


def test_the_page_has_every_cell_and_the_tasks_one_by_one(answers: Answers) -> None:
    page = answers_page(answers)
    for title in ("Endpoints", "Where it was trained, and elsewhere", "Every cell", "Task by task"):
        assert f"## {title}\n" in page
    assert "| doors | grid.hard | 4 |" in page


def test_controls_are_cells_like_others_and_scores_lie_between_random_play_and_the_oracle() -> None:
    rows = {name: rows_of(name) for name in ("base", "doors", "doors > grid")}
    random, oracle = (
        [replace(row, score=score, model=name) for row in rows["base"]] for name, score in PLAYERS.items()
    )
    found = answers_of(STUDY, rows, {"random": random, "oracle": oracle})
    assert control_table(found).rows == [("random", "10.0", "10.0"), ("oracle", "90.0", "90.0")]
    [placed] = [row[-1] for row in score_table(found).rows if row[:2] == ("doors", "grid.all")]
    assert placed.startswith("39.4 [")  # (41.5 − 10) / (90 − 10)
    assert sequence_table(found).rows[0][3:5] == ("+11.5", "+31.5")
    assert {each["control"] for each in answers_as_json(found)["controls"]} == set(PLAYERS)


def test_the_forward_kl_stands_by_chain_and_environment_and_beside_what_changed_elsewhere() -> None:
    chains = tuple(map(parse_chain, ("doors", "doors.easy", "grid")))
    drift = {("doors", "doors"): 0.2, ("doors.easy", "doors"): 0.3, ("grid", "grid"): 0.1, ("doors", "grid"): 0.05}
    rows = {name: rows_of(name) for name in ("base", "doors", "doors.easy", "grid")}
    found = replace(answers_of(replace(STUDY, chains=chains, endpoints=()), rows), drift=drift)
    assert drift_table(found).rows[0] == ("doors", "0.2000", "0.0500")
    assert drift_table(found).rows[2] == ("grid", "–", "0.1000")
    assert drift_line(found).startswith("Spearman's rank correlation")
    assert drift_line(replace(found, drift={})) == ""
    assert "## How far from the base" in answers_page(found)
