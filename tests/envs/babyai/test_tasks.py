import json
import os
from collections import Counter
from pathlib import Path

import pytest

from heldout.config import Source
from heldout.envs.babyai.levels import PUBLISHED, game, item, place
from heldout.envs.babyai.splits import (
    LEAST,
    LEVELS,
    LONGEST,
    PUBLISHED_SEEDS,
    SHARES,
    opening_of,
    oracle_turns,
    split_of,
)
from heldout.envs.babyai.tasks import EASY_TURNS, tasks_of
from heldout.envs.babyai.world import World
from heldout.envs.registry import open_suite
from heldout.errors import BadCall
from heldout.records import Task

SPLITS = ("demonstrations", "train", "test")
generated = tasks_of(Source())


def world(task: Task) -> World:
    return World(task.world["level"], task.world["seed"])


def test_the_splits_have_their_sizes_and_half_of_train_and_test_is_hard() -> None:
    counts = {split: Counter(task.difficulty for task in generated(split)) for split in SPLITS}
    assert counts["train"] == {"easy": 500, "hard": 500}
    assert counts["test"] == {"easy": 100, "hard": 100}
    assert sum(counts["demonstrations"].values()) == 6000
    levels = {split: {task.world["level"] for task in generated(split)} for split in SPLITS}
    assert levels["test"] < levels["train"] | {10} < levels["demonstrations"] == set(LEVELS) < set(PUBLISHED)


def test_the_original_numbers_its_tasks_by_level_and_seed() -> None:
    assert place(0) == (1, 0)
    assert place(1804) == (5, 45)
    assert item(5, 45) == 1804
    assert generated("test")[0].id == f"babyai_{item(**generated('test')[0].world)}"


def test_a_level_that_is_not_there_is_refused_with_those_that_are() -> None:
    assert game(4) == "BabyAI-GoToObjS4-v0"
    with pytest.raises(BadCall, match="BabyAI has levels 1 to 40, not 41"):
        game(41)


def test_equal_openings_fall_into_one_split() -> None:
    assert sum(SHARES.values()) == 100
    assert [split_of(f"{draw:08x}") for draw in (0, 29, 30, 85, 86, 99)] == [
        "demonstrations",
        "demonstrations",
        "train",
        "train",
        "test",
        "test",
    ]


def test_the_table_is_what_its_maker_makes() -> None:
    for split in SPLITS:
        for task in generated(split)[::100]:
            turns = oracle_turns(task.world["level"], task.world["seed"])
            assert turns is not None
            assert LEAST[split] <= turns <= LONGEST
            assert task.difficulty == ("hard" if turns > EASY_TURNS else "easy")
            assert split_of(opening_of(world(task))) == split
            assert task.world["seed"] not in PUBLISHED_SEEDS


@pytest.mark.slow
def test_no_two_tasks_of_train_and_test_are_alike_under_one_seed_of_the_source_or_two() -> None:
    tables = [tasks_of(Source(seed=seed)) for seed in range(5)]
    tasks = [task for of in tables for task in (*of("train"), *of("test"))]
    assert len({world(task).content for task in tasks}) == len(tasks) == 5 * 1200


def test_another_seed_of_the_source_has_other_tasks_of_the_same_make() -> None:
    other = tasks_of(Source(seed=3))
    assert other("demonstrations") == generated("demonstrations")
    for split, half in (("train", 500), ("test", 100)):
        assert Counter(task.difficulty for task in other(split)) == {"easy": half, "hard": half}
        for task in other(split)[::100]:
            assert split_of(opening_of(world(task))) == split
            turns = oracle_turns(task.world["level"], task.world["seed"])
            assert turns is not None
            assert LEAST[split] <= turns <= LONGEST
    digests = {open_suite("babyai", Source(seed=seed)).data for seed in range(5)}
    assert len(digests) == 5


def test_a_seed_of_the_source_that_no_table_was_made_for_is_refused() -> None:
    with pytest.raises(BadCall, match=r"unknown seed of BabyAI's generated tasks '5' \(.*0, 1, 2, 3, 4"):
        tasks_of(Source(seed=5))


def test_worlds_that_look_alike_at_the_start_have_one_opening_though_not_one_content() -> None:
    first, alike, other = World(3, 1010), World(3, 1012), World(3, 1013)
    assert first.content != alike.content
    assert opening_of(first) == opening_of(alike) != opening_of(other)


@pytest.mark.slow
@pytest.mark.parametrize("profile", ["pocket", pytest.param("standard", marks=pytest.mark.very_slow)])
def test_no_opening_of_a_split_is_in_another(profile: str) -> None:
    """The instruction is a part of it, so no instruction and opening are shared."""
    suite = open_suite("babyai", Source(profile=profile))
    openings = {split: {suite.open(task).start().observation for task in suite.tasks(split)} for split in SPLITS}
    assert not openings["test"] & (openings["train"] | openings["demonstrations"])
    assert not openings["train"] & openings["demonstrations"]


@pytest.mark.parametrize(("split", "folder", "file"), [("train", "train", "train"), ("test", "eval", "test")])
def test_published_tasks_are_read_from_their_files(
    split: str, folder: str, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "agentgym_item_ids" / folder / f"babyai_{file}.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps([{"item_id": "babyai_0"}, {"item_id": "babyai_45"}]))
    monkeypatch.setenv("HELDOUT_DATA", str(tmp_path))
    first, second = tasks_of(Source(kind="real"))(split)
    assert (first.id, first.split, first.difficulty, first.world) == (
        "babyai_0",
        split,
        "easy",
        {"level": 1, "seed": 0},
    )
    assert (second.id, second.difficulty, second.world) == ("babyai_45", "hard", {"level": 6, "seed": 1})


def test_published_tasks_that_are_not_there_are_named_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELDOUT_DATA", str(tmp_path))
    with pytest.raises(BadCall, match=r"^could not read .*/eval/babyai_test\.json: No such file"):
        tasks_of(Source(kind="real"))("test")


def test_a_split_or_source_that_is_not_there_is_refused() -> None:
    with pytest.raises(BadCall, match=r"unknown split 'tests'; did you mean 'test'\?"):
        generated("tests")
    with pytest.raises(BadCall, match="unknown task source 'files'"):
        tasks_of(Source(kind="files"))


@pytest.mark.realdata
@pytest.mark.skipif("HELDOUT_DATA" not in os.environ, reason="HELDOUT_DATA is not set")
def test_the_published_files_hold_810_and_90_tasks_of_the_eighteen_levels() -> None:
    tasks = tasks_of(Source(kind="real"))
    assert (len(tasks("train")), len(tasks("test"))) == (810, 90)
    levels = Counter(task.world["level"] for task in [*tasks("train"), *tasks("test")])
    assert levels == dict.fromkeys(PUBLISHED, 50)
    assert all(task.world["seed"] in PUBLISHED_SEEDS for task in [*tasks("train"), *tasks("test")])
