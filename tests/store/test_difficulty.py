"""A difficulty file reads as it was written, and anything else is one line that says how to make one."""

from dataclasses import replace
from pathlib import Path

import pytest

from heldout.errors import BadCall, HeldoutError
from heldout.records import Difficulty
from heldout.store.difficulty import read, write
from heldout.testing import make_difficulty_split, make_task_difficulty


@pytest.fixture
def difficulty() -> Difficulty:
    tasks = (
        make_task_difficulty(task="doors_1", score=0.875, low=0.52, high=0.98, difficulty="easy"),
        make_task_difficulty(task="doors_2", score=0.0, low=0.0, high=0.32, difficulty="hard"),
    )
    env_split = make_difficulty_split(threshold=0.875, tasks=tasks)
    return Difficulty(model="pocket-1", settings={"seed": 0, "tasks": None}, envs=(env_split,))


def test_a_file_reads_as_it_was_written_and_has_a_task_a_line(difficulty: Difficulty, tmp_path: Path) -> None:
    path = tmp_path / "difficulty.json"
    write(path, difficulty)
    assert read(str(path)) == difficulty
    lines = [line.strip() for line in path.read_text().splitlines()]
    assert sum(line.startswith('{"task": "doors_') for line in lines) == 2
    assert f'"hash": "{difficulty.digest}",' in lines


def test_the_hash_is_of_what_was_measured(difficulty: Difficulty) -> None:
    assert difficulty.digest == replace(difficulty).digest
    assert difficulty.digest != replace(difficulty, model="pocket-2").digest
    [env_split] = difficulty.envs
    assert difficulty.digest != replace(difficulty, envs=(replace(env_split, tasks=env_split.tasks[:1]),)).digest


def test_a_file_that_was_changed_is_refused(difficulty: Difficulty, tmp_path: Path) -> None:
    path = tmp_path / "difficulty.json"
    write(path, difficulty)
    path.write_text(path.read_text().replace("0.875", "0.125", 1))
    with pytest.raises(HeldoutError, match=f"is damaged: it is not what was measured as {difficulty.digest}"):
        read(str(path))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is damaged: not JSON"),
        ('{"schema": 3}', "has schema 3, and this heldout knows 2"),
        ('{"schema": 2, "hash": "0", "study": 7}', "is no difficulty file: Difficulty has no field 'study'"),
    ],
)
def test_another_file_is_refused(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "difficulty.json"
    path.write_text(text)
    with pytest.raises(HeldoutError, match=said):
        read(str(path))


def test_a_file_that_is_not_there_is_told_with_the_command_that_writes_one(tmp_path: Path) -> None:
    with pytest.raises(
        BadCall, match=r"no difficulty file '.*nowhere' \(choose from: pocket, a file; `heldout diff"
    ):
        read(str(tmp_path / "nowhere"))
