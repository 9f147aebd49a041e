"""The player `random` has only read the texts: what it may say, in each environment and its variants."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heldout.config import Limits, Source, Variant
from heldout.envs.alfworld.guess import guess as guess_alfworld
from heldout.envs.babyai.guess import guess as guess_babyai
from heldout.envs.base import Suite
from heldout.envs.guesses import Guess, guess_by_shapes
from heldout.envs.registry import BUILT_IN, open_suite
from heldout.envs.searchqa.guess import guess as guess_searchqa
from heldout.envs.textcraft.guess import guess as guess_textcraft
from heldout.envs.webshop.guess import guess as guess_webshop
from heldout.policies import unprivileged
from heldout.records import Trajectory
from heldout.rollout.episode import Assignment
from heldout.rollout.groups import play

RECIPES = (
    "Crafting commands:\n"
    "craft 3 coal planks using 1 salt ore\n"
    "craft 1 clay door using 2 planks, 1 salt ore\n\n"
    "Goal: craft clay door."
)


def drawn(guess: Guess, *seen: str, draws: int = 600) -> set[str]:
    """All that is drawn in many draws."""
    return {guess(seen, Random(seed)) for seed in range(draws)}


def test_textcraft_any_recipe_any_count_of_it_and_the_inventory() -> None:
    assert drawn(guess_textcraft, RECIPES) == {
        "get 3 coal planks",
        "get 1 salt ore",
        "get 1 clay door",
        "get 2 planks",
        "craft 3 coal planks using 1 salt ore",
        "craft 1 clay door using 2 planks, 1 salt ore",
        "craft 1 clay door using 2 coal planks, 1 salt ore",
        "inventory",
    }


def test_babyai_what_is_listed_in_any_of_its_forms() -> None:
    terse = "Goal: x.\nActions: turn left, drop; go to or pickup: red ball 1, grey key 2; go to: blue box 1"
    listed = {"turn left", "drop", "go to red ball 1", "pickup red ball 1", "go to grey key 2", "pickup grey key 2"}
    assert drawn(guess_babyai, terse) == {*listed, "go to blue box 1"}
    assert drawn(guess_babyai, 'You.\nAvailable actions: ["turn left", "go to red ball 1"]') == {
        "turn left",
        "go to red ball 1",
    }
    alone = {"turn left", "turn right", "move forward", "drop", "toggle"}
    about = {f"{verb} red open door 1" for verb in ("go to", "pickup", "go through", "toggle and go through")}
    assert drawn(guess_babyai, "You see a red open door 1 (2 ahead).") == alone | about


def test_alfworld_the_list_of_the_opening_then_any_shape_with_names_that_were_seen() -> None:
    opening = "You see a desk 1.\nYour task is to: look.\nAVAILABLE ACTIONS: go to desk 1,look"
    assert drawn(guess_alfworld, opening) == {"go to desk 1", "look"}
    said = drawn(guess_alfworld, opening, "On the desk 1, you see a mug 2.")
    assert {"take mug 2 from desk 1", "examine mug 2", "examine desk 1", "use mug 2", "inventory"} <= said
    assert not any("desk 1 from" in action or "{" in action for action in said)
    assert not any(action.startswith(("take", "use")) for action in drawn(guess_alfworld, opening, "Nothing."))


def test_webshop_a_search_for_words_of_the_instruction_and_clicks_on_what_the_page_shows() -> None:
    start = "WebShop [SEP] Instruction: [SEP] Find me red socks [SEP] Search"
    assert {"search[red]", "search[Find me red socks]"} <= drawn(guess_webshop, start)
    page = "Instruction: [SEP] Find me red socks [SEP] Back to Search [SEP] B12 [SEP] $8.0"
    assert drawn(guess_webshop, start, page) == {"click[Back to Search]", "click[B12]", "click[$8.0]"}


def test_searchqa_names_that_were_read_searched_for_or_answered() -> None:
    said = drawn(
        guess_searchqa,
        "Question: Who wrote Last Crown?",
        "<information>Doc 1(Title: Last Crown) Last Crown is a novel of 1790, author Ada Lamb.</information>",
    )
    names = ("Last Crown", "1790", "Ada Lamb")
    shapes = {f"<{tag}>{name}</{tag}>" for tag in ("search", "answer") for name in names}
    assert said == {*shapes, "<search>wrote Last Crown?</search>"}


def test_elsewhere_a_shape_of_action_with_words_of_the_last_text() -> None:
    guess = guess_by_shapes(("read note", "open {colour} door"))
    assert drawn(guess, "never", "A red door.") == {
        "read note",
        "open A door",
        "open red door",
        "open door door",
    }
    assert drawn(guess, 'No.\nAvailable actions: ["a", "b, c"]') == {"a", "b, c"}
    assert drawn(guess, "No.\nactions:\n  - a\n  - b c") == {"a", "b c"}


@pytest.mark.parametrize("env", BUILT_IN)
@given(texts=st.lists(st.text(max_size=60), min_size=1, max_size=3))
def test_whatever_was_read_something_is_said(env: str, texts: list[str]) -> None:
    suite = open_suite(env, Source())
    said = suite.guess_action(texts, Random(0))
    assert isinstance(said, str)
    assert said == suite.guess_action(texts, Random(0))


@pytest.mark.parametrize(
    ("name", "variant"),
    [
        ("babyai", Variant(words=17)),
        ("textcraft", Variant(actions="shown")),
        ("textcraft", Variant(actions="shown", words=17, observations="structured")),
        ("alfworld", Variant(actions="shown")),
    ],
)
def test_where_actions_are_listed_it_draws_among_them(name: str, variant: Variant) -> None:
    suite = open_suite(name, Source(variant=variant))
    for task in list(suite.tasks("train")[:4]):
        env = suite.open(task)
        opening = suite.opening(env.start().observation)
        assert drawn(suite.guess_action, opening, draws=50) <= set(suite.players.legal(env.world))


def floor(suite: Suite, difficulty: str, tasks: int) -> list[Trajectory]:
    """Random play of test tasks, as `heldout evaluate --model random` has it."""
    chosen = [task for task in suite.tasks("test") if task.difficulty == difficulty][:tasks]
    asked = [Assignment(task=task, attempt=k, seed=0, stream="floor") for task in chosen for k in range(8)]
    return list(play(unprivileged.random(lambda _: suite), asked, Limits(max_turns=20), lambda _: suite))


@pytest.mark.very_slow
@pytest.mark.parametrize("env", BUILT_IN)
def test_random_play_seldom_does_a_task_of_the_pocket_profile(env: str) -> None:
    suite = open_suite(env, Source())
    for difficulty, most in (("easy", 0.15), ("hard", 0.03)):
        played = floor(suite, difficulty, 100)
        assert sum(each.success for each in played) <= most * len(played)
