import pytest

from heldout.envs.textcraft.world import Book, NoRecipe, NotEnough, NotFound, Recipe, World, reachable
from heldout.records import digest

OAK = Recipe("oak planks", 4, (("oak logs", 1),), "planks")
BIRCH = Recipe("birch planks", 4, (("birch logs", 1),), "planks")
STICK = Recipe("stick", 4, (("planks", 2),))
SIGN = Recipe("oak sign", 3, (("oak planks", 6), ("stick", 1)))
CHEST = Recipe("chest", 1, (("planks", 2), ("oak planks", 2)))
RECIPES = (OAK, BIRCH, STICK, SIGN, CHEST)
BOOK = Book(
    recipes=RECIPES,
    items=frozenset({"oak logs", "birch logs", "oak planks", "birch planks", "stick", "oak sign", "chest", "dirt"}),
    tags=frozenset({"planks"}),
    tag_of={"oak planks": "planks", "birch planks": "planks"},
)


def world(*items: tuple[str, int], original: bool = False) -> World:
    return World(BOOK, "oak sign", RECIPES, items, exact_original=original)


def test_base_items_can_be_got_in_any_number() -> None:
    assert world().get("dirt", 2).get("dirt", 40).items == (("dirt", 42),)


@pytest.mark.parametrize("name", ["oak planks", "planks", "unobtainium", ""])
def test_what_is_crafted_a_tag_or_unknown_cannot_be_got(name: str) -> None:
    with pytest.raises(NotFound):
        world().get(name, 1)


def test_a_craft_uses_its_inputs_and_adds_what_it_makes() -> None:
    after, recipe = world(("oak logs", 2)).craft("oak planks", [("oak logs", 1)])
    assert after.items == (("oak logs", 1), ("oak planks", 4))
    assert recipe == OAK


def test_used_up_items_leave_the_inventory_and_come_back_last() -> None:
    after, _ = world(("oak logs", 1), ("dirt", 1)).craft("oak planks", [("oak logs", 1)])
    assert after.get("oak logs", 1).items == (("dirt", 1), ("oak planks", 4), ("oak logs", 1))


@pytest.mark.parametrize("kind", ["oak planks", "birch planks"])
def test_a_tag_is_met_by_any_one_kind(kind: str) -> None:
    assert world((kind, 2)).craft("stick", [(kind, 2)])[0].items == (("stick", 4),)


def test_a_tag_is_not_met_by_two_kinds_together() -> None:
    with pytest.raises(NoRecipe):
        world(("oak planks", 1), ("birch planks", 1)).craft("stick", [("oak planks", 1), ("birch planks", 1)])


def test_a_tag_itself_is_nothing_to_use() -> None:
    with pytest.raises(NotEnough):
        world(("oak planks", 9)).craft("stick", [("planks", 2)])


@pytest.mark.parametrize("inputs", [[("oak planks", 4)], [("oak planks", 2), ("dirt", 1)], []])
def test_counts_are_exact_and_nothing_is_left_over(inputs: list[tuple[str, int]]) -> None:
    with pytest.raises(NoRecipe):
        world(("oak planks", 9), ("dirt", 1)).craft("stick", inputs)


def test_enough_is_looked_at_before_the_recipe() -> None:
    with pytest.raises(NotEnough):
        world().craft("cake", [("egg", 1)])


def test_inputs_named_twice_count_together() -> None:
    twice = [("oak planks", 2), ("oak planks", 2)]
    with pytest.raises(NotEnough):
        world(("oak planks", 3)).craft("chest", twice)
    assert world(("oak planks", 5)).craft("chest", twice)[0].items == (("oak planks", 1), ("chest", 1))


def test_the_original_looks_at_each_input_by_itself_and_breaks() -> None:
    twice = [("oak planks", 2), ("oak planks", 2)]
    with pytest.raises(KeyError, match="oak planks"):
        world(("oak planks", 2), original=True).craft("chest", twice)


def test_getting_none_leaves_a_trace_in_the_original_only() -> None:
    assert world().get("dirt", 0).items == ()
    assert world(original=True).get("dirt", 0).items == (("dirt", 0),)


def test_the_digest_is_of_what_is_carried_in_any_order() -> None:
    assert world(("dirt", 1), ("stick", 2)).digest == world(("stick", 2), ("dirt", 1)).digest
    assert world(("dirt", 1)).digest != world(("dirt", 2)).digest
    assert world(("stick", 2), ("dirt", 1)).digest == digest([["dirt", 1], ["stick", 2]])


def test_what_serves_a_goal_is_reached_through_tags() -> None:
    assert set(reachable(BOOK, "stick")) == {STICK, OAK, BIRCH}
    assert set(reachable(BOOK, "oak planks")) == {OAK}
