"""Records: the same fields in memory and on disk, and a clear word where a file holds something else."""

import json
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heldout import records
from heldout.chains import Stage
from heldout.errors import BadCall
from heldout.records import (
    Difficulty,
    DifficultySplit,
    Ending,
    Group,
    Reply,
    Row,
    Step,
    Task,
    TaskDifficulty,
    Trajectory,
    Turn,
    digest,
    digest_of_text,
    from_json,
    to_json,
)
from heldout.testing import make_row, make_trajectory, make_turn

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
WORLDS = st.dictionaries(st.text(), st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3), max_leaves=5))
FIGURES = st.floats(allow_nan=False, allow_infinity=False)
IDS = st.lists(st.integers(0, 2**20), max_size=4).map(tuple)
TASKS = st.builds(Task, world=WORLDS)
REPLIES = st.builds(Reply, context_ids=IDS, token_ids=IDS, logprobs=st.lists(FIGURES, max_size=4).map(tuple))
TURNS = st.builds(Turn, reply=REPLIES, reward=FIGURES)
TRAJECTORIES = st.builds(
    Trajectory, task=TASKS, turns=st.lists(TURNS, max_size=3).map(tuple), reward=FIGURES, score=FIGURES
)
ESTIMATES = st.builds(TaskDifficulty, score=FIGURES, low=FIGURES, high=FIGURES)
HALVES = st.builds(
    DifficultySplit, threshold=FIGURES, low=FIGURES, high=FIGURES, tasks=st.lists(ESTIMATES, max_size=2).map(tuple)
)
RECORDS: dict[type[Any], st.SearchStrategy[Any]] = {
    Task: TASKS,
    Step: st.builds(Step, reward=FIGURES, score=FIGURES),
    Reply: REPLIES,
    Turn: TURNS,
    Trajectory: TRAJECTORIES,
    Group: st.builds(Group, task=TASKS, trajectories=st.lists(TRAJECTORIES, max_size=2).map(tuple)),
    Stage: st.builds(Stage, envs=st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True).map(tuple)),
    Row: st.builds(Row, temperature=FIGURES, reward=FIGURES, score=FIGURES),
    TaskDifficulty: ESTIMATES,
    DifficultySplit: HALVES,
    Difficulty: st.builds(Difficulty, settings=WORLDS, envs=st.lists(HALVES, max_size=2).map(tuple)),
}
JSON = st.recursive(
    SCALARS | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)

TASK = Task(env="corridor", split="test", id="corridor_0", difficulty="easy", world={"doors": 2})


def through_a_file(kind: type[Any], record: object) -> object:
    return from_json(kind, json.loads(json.dumps(to_json(record))))


def test_every_record_is_looked_at_here() -> None:
    assert set(RECORDS) - {Stage} == {
        each for each in vars(records).values() if isinstance(each, type) and is_dataclass(each)
    }


@pytest.mark.parametrize("kind", RECORDS)
@settings(max_examples=30)
@given(data=st.data())
def test_a_record_comes_back_from_disk_as_it_was(kind: type[Any], data: st.DataObject) -> None:
    record = data.draw(RECORDS[kind])
    assert through_a_file(kind, record) == record


@pytest.mark.slow
@pytest.mark.parametrize("kind", RECORDS)
@settings(max_examples=30)
@given(data=st.data())
def test_whatever_a_file_holds_is_a_record_or_is_refused_in_one_line(kind: type[Any], data: st.DataObject) -> None:
    names = [field.name for field in fields(kind)]
    whole = to_json(data.draw(RECORDS[kind]))
    other = data.draw(st.dictionaries(st.sampled_from(names) | st.text(), JSON, max_size=3))
    lost = data.draw(st.sets(st.sampled_from(names), max_size=1))
    held = {name: value for name, value in (whole | other).items() if name not in lost}
    record, refusal = None, ""
    try:
        record = from_json(kind, held)
    except BadCall as error:
        refusal = str(error)
    assert "\n" not in refusal
    assert record is None or through_a_file(kind, record) == record


@pytest.mark.parametrize(("kind", "name"), [(kind, field.name) for kind in RECORDS for field in fields(kind)])
def test_no_field_takes_a_value_of_another_type(kind: type[Any], name: str) -> None:
    with pytest.raises(BadCall, match=r"^(a )?\w+ (is|has no field) "):
        from_json(kind, {name: [{"?": None}]})


def test_a_digest_does_not_see_the_order_of_keys() -> None:
    assert digest({"b": 1, "a": [1, 2]}) == digest({"a": [1, 2], "b": 1}) == "3813f9409eb0095b"
    assert digest([1, 2]) != digest([2, 1])


def test_a_text_that_is_written_already_has_the_digest_of_its_value() -> None:
    assert digest_of_text('{"a": [1, 2], "b": "é"}') == digest({"b": "é", "a": [1, 2]})


def test_generated_tokens_are_the_models_own_and_the_response_holds_observations_too() -> None:
    first = Turn(reply=Reply(text="a", context_ids=(1, 2, 3), token_ids=(4, 5)), action="a", observation="b")
    second = Turn(reply=Reply(text="c", context_ids=(6,), token_ids=(7, 8, 9)), action="c", observation="d")
    trajectory = make_trajectory(turns=(first, second), ending=Ending.SOLVED)
    assert trajectory.generated_tokens == 5
    assert trajectory.response_length == 6, "the prompt's three ids are no part of the response"
    assert trajectory.success
    assert not replace(trajectory, ending=Ending.OUT_OF_TURNS).success


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"colour": "red"}, "Task has no field 'colour' (it has: env, split, id, difficulty, world)"),
        ({"id": 3}, "id is of type str, not 3"),
        ({"world": ["door"]}, "world is an object, not ['door']"),
    ],
)
def test_a_file_that_holds_something_else_is_refused_by_the_fields_name(change: dict[str, Any], told: str) -> None:
    with pytest.raises(BadCall) as caught:
        from_json(Task, to_json(TASK) | change)
    assert str(caught.value) == told


def test_a_missing_field_is_refused_by_its_name() -> None:
    with pytest.raises(BadCall, match="'env'"):
        from_json(Task, {key: value for key, value in to_json(TASK).items() if key != "env"})


def test_an_ending_that_there_is_not_is_refused() -> None:
    with pytest.raises(BadCall, match=r"ending is not .* \(choose from: solved, failed"):
        from_json(Step, {"observation": "", "ending": "won"})


def test_what_is_no_object_is_no_record() -> None:
    with pytest.raises(BadCall, match="a Task is an object, not list"):
        from_json(Task, [])
    with pytest.raises(BadCall, match="turns is a list, not 'x'"):
        from_json(Trajectory, {"turns": "x"})


def test_rows_and_turns_from_before_refusals_were_counted_are_read_and_stay_as_they_are() -> None:
    old = to_json(make_row(invalid_actions=None))
    assert "invalid_actions" not in old
    assert from_json(Row, old).invalid_actions is None
    assert to_json(make_row(invalid_actions=0))["invalid_actions"] == 0
    turn = to_json(make_turn())
    assert "refused" not in turn
    assert from_json(Turn, turn).refused is None
    assert from_json(Turn, turn | {"refused": False}).refused is False
