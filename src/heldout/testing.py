"""Records with a value in every field: what a test says is only what it is about.

For our tests, and for those of whoever reads rows or adds an environment.
"""

from dataclasses import replace
from typing import Any

from heldout.records import DifficultySplit, Ending, Reply, Row, Task, TaskDifficulty, Trajectory, Turn

_TASK = Task(env="doors", split="test", id="doors_1", difficulty="easy", world={})

_TRAJECTORY = Trajectory(
    task=_TASK, attempt=0, opening="", turns=(), reward=0.0, score=0.0, ending=Ending.FAILED, stream=""
)

_ROW = Row(
    study="demo",
    base="pocket",
    model="0f",
    chain="base",
    seed=0,
    step=0,
    env="doors",
    task="doors_1",
    split="test",
    difficulty="easy",
    difficulty_source="oracle_turns",
    attempt=0,
    variant="",
    rules="fixed",
    rules_version=1,
    data="d",
    prompt="p",
    max_turns=20,
    response_budget=8192,
    reply_tokens=512,
    temperature=1.0,
    reward=0.0,
    score=0.0,
    success=False,
    turns=2,
    generated_tokens=10,
    response_length=30,
    invalid_actions=0,
    ending="solved",
    stream="",
)

_TASK_DIFFICULTY = TaskDifficulty(task="doors_1", split="train", score=0.0, low=0.0, high=1.0, difficulty="hard")

_DIFFICULTY_SPLIT = DifficultySplit(
    env="doors", data="d", rules="fixed", prompt="p", k=8, threshold=0.5, tie="a", low=0.0, high=1.0, tasks=()
)


def make_task(**changes: Any) -> Task:
    """An easy test task of the environment `doors`, with these fields changed."""
    return replace(_TASK, **changes)


def make_turn(reply: Reply | None = None, **changes: Any) -> Turn:
    """A turn in which nothing was said, with these fields changed."""
    return replace(Turn(reply=reply or Reply(text=""), action="", observation=""), **changes)


def make_trajectory(**changes: Any) -> Trajectory:
    """An episode without a turn that failed and earned nothing, with these fields changed."""
    return replace(_TRAJECTORY, **changes)


def make_row(**changes: Any) -> Row:
    """The row of an episode that the pocket model solved for nothing, with these fields changed."""
    return replace(_ROW, **changes)


def make_task_difficulty(**changes: Any) -> TaskDifficulty:
    """A training task that a reference model never solves, with these fields changed."""
    return replace(_TASK_DIFFICULTY, **changes)


def make_difficulty_split(**changes: Any) -> DifficultySplit:
    """An environment of which no task was measured, its threshold at a half, with these fields changed."""
    return replace(_DIFFICULTY_SPLIT, **changes)
