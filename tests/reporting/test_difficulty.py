"""The halves are shown with their threshold, beside the oracle's turns, and real ones beside Table 5."""

from dataclasses import replace

import pytest

from heldout.records import Difficulty, TaskDifficulty
from heldout.reporting.difficulty import (
    PAPER,
    against,
    at_threshold,
    oracle_table,
    page,
    size_table,
    sizes,
    summary,
)
from heldout.reporting.figures import svg
from heldout.reporting.tables import align
from heldout.reporting.turns import turns_by_score
from heldout.testing import make_difficulty_split, make_task_difficulty

TURNS = {
    ("babyai", "train", "a"): 2,
    ("babyai", "train", "b"): 3,
    ("babyai", "train", "c"): 9,
    ("babyai", "test", "x"): 4,
}
"""Nobody solved `d`."""


@pytest.fixture
def measured() -> Difficulty:
    scores = {"a": 1.0, "b": 0.5, "c": 0.5, "d": 0.0}
    train = (estimate(task, "train", score, "easy" if task in "ab" else "hard") for task, score in scores.items())
    env_split = make_difficulty_split(
        env="babyai", tie="0", low=0.25, high=0.75, tasks=(*train, estimate("x", "test", 0.0, "hard"))
    )
    return Difficulty(
        model="pocket-1", settings={"source": "generated", "seed": 0, "tasks": None}, envs=(env_split,)
    )


def estimate(task: str, split: str, score: float, half: str) -> TaskDifficulty:
    return make_task_difficulty(task=task, split=split, score=score, difficulty=half)


def test_sizes_are_counted_and_so_are_those_that_only_the_hash_decides(measured: Difficulty) -> None:
    [env_split] = measured.envs
    assert sizes(env_split) == {"train": (2, 2), "test": (0, 1)}
    assert at_threshold(env_split) == 2


def test_the_oracles_turns_stand_beside_the_halves(measured: Difficulty) -> None:
    train, test = against(measured, TURNS)
    assert (train.n, train.easy, train.hard) == (3, 2.5, 9.0)
    assert train.rank_correlation == pytest.approx(-0.866025, abs=1e-6)
    assert (test.n, test.easy, test.hard, test.rank_correlation) == (1, None, 4.0, None)
    assert align(oracle_table([test])).splitlines()[-1].split() == ["babyai", "test", "1", "–", "4.0", "–"]


def test_generated_tasks_have_no_column_of_the_papers(measured: Difficulty) -> None:
    [row] = size_table(measured).rows
    assert row == ["babyai", "8", "50.0 [25.0, 75.0]", "2", "2 / 2", "0 / 1"]
    assert summary(measured, [])["envs"][0]["paper"] is None


def test_real_tasks_stand_beside_table_5(measured: Difficulty) -> None:
    real = replace(measured, settings={"source": "real"})
    [row] = size_table(real).rows
    assert row[-2:] == ["398 / 412", "52 / 38"]
    assert summary(real, [])["envs"][0]["paper"] == {
        "train": {"easy": 398, "hard": 412},
        "test": {"easy": 52, "hard": 38},
    }


def test_table_5_adds_up_as_printed() -> None:
    printed = {"webshop": (3930, 200), "searchqa": (4000, 400), "textcraft": (444, 100), "alfworld": (2420, 200)}
    printed["babyai"] = (810, 90)
    assert {env: (sum(of["train"]), sum(of["test"])) for env, of in PAPER.items()} == printed


def test_the_page_holds_both_tables_and_the_figure(measured: Difficulty) -> None:
    text = page(measured, against(measured, TURNS), "turns.svg")
    assert text.startswith(f"# Easy and hard for pocket-1\n\nHash {measured.digest}; source generated, seed 0.\n")
    assert "| babyai | 8 | 50.0 [25.0, 75.0] | 2 | 2 / 2 | 0 / 1 |" in text
    assert "| babyai | train | 3 | 2.5 | 9.0 | -0.87 |" in text
    assert "(turns.svg)" in text


def test_the_figure_has_a_panel_an_environment_and_is_the_same_each_time(measured: Difficulty) -> None:
    [env_split] = measured.envs
    both = replace(measured, envs=(env_split, replace(env_split, env="textcraft")))
    figure = turns_by_score(both, TURNS)
    assert [panel.get_title() for panel in figure.axes] == [
        "babyai: training and test tasks",
        "textcraft: training and test tasks",
    ]
    [easy, hard] = figure.axes[0].collections
    assert sorted(easy.get_offsets().tolist()) == [[1.85, 100.0], [2.85, 50.0]]
    assert len(hard.get_offsets()) == 2
    assert svg(turns_by_score(both, TURNS)) == svg(figure)
