"""The wording and the rules, in a kitchen of our own."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heldout.envs.alfworld.env import AlfWorld, OriginalAlfWorld
from heldout.envs.alfworld.grow import build_house
from heldout.envs.alfworld.house import Edition, Goal, House
from heldout.envs.alfworld.words import NOTHING_HAPPENS, available, format_move, read
from heldout.envs.alfworld.world import Move, RuleBroken, Verb, World
from heldout.envs.guard import Guarded
from heldout.errors import OriginalError
from heldout.records import Ending

WIN = (
    "go to countertop 1",
    "take mug 2 from countertop 1",
    "go to microwave 1",
    "heat mug 2 with microwave 1",
    "go to cabinet 1",
    "open cabinet 1",
    "put mug 2 in/on cabinet 1",
)

LAMP = """(and (exists (?ot - object) (and (objectType ?ot DeskLampType) (isToggled ?ot)))
    (exists (?o - object) (and (objectType ?o AppleType) (holds ?a ?o))))"""


UNFIT = "the mug 2 does not go in/on the sinkbasin 1"
OPENED = "You open the {0}. The {0} is open. In it, you see {1}."


def said(house: House, *actions: str, original: bool = False) -> str:
    """The answer to the last action."""
    env = OriginalAlfWorld(World(house, original=True)) if original else AlfWorld(World(house))
    return [env.start().observation, *(env.step(action).observation for action in actions)][-1]


def test_the_opening_is_the_room_the_goal_and_the_actions(kitchen: House) -> None:
    assert (
        said(kitchen)
        == said(kitchen, original=True)
        == (
            "You are in the middle of a room. Looking quickly around you, you see a cabinet 2, a cabinet 1, "
            "a countertop 1, a fridge 1, a microwave 1, and a sinkbasin 1.\n"
            "Your task is to: put a hot mug in cabinet.\n"
            "AVAILABLE ACTIONS: go to cabinet 1,go to cabinet 2,go to countertop 1,go to fridge 1,"
            "go to microwave 1,go to sinkbasin 1,inventory,look"
        )
    )


@pytest.mark.parametrize("original", [False, True])
@pytest.mark.parametrize(
    ("actions", "observation"),
    [
        (WIN[:1], "On the countertop 1, you see a apple 1, a desklamp 1, a knife 1, and a mug 2."),
        (WIN[:2], "You pick up the mug 2 from the countertop 1."),
        ((*WIN[:2], "inventory"), "You are carrying: a mug 2."),
        (("inventory",), "You are not carrying anything."),
        (WIN[:3], "The microwave 1 is closed."),
        (WIN[:4], "You heat the mug 2 using the microwave 1."),
        (("go to cabinet 1", "open cabinet 1"), OPENED.format("cabinet 1", "nothing")),
        (("go to cabinet 1", "open cabinet 2"), OPENED.format("cabinet 2", "a mug 1")),
        (("go to cabinet 1", "open cabinet 1", "close cabinet 1"), "You close the cabinet 1."),
        (("go to cabinet 1", "look"), "You are facing the cabinet 2, and cabinet 1. Next to it, you see nothing."),
        (("go to countertop 1", "use desklamp 1"), "You turn on the desklamp 1."),
        ((*WIN[:2], "examine mug 2"), "This is a normal mug 2. In it, you see nothing."),
        (
            ("go to countertop 1", "take apple 1 from countertop 1", "examine apple 1"),
            "There's nothing special about apple 1.",
        ),
        (
            ("go to countertop 1", "take apple 1 from countertop 1", "go to fridge 1", "cool apple 1 with fridge 1",
             "examine apple 1"),
            "This is a cold apple 1.",
        ),
        (
            ("go to countertop 1", "take knife 1 from countertop 1", "slice apple 1 with knife 1"),
            "You sliced the apple 1 with the knife 1.",
        ),
    ],
)  # fmt: skip
def test_what_is_done_is_told_in_the_original_s_words(
    kitchen: House, actions: tuple[str, ...], observation: str, original: bool
) -> None:
    assert said(kitchen, *actions, original=original) == observation


@pytest.mark.parametrize(
    ("actions", "reason"),
    [
        (("dance",), ""),
        (("go to moon 1",), ""),
        (("open cabinet 1",), "you are not at the cabinet 1"),
        (("go to fridge 1", "take mug 1 from fridge 1"), "the fridge 1 is closed"),
        (("go to countertop 1", "take mug 1 from countertop 1"), "that is not in/on the countertop 1"),
        (("go to countertop 1", "take desklamp 1 from countertop 1"), "the desklamp 1 cannot be carried"),
        ((*WIN[:2], "take apple 1 from countertop 1"), "you already carry the mug 2"),
        (("go to countertop 1", "open countertop 1"), "the countertop 1 does not open or close"),
        (("go to fridge 1", "close fridge 1"), "the fridge 1 is closed"),
        (("go to fridge 1", "open fridge 1", "open fridge 1"), "the fridge 1 is open already"),
        (("examine mug 1",), "you do not carry that"),
        (
            (*WIN[:2], "go to sinkbasin 1", "put mug 2 in/on sinkbasin 1"),
            "the mug 2 does not go in/on the sinkbasin 1",
        ),
        (("go to countertop 1", "use mug 2"), "that cannot be done"),
    ],
)
def test_a_refusal_says_why_and_the_original_s_does_not(
    kitchen: House, actions: tuple[str, ...], reason: str
) -> None:
    assert said(kitchen, *actions, original=True) == NOTHING_HAPPENS
    assert said(kitchen, *actions) == (f"Nothing happens: {reason}." if reason else NOTHING_HAPPENS)


def test_a_hot_mug_in_the_cabinet_is_paid_once_and_ends_the_episode(kitchen: House) -> None:
    env = Guarded(AlfWorld(World(kitchen)))
    env.start()
    steps = [env.step(action) for action in WIN]
    assert [step.ending for step in steps] == [None] * 6 + [Ending.SOLVED]
    assert (sum(step.reward for step in steps), steps[-1].score) == (1.0, 1.0)
    with pytest.raises(RuntimeError, match="after the end"):
        env.step("look")


def test_the_original_ends_after_fifty_steps_and_then_answers_with_an_error(kitchen: House) -> None:
    env = OriginalAlfWorld(World(kitchen, original=True))
    env.start()
    steps = [env.step("think: where am I?") for _ in range(50)]
    assert {step.ending for step in steps[:-1]} == {None}
    assert (steps[-1].ending, steps[-1].reward, steps[-1].observation) == (
        Ending.OUT_OF_TURNS,
        0.0,
        NOTHING_HAPPENS,
    )
    with pytest.raises(OriginalError, match="The task with environment 0 has finished"):
        env.step("look")


def test_one_s_own_place_is_no_way_in_the_original_only(kitchen: House) -> None:
    actions = ("go to cabinet 1", "go to cabinet 2")
    assert said(kitchen, *actions, original=True) == NOTHING_HAPPENS
    assert said(kitchen, *actions) == "The cabinet 2 is closed."


def test_the_original_reads_an_action_to_the_letter(kitchen: House) -> None:
    assert said(kitchen, "  go to fridge 1\n", original=True) == "The fridge 1 is closed."
    for action in ("Go to fridge 1", "go to  fridge 1", "go to fridge 1 now"):
        assert said(kitchen, action, original=True) == NOTHING_HAPPENS
    assert said(kitchen, "Go  to fridge 1") == "The fridge 1 is closed."


def test_oddities_of_the_original_s_looking_are_not_ours(kitchen: House) -> None:
    assert said(kitchen, "look", original=True).endswith("you see nothing.")
    assert said(kitchen, "look").endswith("and a sinkbasin 1.")
    taken = ("go to cabinet 2", "open cabinet 2", "take mug 1 from cabinet 2")
    beside = (*taken, "open cabinet 1", "put mug 1 in/on cabinet 1", "look")
    facing = "You are facing the cabinet 2, and cabinet 1. Next to it, you see "
    assert said(kitchen, *beside, original=True) == facing + "a mug 1."
    assert said(kitchen, *beside) == facing + "nothing."
    hot = (*WIN[:4], "examine mug 2")
    assert said(kitchen, *hot, original=True) == "This is a normal mug 2. In it, you see nothing."
    assert said(kitchen, *hot) == "This is a hot mug 2. In it, you see nothing."


def test_heat_drives_out_cold_and_what_is_clean_stays_clean(kitchen: House) -> None:
    taken = ("go to countertop 1", "take apple 1 from countertop 1")
    cleaned = (*taken, "go to sinkbasin 1", "clean apple 1 with sinkbasin 1")
    cooled = (*cleaned, "go to fridge 1", "cool apple 1 with fridge 1")
    heated = (*cooled, "go to microwave 1", "heat apple 1 with microwave 1")
    assert said(kitchen, *cooled, "examine apple 1") == "This is a cool and clean apple 1."
    assert said(kitchen, *heated, "examine apple 1") == "This is a hot and clean apple 1."


def test_to_look_at_a_thing_it_is_held_where_a_lamp_is_on(kitchen_for: Callable[..., House]) -> None:
    env = AlfWorld(World(kitchen_for(LAMP)))
    env.start()
    steps = [env.step(each) for each in ("go to countertop 1", "use desklamp 1", "take apple 1 from countertop 1")]
    assert [step.ending for step in steps] == [None, None, Ending.SOLVED]


def test_the_later_edition_moves_arrives_and_helps(kitchen_for: Callable[..., House]) -> None:
    later = kitchen_for(edition=Edition(moves=True, arrives=True, helps=True))
    assert said(later, "go to fridge 1", original=True) == "You arrive at fridge 1. The fridge 1 is closed."
    moved = (*WIN[:2], "move mug 2 to countertop 1")
    assert said(later, *moved, original=True) == "You move the mug 2 to the countertop 1."
    assert said(later, *WIN[:2], "put mug 2 in/on countertop 1", original=True) == NOTHING_HAPPENS
    assert said(later, "help").startswith("Available commands:\n  look: ")


def test_editions_may_open_blindly_one_at_a_time(kitchen_for: Callable[..., House]) -> None:
    old = kitchen_for(edition=Edition(opens_blindly=True, one_open=True, lamps_by_place=True))
    assert said(old, "go to cabinet 1", "open cabinet 1") == "You open the cabinet 1."
    both = ("go to cabinet 1", "open cabinet 1", "open cabinet 2")
    assert said(old, *both) == "Nothing happens: the cabinet 1 is still open."
    assert said(old, "go to countertop 1", "use desklamp 1") == "You turn on the desklamp 1."


def test_what_lies_in_two_receptacles_is_taken_out_of_both() -> None:
    house = build_house({"shelf 1": ["pen 1"], "drawer 1": ["pen 1"]}, Goal(thing="pen", home="desk"), "")
    left = {}
    for original in (False, True):
        world = World(house, original=original)
        world.act(Move(Verb.GO, "shelf 1"))
        world.act(Move(Verb.TAKE, "pen 1", "shelf 1"))
        left[original] = [thing.name for thing in world.inside["drawer 1"]]
    assert left == {False: [], True: ["pen 1"]}


@settings(max_examples=15)
@given(choices=st.lists(st.integers(0, 99), max_size=10), original=st.booleans())
def test_what_is_listed_is_what_can_be_done(choices: list[int], original: bool) -> None:
    inside = {"fridge 1": ["apple 1", "mug 1"], "cabinet 1": ["mug 2"], "countertop 1": ["knife 1", "bread 1"]}
    world = World(
        build_house(inside | {"sinkbasin 1": []}, Goal(thing="mug", home="cabinet"), ""), original=original
    )
    for choice in choices:
        offered = available(world)
        moves = [read(action) for action in offered]
        assert [move and format_move(move) for move in moves] == offered
        for verb in (Verb.TAKE, Verb.PUT, Verb.OPEN, Verb.CLOSE, Verb.CLEAN, Verb.COOL, Verb.SLICE, Verb.GO):
            for name in (*world.house.things, *world.house.receptacles):
                check_refused(world, Move(verb, name), moves)
        move = moves[choice % len(moves)]
        assert move is not None
        world.act(move)


def check_refused(world: World, move: Move, moves: list[Move | None]) -> None:
    """A move that is not listed is refused, and leaves all as it was."""
    for other in ("", *world.house.receptacles, *world.house.things):
        whole = move._replace(other=other)
        if whole not in moves and not (other and move.verb in (Verb.GO, Verb.OPEN, Verb.CLOSE)):
            before = world.digest
            with pytest.raises(RuleBroken):
                world.act(whole)
            assert world.digest == before
