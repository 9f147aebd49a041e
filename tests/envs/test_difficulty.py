"""A suite with a difficulty file has the tasks that were measured, each in the half that the file says."""

from dataclasses import replace

import pytest

from heldout.envs.base import Suite
from heldout.envs.difficulty import with_measured_difficulty
from heldout.errors import BadCall
from heldout.records import Difficulty
from heldout.testing import make_difficulty_split, make_task_difficulty


@pytest.fixture
def measured() -> Difficulty:
    """The doors the other way round: four doors are easy; of the test tasks one was measured."""
    env_split = {("train", "doors_2"): "hard", ("train", "doors_4"): "easy", ("test", "doors_4"): "easy"}
    tasks = tuple(
        make_task_difficulty(task=task, split=split, difficulty=half) for (split, task), half in env_split.items()
    )
    doors = make_difficulty_split(data="0", tasks=tasks)
    return Difficulty(model="pocket", settings={}, envs=(doors,))


def test_tasks_are_in_the_half_that_was_measured_and_rows_name_the_file(doors: Suite, measured: Difficulty) -> None:
    suite = with_measured_difficulty(doors, measured, "difficulty.json")
    assert {task.id: task.difficulty for task in suite.tasks("train")} == {"doors_2": "hard", "doors_4": "easy"}
    assert suite.difficulty_source == measured.digest
    assert doors.difficulty_source == "oracle_turns"


def test_a_split_that_was_measured_in_part_is_that_part(doors: Suite, measured: Difficulty) -> None:
    suite = with_measured_difficulty(doors, measured, "difficulty.json")
    assert [task.id for task in suite.tasks("test")] == ["doors_4"]
    assert len(suite.tasks("demonstrations")) == len(doors.tasks("demonstrations"))


def test_tasks_are_otherwise_the_same(doors: Suite, measured: Difficulty) -> None:
    [_, four] = doors.tasks("train")
    [_, same] = with_measured_difficulty(doors, measured, "difficulty.json").tasks("train")
    assert same == replace(four, difficulty="easy")


def test_another_environment_is_refused_with_the_command_that_measures_it(
    doors: Suite, measured: Difficulty
) -> None:
    windows = replace(doors, name="windows")
    with pytest.raises(
        BadCall, match=r"d\.json tells nothing of windows \(it knows: doors\); measure them: heldout d"
    ):
        with_measured_difficulty(windows, measured, "d.json")


def test_other_tasks_of_the_same_names_are_refused(doors: Suite, measured: Difficulty) -> None:
    with pytest.raises(BadCall, match=r"measured on other tasks of doors \(source 0, and this is 1\)"):
        with_measured_difficulty(replace(doors, data="1"), measured, "d.json")
