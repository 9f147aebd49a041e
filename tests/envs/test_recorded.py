from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heldout.envs.dialogues import convert_dialogue
from heldout.envs.react import SEVERAL, plain_action
from heldout.envs.recorded import (
    Answer,
    Dialogue,
    RecordedEpisode,
    RecordedStep,
    dialogue_in,
    episode_in,
    is_dialogue,
    line_of,
)
from heldout.errors import BadCall
from heldout.records import Json

LINE = {
    "id": "doors-1",
    "env": "doors",
    "task": {"doors": 2},
    "kind": "expert",
    "start": "2 doors.",
    "steps": [
        {"action": "go", "observation": "Door 1.", "reward": 0.5, "score": 0.5, "done": False},
        {"action": "jump", "error": "no jumping"},
        {"action": "go"},
        {"action": "", "misread": "one at a time", "observation": "one at a time"},
    ],
}
FIGURES = st.none() | st.floats(allow_nan=False)
ANSWERS = st.builds(Answer, reward=FIGURES, score=FIGURES)
EPISODES = st.builds(
    RecordedEpisode,
    task=st.dictionaries(st.text(), st.integers(), max_size=3),
    steps=st.lists(st.builds(RecordedStep, answer=ANSWERS), max_size=3).map(tuple),
)
SCALARS = st.none() | st.booleans() | st.integers() | st.just(10**400) | st.text()
FIELDS = st.sampled_from(
    ["env", "task", "steps", "action", "reward", "item_id", "conversations", "role", "content"]
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(FIELDS, inner, max_size=4), max_leaves=12
)
SAID = ("Go to the end.", "OK.", "2 doors.", "Action: go", "Door 1.", "Action: go", "Door 2.")


def dialogue(*said: str, item: str = "doors_7", reward: float | None = None) -> Dialogue:
    roles = ("user", "assistant")
    messages = [{"role": roles[number % 2], "content": text} for number, text in enumerate(said)]
    return dialogue_in({"item_id": item, "conversations": messages, "reward": reward}, 3, "line 9")


def test_an_episode_is_read_from_its_line_and_written_as_it_was() -> None:
    episode = episode_in(LINE, "line 1")
    assert episode == RecordedEpisode(
        env="doors",
        id="doors-1",
        kind="expert",
        task={"doors": 2},
        start="2 doors.",
        steps=(
            RecordedStep(action="go", answer=Answer(observation="Door 1.", reward=0.5, score=0.5, done=False)),
            RecordedStep(action="jump", answer=Answer(error="no jumping")),
            RecordedStep(action="go"),
            RecordedStep(action="", answer=Answer(observation="one at a time"), misread="one at a time"),
        ),
    )
    assert line_of(episode) == LINE


@given(EPISODES)
def test_any_episode_is_read_back_from_its_line(episode: RecordedEpisode) -> None:
    assert episode_in(line_of(episode), "line 1") == episode


@given(JSON)
def test_any_line_is_an_episode_a_dialogue_or_refused(value: Json) -> None:
    with suppress(BadCall):
        if is_dialogue(value):
            assert dialogue_in(value, 7, "line 1").place == 7
        else:
            episode = episode_in(value, "line 1")
            assert episode_in(line_of(episode), "line 2") == episode


def test_only_the_environment_the_task_and_the_actions_have_to_be_there() -> None:
    episode = episode_in({"env": "doors", "task": {}, "steps": [{"action": "go"}], "more": 1}, "line 4")
    assert (episode.id, episode.kind, episode.start) == ("line 4", "", None)
    assert episode.steps == (RecordedStep(action="go"),)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"env": None}, "field 'env' is of type str, not None"),
        ({"task": "stick"}, "field 'task' is of type dict, not 'stick'"),
        ({"steps": {}}, r"field 'steps' is of type list, not {}"),
        ({"steps": [{}]}, r"step 1: no field 'action' \(there are: none\)"),
        ({"steps": [7]}, "step 1: an object with a field 'action' is wanted, not 7"),
        ({"steps": [{"action": "go"}, {"action": "go", "done": "yes"}]}, "step 2: done is of type bool, not 'yes'"),
        ({"start": 5}, "field 'start' is of type str, not 5"),
    ],
)
def test_a_line_that_is_no_episode_is_refused_by_its_field(change: Json, told: str) -> None:
    with pytest.raises(BadCall, match=told):
        episode_in(LINE | change, "line 1")


@pytest.mark.parametrize("missing", ["env", "task", "steps"])
def test_a_missing_field_is_named_with_those_that_are_there(missing: str) -> None:
    with pytest.raises(BadCall, match=rf"no field '{missing}' \(there are: id, "):
        episode_in({name: value for name, value in LINE.items() if name != missing}, "line 1")


def test_a_line_that_is_no_object_is_refused() -> None:
    with pytest.raises(BadCall, match=r"an object with a field 'steps' is wanted, not \[1\]"):
        episode_in([1], "line 1")


