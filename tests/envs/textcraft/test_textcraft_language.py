from hypothesis import given
from hypothesis import strategies as st

from heldout.envs.textcraft.language import Craft, Get, craft, line, read, recipe
from heldout.envs.textcraft.world import Recipe

NAMES = st.lists(st.sampled_from(["oak", "planks", "iron", "rod", "user", "in"]), min_size=1, max_size=3).map(
    " ".join
)
COUNTS = st.integers(1, 99)
STACKS = st.lists(st.tuples(NAMES, COUNTS), min_size=1, max_size=4).map(tuple)
RECIPES = st.builds(Recipe, output=NAMES, makes=COUNTS, needs=STACKS, group=st.just(""))


@given(RECIPES)
def test_a_recipe_is_read_back_from_its_line(shown: Recipe) -> None:
    assert recipe(line(shown)) == shown


@given(RECIPES, STACKS)
def test_a_craft_that_is_said_is_the_move_that_is_read(known: Recipe, inputs: tuple[tuple[str, int], ...]) -> None:
    assert read(craft(known, inputs)) == Craft(1, known.output, inputs)


@given(NAMES, COUNTS)
def test_low_lines_are_blanks_in_an_item_that_is_got(name: str, count: int) -> None:
    move = read(f"get {count} {name.replace(' ', '_')}")
    assert isinstance(move, Get)
    assert (move.count, move.name) == (count, name)
