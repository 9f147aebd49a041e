"""Exact and lenient forms of actions, in each environment."""

import pytest

from heldout.config import Source, Variant
from heldout.envs.base import Env, Suite
from heldout.envs.loose import loose, nearest
from heldout.envs.registry import able, open_suite
from heldout.envs.variants import can_change
from heldout.records import Step

EACH = able(lambda suite: can_change(suite, "validation"))


def opened(name: str, validation: str) -> Suite:
    return open_suite(name, Source(variant=Variant(validation=validation)))


def begun(suite: Suite) -> Env:
    env = suite.open(suite.tasks("test")[0])
    env.start()
    return env


def said(name: str, validation: str, reply: str) -> Step:
    """The first answer of a task's world to a reply."""
    suite = opened(name, validation)
    return begun(suite).step(suite.read(reply))


def test_a_loose_text_can_mean_one_exact_action_alone() -> None:
    assert loose("Go to  the Red ball.") == "go to red ball"
    options = ["go to red ball 1", "go to blue ball 1", "go to blue ball 2"]
    assert nearest("Go to the red ball!", options) == "go to red ball 1"
    assert nearest("go to blue ball", options) == "go to blue ball"
    assert nearest("go to blue ball 2", options) == "go to blue ball 2"
    assert nearest("go to red ball 2", options) == "go to red ball 2"


def test_table_1_says_where_validation_is_strict_and_a_variant_changes_it() -> None:
    stands = {name: open_suite(name, Source()).variants.stands["validation"] for name in EACH}
    assert stands == {
        "textcraft": "strict",
        "babyai": "",
        "searchqa": "strict",
        "webshop": "",
        "alfworld": "strict",
    }
    assert [opened(name, "strict").traits.strict for name in EACH] == [True] * 5
    assert [opened(name, "lenient").traits.strict for name in EACH] == [False] * 5


@pytest.mark.parametrize("name", EACH)
@pytest.mark.parametrize("validation", ["strict", "lenient"])
def test_what_is_exact_is_heard_as_it_is(name: str, validation: str) -> None:
    suite, changed = open_suite(name, Source()), opened(name, validation)
    world = begun(suite).world
    for action in [suite.players.oracle(world), *suite.players.legal(world)[:8]]:
        answer = begun(changed).step(action)
        assert answer == begun(suite).step(action)
        assert not answer.refusal


LOOSE = {
    "textcraft": ("inventory", "Inventory."),
    "babyai": ("turn left", "Turn  left!"),
    "searchqa": ("<search>capital</search>", "<Search> capital </SEARCH>"),
    "webshop": ("search[blue cup]", 'Search: "blue cup"'),
    "alfworld": ("inventory", "Inventory."),
}


@pytest.mark.parametrize("name", EACH)
def test_what_can_only_mean_one_action_is_refused_where_validation_is_strict_and_heard_where_lenient(
    name: str,
) -> None:
    exact, other = LOOSE[name]
    replies = [exact, other] if name == "searchqa" else [f"Thought: so.\nAction: {each}" for each in LOOSE[name]]
    wanted = said(name, "lenient", replies[0])
    assert not wanted.refusal
    assert said(name, "lenient", replies[1]) == wanted
    if name != "alfworld":  # it is strict, letters apart
        assert said(name, "strict", replies[1]).refusal
    assert said(name, "strict", replies[0]) == wanted


@pytest.mark.parametrize(
    ("reply", "action"),
    [
        ("<think>x</think> <ANSWER>Rome", "<answer>Rome</answer>"),
        ("Action: search[who was born]", "<search>who was born</search>"),
        ("Answer: Rome", "<answer>Rome</answer>"),
        ("<search>a</search> and <answer>b</answer>", "<search>a</search>"),
        ("I do not know", ""),
        ("<think>Answer: Rome</think>", ""),
    ],
)
def test_searchqa_hears_blocks_that_were_meant(reply: str, action: str) -> None:
    assert opened("searchqa", "lenient").read(reply) == action


def test_alfworld_hears_other_words_for_putting_and_taking_and_a_name_without_its_number() -> None:
    suite = opened("alfworld", "lenient")
    env = begun(suite)
    going = next(action for action in suite.players.legal(env.world) if action.startswith("go to "))
    name = going.removeprefix("go to ")
    assert begun(suite).step(f"Go to the {name.title()}.") == begun(suite).step(going)
    assert begun(opened("alfworld", "strict")).step(f"go to the {name}").refusal


def test_webshop_clicks_what_a_button_is_called_if_letters_may_differ() -> None:
    def page(validation: str, click: str) -> Step:
        env = begun(opened("webshop", validation))
        env.step("search[cup]")
        return env.step(click)

    there = page("lenient", "click[back to search]")
    assert not there.refusal
    for click in ("Back to Search", "click: 'back to search'", "Click[ BACK TO SEARCH ]"):
        assert page("lenient", click) == there
        assert page("strict", click).refusal
    assert page("strict", "click[Back to Search]") == there
