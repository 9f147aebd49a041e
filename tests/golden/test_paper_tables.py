"""The paper's derived figures from its own cells: 83 of 90 follow, and the seven that do not are named."""

from collections.abc import Iterator
from statistics import fmean

import pytest

from heldout.analysis.curriculum import DifficultyScores, plans
from heldout.analysis.sequence import sequence, sequential
from heldout.analysis.transfer import Scores, transfer

from .paper import DIFFICULTY, ENVS, PLANS, SEQUENTIAL, TEST_TASKS, TRANSFER

MODELS = ("3B", "7B")
DO_NOT_FOLLOW = {
    "Table 2, 3B, hard > easy, alfworld, all": (93.6, 93.18),
    "Table 2, 7B, base, babyai, all": (67.0, 66.50),
    "Table 2, 7B, all, textcraft, all": (80.9, 76.75),
    "Table 2, 7B, all, alfworld, all": (92.0, 97.34),
    "Table 2, 7B, all, babyai, all": (88.8, 86.69),
    "Table 2, 7B, hard > easy, searchqa, all": (42.3, 41.33),
    "Table 3, 3B, searchqa, ΔOverall": (4.56, 7.37),
}
"""Derived figure → what is printed, and what follows from the cells."""

Derived = Iterator[tuple[str, float, float, float]]
"""What it is, what is printed, what follows, and how far rounding can take them apart."""


def rows_of(table: str) -> Iterator[tuple[str, list[list[float]]]]:
    for line in table.strip().splitlines():
        name, *cells = line.split("|")
        yield name.strip().replace(">", " > "), [[float(number) for number in cell.split()] for cell in cells]


def table_2() -> Derived:
    tasks = {
        (env, difficulty): count
        for env, counts in TEST_TASKS.items()
        for difficulty, count in zip(("easy", "hard"), counts, strict=True)
    }
    printed = {
        (model, plan, env): cell
        for name, cells in rows_of(DIFFICULTY)
        for model, plan in [name.split(" ", 1)]
        for env, cell in zip(ENVS, cells, strict=True)
    }
    for model in MODELS:
        scores: DifficultyScores = {
            (in_env(plan, env), env, difficulty): score
            for (own, plan, env), cell in printed.items()
            if own == model
            for difficulty, score in zip(("easy", "hard"), cell, strict=False)
        }
        for (plan, env), found in plans(scores, tasks, ENVS).items():
            assert found.all is not None
            yield f"Table 2, {model}, {plan}, {env}, all", printed[model, plan, env][2], found.all, 0.1


def in_env(plan: str, env: str) -> str:
    return plan if plan == "base" else " > ".join(f"{env}.{difficulty}" for difficulty in plan.split(" > "))


def table_3() -> Derived:
    for model in MODELS:
        own = {name[3:]: cells for name, cells in rows_of(TRANSFER) if name.startswith(model)}
        scores: Scores = {
            (chain, env): score for chain, cells in own.items() for env, score in zip(ENVS, cells[0], strict=True)
        }
        for found in transfer(scores, ENVS):
            values = (found.held_in, found.held_out, found.overall)
            names = ("ΔHeld-In", "ΔHeld-Out", "ΔOverall")
            for name, printed, value in zip(names, own[found.chain][1], values, strict=True):
                assert value is not None
                yield f"Table 3, {model}, {found.chain}, {name}", printed, value, 0.01


def table_6() -> Scores:
    return {
        (chain, env): score
        for chain, cells in rows_of(SEQUENTIAL)
        for env, score in zip(ENVS, cells[0], strict=True)
    }


def test_83_of_the_90_derived_figures_follow_from_their_cells_and_seven_do_not() -> None:
    derived = [*table_2(), *table_3()]
    assert len(derived) == 90
    astray = {
        name: (printed, round(value, 2))
        for name, printed, value, rounding in derived
        if abs(printed - value) > rounding + 1e-9
    }
    assert astray == DO_NOT_FOLLOW


def test_every_plan_of_table_2_is_there() -> None:
    assert {name.split(", ")[2] for name, *_ in table_2()} == set(PLANS)


@pytest.mark.parametrize(("model", "printed"), [("3B", 3.32), ("7B", 3.44)])
def test_the_mean_held_out_gain_is_that_of_the_papers_text(model: str, printed: float) -> None:
    gains = [value for name, _, value, _ in table_3() if model in name and name.endswith("ΔHeld-Out")]
    assert fmean(gains) == pytest.approx(printed, abs=0.01)


def test_textcraft_after_webshop_gains_on_the_single_stage_and_webshop_is_retained() -> None:
    """Section 6: from 80.88 to 82.50, and from 86.50 to 86.32."""
    [pair] = [
        pair for pair in sequential(table_6()) if (pair.upstream, pair.downstream) == ("webshop", "textcraft")
    ]
    assert pair.retention == pytest.approx(-0.18)
    assert pair.gain == pytest.approx(1.62)


def test_the_twenty_pairs_lose_two_points_upstream_and_lie_as_much_below_the_single_stage() -> None:
    pairs = sequential(table_6())
    assert len(pairs) == 20
    assert fmean(pair.retention or 0 for pair in pairs) == pytest.approx(-1.98, abs=0.005)
    assert fmean(pair.gain or 0 for pair in pairs) == pytest.approx(-2.33, abs=0.005)
    worst = min(pairs, key=lambda pair: pair.retention or 0)
    assert (worst.upstream, worst.downstream) == ("textcraft", "searchqa")


def test_the_lopez_paz_measures_of_a_pair_are_those_counted_by_hand() -> None:
    found = sequence(table_6(), "webshop > textcraft", ENVS)
    assert found.matrix[0][:2] == (28.59, 33.63)
    assert found.matrix[2][:2] == (86.32, 82.50)
    assert found.acc == pytest.approx(84.41)
    assert found.bwt == pytest.approx(-0.18)
    assert found.fwt == pytest.approx(40.75 - 33.63)  # textcraft after webshop alone, over the base
    assert found.forgetting["webshop"] == pytest.approx(0.18)
    assert found.forgetting["searchqa"] == pytest.approx(33.28 - 36.81)
