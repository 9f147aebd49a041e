from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import pytest

from heldout.config import Source
from heldout.envs.base import Suite
from heldout.envs.textcraft import INSTRUCTIONS, suite
from heldout.envs.textcraft.grow import FORMS, MATERIALS, SHAPES, goals, grow
from heldout.envs.textcraft.players import turns
from heldout.envs.textcraft.tasks import EASY_TURNS, generated_tasks, world_of_tree
from heldout.envs.textcraft.world import World
from heldout.errors import BadCall
from heldout.records import Ending, Task, digest
from heldout.seeds import stream


def _play(suite: Suite, task: Task, choose: Callable[[World], str], limit: int) -> int:
    """The turn that solved the task; 0 where none did."""
    env = suite.open(task)
    step = env.start()
    for turn in range(1, limit + 1):
        step = env.step(choose(env.world))
        if step.ending is Ending.SOLVED:
            return turn
    return 0


def test_seventy_six_words_name_everything() -> None:
    words = [*MATERIALS, *(form for forms in FORMS for form in forms)]
    assert len(words) == len(set(words)) == 76
    assert all(word.isascii() and word.isalpha() and word.islower() for word in words)


def test_splits_have_their_sizes_and_halves() -> None:
    test, train = generated_tasks("test", 0, "pocket"), generated_tasks("train", 0, "pocket")
    assert (len(test), len(train), len(generated_tasks("demonstrations", 0, "pocket"))) == (200, 1000, 20_000)
    assert [task.difficulty for task in test].count("easy") == 100
    assert [task.difficulty for task in train].count("easy") == 500
    assert [task.id for task in test[:3]] == ["textcraft_0", "textcraft_1", "textcraft_2"]
    assert train[-1].id == "textcraft_1999"


def test_no_two_tasks_are_alike() -> None:
    splits = ("test", "train", "demonstrations")
    worlds = {digest(task.world) for split in splits for task in generated_tasks(split, 0, "pocket")[:1000]}
    assert len(worlds) == 2200


@pytest.mark.slow
def test_splits_share_no_goal_whatever_their_seeds() -> None:
    shown = {task.world["goal"] for task in generated_tasks("demonstrations", 1, "pocket")[:1000]}
    assert shown.isdisjoint(task.world["goal"] for task in generated_tasks("train", 2, "pocket"))
    assert shown.isdisjoint(task.world["goal"] for task in generated_tasks("test", 3, "standard"))


def test_another_seed_gives_other_tasks() -> None:
    first, again, other = (digest(generated_tasks("test", seed, "pocket")[0].world) for seed in (0, 0, 1))
    assert first == again != other


@pytest.mark.parametrize(("profile", "share"), [("pocket", 0.54), ("standard", 0.49)])
def test_easy_is_about_half_of_all_trees(profile: str, share: float) -> None:
    chance = stream(0, "tests", profile)
    drawn = [(goal := chance.choice(goals()), grow(goal, SHAPES[profile], chance)) for _ in range(1000)]
    easy = sum(turns(world_of_tree(goal, shown)) <= EASY_TURNS[profile] for goal, shown in drawn)
    assert easy / 1000 == pytest.approx(share, abs=0.05)


def test_pocket_lists_are_short() -> None:
    counts = [len(task.world["recipes"]) for task in generated_tasks("test", 0, "pocket")]
    assert min(counts) >= 3
    assert max(counts) <= 10
    assert len(INSTRUCTIONS["pocket"].split()) == 41


def test_two_hundred_tasks_open_in_an_instant() -> None:
    generated_tasks("test", 98, "pocket")[0]
    began = perf_counter()
    list(generated_tasks("test", 99, "pocket"))
    assert perf_counter() - began < 2  # 0.15 s on an idle core


@pytest.mark.parametrize("profile", ["pocket", "standard"])
def test_the_oracle_solves_every_task_within_twenty_turns(profile: str) -> None:
    textcraft = suite(Source(profile=profile))
    tasks = textcraft.tasks("test")
    taken = [_play(textcraft, task, textcraft.players.oracle, 20) for task in tasks]
    assert min(taken) >= 2
    easy = [turn <= EASY_TURNS[profile] for turn in taken]
    assert easy == [task.difficulty == "easy" for task in tasks]


def test_chance_alone_solves_easy_tasks_more_often() -> None:
    textcraft, chance = suite(Source()), stream(0, "tests", "random")
    solved = {"easy": 0, "hard": 0}
    for task in textcraft.tasks("test"):
        turn = _play(textcraft, task, lambda world: chance.choice(textcraft.players.legal(world)), 20)
        solved[task.difficulty] += turn > 0
    assert 45 <= solved["easy"] <= 75
    assert solved["hard"] <= 20


@pytest.mark.parametrize("source", [Source(kind="found"), Source(rules="loose"), Source(profile="huge")])
def test_a_source_that_is_not_there_is_refused(source: Source) -> None:
    with pytest.raises(BadCall, match="choose from"):
        suite(source)


def test_a_split_that_is_not_there_is_refused() -> None:
    with pytest.raises(BadCall, match=r"unknown split 'tests'; did you mean 'test'\?"):
        suite(Source()).tasks("tests")


def test_real_tasks_without_their_folder_say_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HELDOUT_DATA", raising=False)
    with pytest.raises(BadCall, match="HELDOUT_DATA is not set"):
        suite(Source(kind="real"))


def test_real_tasks_without_their_ids_name_the_file(
    monkeypatch: pytest.MonkeyPatch, data: Path, tmp_path: Path
) -> None:
    (tmp_path / "textcraft").symlink_to(data / "textcraft")
    monkeypatch.setenv("HELDOUT_DATA", str(tmp_path))
    with pytest.raises(BadCall, match=r"could not read .*eval/textcraft_test\.json"):
        suite(Source(kind="real"))


@pytest.mark.realdata
def test_the_real_splits_are_the_papers(data: Path) -> None:
    textcraft = suite(Source(kind="real"))
    train, test = textcraft.tasks("train"), textcraft.tasks("test")
    assert (len(train), len(test), len(textcraft.tasks("demonstrations"))) == (444, 100, 0)
    assert len({task.world["goal"] for split in (train, test) for task in split}) == 544
    assert {task.difficulty for task in test} == {"easy", "hard"}
    assert str(data) in textcraft.source
    with pytest.raises(BadCall, match=r"unknown split 'tests'; did you mean 'test'\?"):
        textcraft.tasks("tests")


@pytest.mark.realdata
def test_the_oracle_solves_all_544_real_goals(data: Path) -> None:
    assert data.is_dir()
    textcraft = suite(Source(kind="real"))
    tasks = [*textcraft.tasks("train"), *textcraft.tasks("test")]
    taken = [_play(textcraft, task, textcraft.players.oracle, 60) for task in tasks]
    assert sum(turn > 0 for turn in taken) == 544
    assert sum(0 < turn <= 15 for turn in taken) == 525
    assert sum(0 < turn <= 20 for turn in taken) == 532
