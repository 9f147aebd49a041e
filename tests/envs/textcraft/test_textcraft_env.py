"""The wording, on a small tree with the original's ids."""

import pytest

from heldout.envs.guard import Guarded
from heldout.envs.textcraft.env import TextCraft
from heldout.envs.textcraft.recipes import NAMESPACE
from heldout.envs.textcraft.world import Book, Recipe, World
from heldout.errors import OriginalError
from heldout.records import Ending

RECIPES = (
    Recipe("oak planks", 4, (("oak logs", 1),), "planks"),
    Recipe("stick", 4, (("planks", 2),)),
    Recipe("dark oak sign", 3, (("dirt", 6), ("stick", 1))),
    Recipe("chest", 1, (("planks", 2), ("oak planks", 2))),
)
BOOK = Book(
    recipes=RECIPES,
    items=frozenset({"oak logs", "oak planks", "stick", "dark oak sign", "chest", "dirt"}),
    tags=frozenset({"planks"}),
    tag_of={"oak planks": "planks"},
)


def env(*, original: bool = False, namespace: str = NAMESPACE) -> TextCraft:
    started = TextCraft(World(BOOK, "dark oak sign", RECIPES, exact_original=original), namespace)
    started.start()
    return started


def said(*actions: str, original: bool = False) -> str:
    played = env(original=original)
    return [played.step(action).observation for action in actions][-1]


def test_the_opening_is_the_recipes_and_the_goal() -> None:
    opening = TextCraft(World(BOOK, "dark oak sign", RECIPES[:2])).start()
    assert opening.observation == (
        "Crafting commands:\ncraft 4 oak planks using 1 oak logs\ncraft 4 stick using 2 planks\n\n"
        "Goal: craft dark oak sign."
    )
    assert (opening.reward, opening.score, opening.ending) == (0.0, 0.0, None)


@pytest.mark.parametrize("original", [False, True])
@pytest.mark.parametrize(
    ("actions", "observation"),
    [
        (["inventory"], "Inventory: You are not carrying anything."),
        (["get 1 oak planks"], "Could not find oak planks"),
        (["get 2 dirt"], "Got 2 dirt"),
        (["get 002 dirt"], "Got 2 dirt"),
        (["get 2 dirt", "inventory"], "Inventory: [dirt] (2) "),
        (["get 2 dirt", "inventory please"], "Inventory: [dirt] (2) "),
        (["get 1 oak_logs"], "Got 1 oak_logs"),
        (["get 4 dirt\nand more"], "Got 4 dirt"),
        (["get 0 dirt"], "Got 0 dirt"),
        (["get 1 planks"], "Could not find planks"),
        (["get 1  dirt"], "Could not find  dirt"),
        (["craft 1 cake using 1 egg"], "Could not find enough items to craft minecraft:cake"),
        (["craft stick using oak logs"], "Wrong item format: oak logs"),
        (["craft 1 stick using 2 oak planks, "], "Wrong item format: "),
        (["get 1 oak logs", "craft 4 oak planks using 1 oak logs"], "Crafted 4 minecraft:oak_planks"),
        (["get 1 oak logs", "craft oak planks using 1 oak logs"], "Crafted 4 minecraft:oak_planks"),
        (["Get 1 dirt"], "Could not execute Get 1 dirt"),
        ([" inventory"], "Could not execute  inventory"),
        ([""], "Could not execute "),
    ],
)
def test_both_rule_sets_say_what_the_original_says(actions: list[str], observation: str, original: bool) -> None:
    assert said(*actions, original=original) == observation


@pytest.mark.parametrize(
    ("actions", "fixed", "original"),
    [
        (
            ["craft 4 planks using 1 oak logs"],
            "Could not find enough items to craft minecraft:planks",
            "Could not find enough items to craft None",
        ),
        (
            ["get 1 dirt", "craft 1 dirt using 1 dirt"],
            "No recipe makes minecraft:dirt of these items",
            "Could not find a valid recipe for "
            "ItemTagWithCount(item_tag=ItemTag(tag=None, item_id='minecraft:dirt'), count=1)",
        ),
        (
            ["get 1 dirt", "craft 2 planks using 1 dirt"],
            "No recipe makes minecraft:planks of these items",
            "Could not find a valid recipe for "
            "ItemTagWithCount(item_tag=ItemTag(tag='minecraft:planks', item_id=None), count=2)",
        ),
        (["get 0 dirt", "inventory"], "Inventory: You are not carrying anything.", "Inventory: [dirt] (0) "),
    ],
)
def test_what_the_fixed_rules_say_otherwise(actions: list[str], fixed: str, original: str) -> None:
    assert said(*actions) == fixed
    assert said(*actions, original=True) == original


TO_THE_GOAL = (
    "get 1 oak logs",
    "get 6 dirt",
    "craft 4 oak planks using 1 oak logs",
    "craft 4 stick using 2 oak planks",
    "craft 3 dark oak sign using 6 dirt, 1 stick",
)


def test_the_goal_pays_once_and_ends_the_episode() -> None:
    played = Guarded(TextCraft(World(BOOK, "dark oak sign", RECIPES), NAMESPACE))
    played.start()
    steps = [played.step(action) for action in TO_THE_GOAL]
    assert [step.reward for step in steps] == [0.0, 0.0, 0.0, 0.0, 1.0]
    assert (steps[-1].observation, steps[-1].score) == ("Crafted 3 minecraft:dark_oak_sign", 1.0)
    assert [step.ending for step in steps] == [None, None, None, None, Ending.SOLVED]
    with pytest.raises(RuntimeError, match="after the end"):
        played.step("inventory")


def test_the_original_goes_on_after_the_goal_and_pays_again() -> None:
    played = env(original=True)
    for action in TO_THE_GOAL:
        played.step(action)
    going_on = [played.step(action) for action in ("inventory", "get 6 dirt", TO_THE_GOAL[-1])]
    assert [step.reward for step in going_on] == [0.0, 0.0, 1.0]
    assert [step.score for step in going_on] == [1.0, 1.0, 1.0]
    assert [step.ending for step in going_on] == [None, None, Ending.SOLVED]


def test_the_originals_failures_are_its_error_replies() -> None:
    played = env(original=True)
    for action in ("get 1 oak logs", "craft oak planks using 1 oak logs", "craft stick using 2 oak planks"):
        played.step(action)
    with pytest.raises(OriginalError, match=r"^'minecraft:oak_planks'$"):
        played.step("craft chest using 2 oak planks, 2 oak planks")


def test_a_number_too_long_to_read_is_an_error_of_the_originals_only() -> None:
    action = f"get {'9' * 5000} dirt"
    assert said(action) == f"Could not execute {action}"
    with pytest.raises(OriginalError, match="Exceeds the limit"):
        said(action, original=True)


def test_items_without_ids_are_named_as_they_are() -> None:
    played = env(namespace="")
    played.step("get 1 oak logs")
    assert played.step("craft 4 oak planks using 1 oak logs").observation == "Crafted 4 oak planks"


def test_a_step_before_the_start_is_the_callers_mistake() -> None:
    with pytest.raises(RuntimeError, match="before start"):
        Guarded(TextCraft(World(BOOK, "stick", RECIPES))).step("inventory")
