import pytest

from heldout.config import Source
from heldout.envs.corridor import COLOURS, Corridor, World, suite, tasks
from heldout.envs.guard import Guarded
from heldout.errors import BadCall
from heldout.records import Ending, digest


def test_the_note_names_the_door_that_leads_out() -> None:
    env = Corridor(World(("red", "blue"), "blue"))
    assert env.start().observation == "A corridor with a red door and a blue door. A note lies on the floor."
    assert env.step("read note").observation == "The note says: blue."
    end = env.step("open blue door")
    assert (end.observation, end.reward, end.score, end.ending) == ("You are out.", 1.0, 1.0, Ending.SOLVED)


def test_the_other_door_ends_the_episode_without_reward() -> None:
    end = Corridor(World(("red", "blue"), "blue")).step("open red door")
    assert (end.observation, end.reward, end.ending) == ("A wall.", 0.0, Ending.FAILED)


def test_playing_on_after_the_end_is_the_callers_mistake() -> None:
    env = Guarded(Corridor(World(("red", "blue"), "blue")))
    env.start()
    env.step("open red door")
    with pytest.raises(RuntimeError, match="after the end"):
        env.step("open blue door")


def test_sixty_corridors_are_shared_among_three_pools() -> None:
    assert [len(tasks(split)) for split in ("demonstrations", "train", "test")] == [20, 20, 20]
    assert len({digest(task.world) for split in ("demonstrations", "train", "test") for task in tasks(split)}) == 60
    assert {task.difficulty for task in tasks("test")} == {"easy", "hard"}
    with pytest.raises(BadCall, match=r"unknown split 'tests'; did you mean 'test'\?"):
        tasks("tests")


def test_a_slip_is_a_door_that_is_not_there() -> None:
    mistakes = suite(Source()).players.mistakes(World(("red", "blue"), "blue"))
    assert mistakes == [f"open {colour} door" for colour in COLOURS if colour not in ("red", "blue")]
