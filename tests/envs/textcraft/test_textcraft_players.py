import pytest

from heldout.config import Source
from heldout.envs.textcraft import suite
from heldout.envs.textcraft.language import recipe
from heldout.envs.textcraft.players import legal, mistakes, oracle, thought, turns
from heldout.envs.textcraft.tasks import world_of_tree
from heldout.envs.textcraft.world import Recipe, World

BOAT = recipe("craft 1 oak boat using 3 planks, 1 iron rod")
OAK = recipe("craft 2 oak planks using 1 oak log", "planks")
ELM = recipe("craft 9 elm planks using 5 elm log", "planks")
ROD = recipe("craft 1 iron rod using 4 iron ore")
BELL = recipe("craft 2 iron bell using 3 iron ore, 1 tin ore")


def world(*items: tuple[str, int], shown: tuple[Recipe, ...] = (BOAT, OAK, ROD, BELL)) -> World:
    made = world_of_tree("oak boat", shown)
    return World(made.book, made.goal, made.shown, items)


def test_the_oracle_gets_for_all_crafts_and_then_crafts() -> None:
    assert oracle(world()) == "get 4 iron ore"
    assert oracle(world(("iron ore", 4))) == "craft iron rod using 4 iron ore"
    assert oracle(world(("iron rod", 1))) == "get 2 oak log"
    assert oracle(world(("iron rod", 1), ("oak log", 2))) == "craft oak planks using 1 oak log"
    assert oracle(world(("iron rod", 1), ("oak planks", 4))) == "craft oak boat using 3 oak planks, 1 iron rod"
    assert turns(world()) == 6


def test_the_oracle_makes_good_what_is_half_done() -> None:
    assert oracle(world(("iron ore", 1))) == "get 3 iron ore"
    assert oracle(world(("iron rod", 1), ("oak planks", 2))) == "get 1 oak log"
    assert oracle(world(("iron bell", 2), ("iron ore", 9), ("tin ore", 1))) == "craft iron rod using 4 iron ore"


def test_of_two_kinds_the_oracle_takes_the_one_that_is_there_else_the_quickest() -> None:
    both = (BOAT, OAK, ELM, ROD)
    assert oracle(world(("iron rod", 1), shown=both)) == "get 5 elm log"
    assert (
        oracle(world(("iron rod", 1), ("oak planks", 3), shown=both))
        == "craft oak boat using 3 oak planks, 1 iron rod"
    )


def test_legal_is_what_can_be_got_and_crafted_now() -> None:
    assert legal(world(("oak log", 1))) == [
        "get 1 oak log",
        "get 4 iron ore",
        "get 3 iron ore",
        "get 1 tin ore",
        "craft oak planks using 1 oak log",
        "inventory",
    ]


@pytest.mark.parametrize(
    ("items", "action", "words"),
    [
        ((), "get 4 iron ore", "oak boat using 3 planks, 1 iron rod; iron rod using 4 iron ore. I get."),
        (
            (("iron rod", 1),),
            "get 2 oak log",
            "oak boat using 3 planks, 1 iron rod; oak planks using 1 oak log 2 times. I get.",
        ),
        (
            (("iron ore", 4),),
            "craft iron rod using 4 iron ore",
            "oak boat using 3 planks, 1 iron rod; iron rod using 4 iron ore. I have all.",
        ),
        (
            (("iron rod", 1), ("oak planks", 3)),
            "craft oak boat using 3 oak planks, 1 iron rod",
            "oak boat using 3 planks, 1 iron rod. I have all.",
        ),
        ((), "get 1 tin ore", "I get 1 tin ore."),
        ((), "craft iron bell using 3 iron ore, 1 tin ore", "I try to craft iron bell."),
        ((), "inventory", "I look at what I carry."),
        ((), "craft 1 x using y", "I look at what I carry."),
    ],
)
def test_a_thought_says_what_the_action_is_for(items: tuple[tuple[str, int], ...], action: str, words: str) -> None:
    assert thought(world(*items), action) == words


def test_slips_are_wrong_counts_early_crafts_and_what_is_of_no_use() -> None:
    assert sorted(mistakes(world())) == [
        "craft iron bell using 3 iron ore, 1 tin ore",
        "craft iron rod using 4 iron ore",
        "craft oak boat using 3 planks, 1 iron rod",
        "craft oak planks using 1 oak log",
        "get 1 iron rod",
        "get 1 oak boat",
        "get 1 tin ore",
        "get 2 oak planks",
        "get 3 iron ore",
        "get 5 iron ore",
    ]


def test_thoughts_quote_one_recipe_a_level_and_little_else() -> None:
    textcraft = suite(Source())
    for task in textcraft.tasks("train")[:100]:
        world = textcraft.open(task).world
        longest = max(len(line.split()) for line in textcraft.open(task).start().observation.splitlines())
        for action in [*textcraft.players.legal(world), *textcraft.players.mistakes(world)]:
            words = textcraft.players.thought(world, action)
            assert len(words.split()) <= (words.count(";") + 1) * longest + 4
