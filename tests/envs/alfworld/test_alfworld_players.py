"""The oracle, its thoughts and its mistakes, in a kitchen of our own."""

from collections.abc import Callable

import pytest

from heldout.envs.alfworld.env import AlfWorld
from heldout.envs.alfworld.house import House
from heldout.envs.alfworld.players import oracle
from heldout.envs.alfworld.thoughts import mistakes, thought
from heldout.envs.alfworld.world import World
from heldout.records import Ending

SLICED = """(exists (?r - receptacle) (exists (?o - object) (and (sliceable ?o) (isSliced ?o) (coolable ?o)
    (objectType ?o AppleType) (receptacleType ?r CounterTopType) (isCool ?o) (inReceptacle ?o ?r))))"""
TWO = """(exists (?r - receptacle) (exists (?o1 - object) (and (objectType ?o1 MugType) (inReceptacle ?o1 ?r)
    (receptacleType ?r CounterTopType) (exists (?o2) (and (not (= ?o1 ?o2)) (objectType ?o2 MugType))))))"""
SHUT = """(and (exists (?r - receptacle) (exists (?o - object) (and (inReceptacle ?o ?r) (objectType ?o AppleType)
    (receptacleType ?r CabinetType)))) (forall (?re - receptacle) (not (opened ?re))))"""
NOWHERE = "(exists (?o) (and (objectType ?o PenType) (receptacleType ?r CabinetType) (inReceptacle ?o ?r)))"


def solution(house: House, *before: str) -> list[str]:
    """What the oracle does after some actions."""
    env = AlfWorld(World(house))
    step, done = env.start(), list[str]()
    for action in before:
        step = env.step(action)
    while step.ending is None and len(done) < 20:
        done.append(oracle(env.world))
        step = env.step(done[-1])
    assert step.ending is Ending.SOLVED
    return done


def test_the_oracle_fetches_heats_and_brings(kitchen: House) -> None:
    assert solution(kitchen) == [
        "go to countertop 1",
        "take mug 2 from countertop 1",
        "go to microwave 1",
        "heat mug 2 with microwave 1",
        "go to cabinet 2",
        "open cabinet 2",
        "put mug 2 in/on cabinet 2",
    ]


def test_the_oracle_cuts_then_lays_the_knife_down(kitchen_for: Callable[..., House]) -> None:
    assert solution(kitchen_for(SLICED)) == [
        "go to countertop 1",
        "take knife 1 from countertop 1",
        "slice apple 1 with knife 1",
        "put knife 1 in/on countertop 1",
        "take apple 1 from countertop 1",
        "go to fridge 1",
        "cool apple 1 with fridge 1",
        "go to countertop 1",
        "put apple 1 in/on countertop 1",
    ]


def test_the_oracle_brings_the_second_to_the_first(kitchen_for: Callable[..., House]) -> None:
    assert solution(kitchen_for(TWO)) == [
        "go to cabinet 2",
        "open cabinet 2",
        "take mug 1 from cabinet 2",
        "go to countertop 1",
        "put mug 1 in/on countertop 1",
    ]


def test_the_oracle_shuts_what_has_to_be_shut(kitchen_for: Callable[..., House]) -> None:
    assert solution(kitchen_for(SHUT))[-2:] == ["put apple 1 in/on cabinet 2", "close cabinet 2"]


def test_the_oracle_lets_go_of_what_it_does_not_need(kitchen: House) -> None:
    assert solution(kitchen, "go to countertop 1", "take apple 1 from countertop 1")[:2] == [
        "put apple 1 in/on countertop 1",
        "take mug 2 from countertop 1",
    ]


def test_where_no_way_leads_the_oracle_looks(kitchen_for: Callable[..., House]) -> None:
    assert oracle(World(kitchen_for(NOWHERE))) == "look"


@pytest.mark.parametrize(
    ("before", "tempting", "reason"),
    [
        ((), "take mug 2 from countertop 1", "I look for a mug at the countertop 1."),
        (
            ("go to countertop 1", "take mug 2 from countertop 1"),
            "put mug 2 in/on cabinet 2",
            "I have a mug, but it is not hot. I try the microwave 1.",
        ),
    ],
)
def test_the_first_slip_is_to_do_it_too_early(
    kitchen: House, before: tuple[str, ...], tempting: str, reason: str
) -> None:
    env = AlfWorld(World(kitchen))
    env.start()
    for action in before:
        env.step(action)
    assert mistakes(env.world)[0] == tempting
    assert env.step(tempting).observation.startswith("Nothing happens: you are not at the ")
    assert thought(env.world, oracle(env.world)) == reason