def test_answers_are_compared_as_far_as_they_were_recorded() -> None:
    ours = Answer(observation="Door 1.", reward=0.0, score=0.5, done=False)
    assert Answer().apart(ours) == ()
    assert Answer(observation="Door 1.", done=False).apart(ours) == ()
    assert Answer(observation="Door 2.", reward=0.5, score=0.5).apart(ours) == ("observation", "reward")
    assert Answer(error="no jumping").apart(ours) == ("error",)
    assert ours.apart(Answer(error="no jumping")) == ("error",)
    assert Answer(error="no jumping").apart(Answer(error="no jumping")) == ()


def test_a_dialogue_is_an_instruction_an_opening_and_turns() -> None:
    assert dialogue(*SAID, reward=1) == Dialogue(
        env="doors",
        item=7,
        place=3,
        id="doors_7 (line 9)",
        instruction="Go to the end.",
        opening="2 doors.",
        turns=(("Action: go", "Door 1."), ("Action: go", "Door 2.")),
        reward=1.0,
    )


def test_a_dialogue_may_end_with_a_reply() -> None:
    assert dialogue(*SAID[:-1]).turns[-1] == ("Action: go", None)
    assert dialogue(*SAID[:3]).turns == ()


@pytest.mark.parametrize(
    ("said", "item", "told"),
    [
        (SAID[:2], "doors_7", "doors_7 ends before"),
        (SAID, "doors", "an item_id is an environment and a number, such as babyai_7, not 'doors'"),
        (SAID, "doors_x", "not 'doors_x'"),
    ],
)
def test_what_is_no_dialogue_is_refused(said: tuple[str, ...], item: str, told: str) -> None:
    with pytest.raises(BadCall, match=told):
        dialogue(*said, item=item)


def test_the_roles_of_a_dialogue_take_turns() -> None:
    messages = [{"role": "system", "content": "Go to the end."}]
    with pytest.raises(BadCall, match="message 1 of the conversations is one with role 'user', not 'system'"):
        dialogue_in({"item_id": "doors_7", "conversations": messages}, 0, "line 1")


def test_a_dialogue_becomes_the_episode_that_its_client_played() -> None:
    logged = dialogue(
        *SAID[:3], "Action: go\nAction: go", SEVERAL, "Thought: on!\nAction: **go**", "Door 1.", reward=0.5
    )
    task: dict[str, Json] = {"doors": 2}
    episode = convert_dialogue(logged, task, plain_action, paid="score")
    assert (episode.env, episode.kind, episode.start) == ("doors", "dialogue", "2 doors.")
    assert episode.task == {"item": 7, "doors": 2}
    assert episode.steps == (
        RecordedStep(action="", answer=Answer(observation=SEVERAL), misread=SEVERAL),
        RecordedStep(action="go", answer=Answer(observation="Door 1.", score=0.5)),
    )
    paid = convert_dialogue(logged, task, plain_action, paid="reward").steps[-1].answer
    assert paid == Answer(observation="Door 1.", reward=0.5)


SHOPPED = {
    "id": "shop-1",
    "env": "shop",
    "task": {},
    "kind": "",
    "start": "Search",
    "start_available": ["search"],
    "steps": [
        {"action": "buy", "observation": "Bought.", "available": [], "purchase": {"asin": "B1", "price": 2.5}},
        {"action": "search", "error": "out", "available": ["buy"]},
    ],
}


def test_what_was_available_and_bought_is_read_and_written() -> None:
    episode = episode_in(SHOPPED, "line 1")
    assert (episode.available, episode.steps[0].answer.available) == (("search",), ())
    assert episode.steps[0].answer.purchase == {"asin": "B1", "price": 2.5}
    assert episode.steps[1].answer == Answer(error="out", available=("buy",))
    assert line_of(episode) == SHOPPED


def test_what_is_available_may_stand_in_an_object_as_webshop_s_server_has_it() -> None:
    told = {"has_search_bar": True, "clickables": ["search"]}
    step = {"action": "", "available": told}
    episode = episode_in(SHOPPED | {"start_available": told, "steps": [step]}, "line 1")
    assert episode.available == episode.steps[0].answer.available == ("search",)


@pytest.mark.parametrize("wrong", ["search", {"buttons": []}, [1], {"clickables": [None]}])
def test_what_is_no_list_of_actions_is_refused(wrong: Json) -> None:
    with pytest.raises(BadCall, match="what is available is a list of texts, not "):
        episode_in(SHOPPED | {"start_available": wrong}, "line 1")


def test_actions_and_purchases_are_compared_where_they_were_recorded() -> None:
    ours = Answer(observation="Bought.", available=("search", "buy"), purchase={"asin": "B1", "price": 2.5})
    assert Answer(observation="Bought.").apart(ours) == ()
    assert Answer(available=("buy", "search")).apart(ours) == ("available",)
    assert Answer(available=(), purchase={"asin": "B1", "price": 2.5}).apart(ours) == ("available",)
    assert Answer(purchase={"asin": "B1"}).apart(ours) == ("purchase",)
    assert Answer(available=()).apart(Answer(observation="Bought.")) == ("available",)
