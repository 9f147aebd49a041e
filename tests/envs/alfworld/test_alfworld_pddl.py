"""The released games' files as households."""

import json

import pytest

from heldout.envs.alfworld.games import game_in
from heldout.envs.alfworld.house import Edition, Goal, House, State
from heldout.envs.alfworld.pddl import edition_of, goal_of, house_of
from heldout.errors import BadCall

OPENED = """"OpenObject.feedback": [ { "rhs": "You open the {r.name}.@@" } ]"""
DOMAIN = """(:action OpenObject :precondition (and (openable ?r) @@) :effect (opened ?r))
(:action ToggleObject :precondition (and (toggleable ?o) (inReceptacle ?o ?r)) ; (objectAtLocation ?o ?l)
 :effect (isToggled ?o))"""


def test_of_one_kind_the_first_identifier_has_the_highest_number(kitchen: House) -> None:
    assert list(kitchen.receptacles) == [
        "cabinet 2",
        "cabinet 1",
        "countertop 1",
        "fridge 1",
        "microwave 1",
        "sinkbasin 1",
    ]
    assert [thing.name for thing in kitchen.inside["countertop 1"]] == ["apple 1", "desklamp 1", "knife 1", "mug 2"]


def test_what_things_can_become_and_where_they_go_is_read(kitchen: House) -> None:
    mug, lamp = kitchen.things["mug 1"], kitchen.things["desklamp 1"]
    assert (mug.kind, mug.portable, set(mug.becomes)) == ("mug", True, {State.CLEAN, State.HOT, State.COOL})
    assert (lamp.portable, set(lamp.becomes)) == (False, {State.ON})
    assert ("cabinet", "mug") in kitchen.fits
    assert ("fridge", "mug") not in kitchen.fits
    assert kitchen.receptacles["cabinet 1"].place == kitchen.receptacles["cabinet 2"].place


@pytest.mark.parametrize(
    ("text", "goal"),
    [
        (
            "(exists (?r - receptacle) (exists (?o - object) (and (inReceptacle ?o ?r) (objectType ?o PenType) "
            "(receptacleType ?r DeskType))))",
            Goal(thing="pen", home="desk"),
        ),
        (
            "(exists (?r - receptacle) (exists (?o1 - object) (and (objectType ?o1 PenType) "
            "(receptacleType ?r DeskType) (inReceptacle ?o1 ?r) (exists (?o2 - object) (and (not (= ?o1 ?o2)) "
            "(objectType ?o2 PenType) (receptacleType ?r DeskType) (inReceptacle ?o2 ?r))))))",
            Goal(thing="pen", home="desk", count=2),
        ),
        (
            "(and (exists (?ot - object ?r - receptacle) (and (objectType ?ot DeskLampType) (isToggled ?ot))) "
            "(exists (?o - object) (and (objectType ?o PenType) (holds ?a ?o))))",
            Goal(thing="pen", lamp="desklamp"),
        ),
        (
            "(and (exists (?o - object) (and (sliceable ?o) (isSliced ?o) (coolable ?o) (objectType ?o AppleType) "
            "(receptacleType ?r FridgeType) (isCool ?o))) (forall (?re - receptacle) (not (opened ?re))))",
            Goal(thing="apple", home="fridge", state=State.COOL, sliced=True, all_shut=True),
        ),
    ],
)
def test_goals_of_all_kinds_are_read(text: str, goal: Goal) -> None:
    assert goal_of(text) == goal


def test_what_is_no_problem_or_no_goal_is_refused() -> None:
    with pytest.raises(BadCall, match=r"a game's problem has \(:init"):
        house_of("(define)", "", Edition())
    with pytest.raises(BadCall, match="not a goal of one of the six kinds"):
        goal_of("(and (won))")


def test_an_edition_is_told_by_what_its_files_say() -> None:
    assert edition_of(DOMAIN, OPENED.replace("@@", " #examineReceptacle.feedback#")) == Edition()
    assert edition_of(DOMAIN, OPENED).opens_blindly
    assert edition_of(DOMAIN.replace("@@", "(forall (?re - receptacle) (not (opened ?re)))"), "").one_open
    assert edition_of(DOMAIN.replace("(inReceptacle ?o ?r)", "(objectAtLocation ?o ?l)"), "").lamps_by_place
    later = edition_of(DOMAIN + "(:action help", 'action help { "You arrive at {r.name}" "move {o} to {r}"')
    assert later == Edition(moves=True, arrives=True, helps=True)


def test_a_released_game_file_is_read() -> None:
    grammar = '"task": [ { "rhs": "Your task is to: look." } ]'
    game = game_in(
        json.dumps({"pddl_domain": DOMAIN, "grammar": grammar, "pddl_problem": "p", "solvable": True}), "g"
    )
    assert (game.sentence, game.solvable, game.edition) == ("Your task is to: look.", True, Edition())
    with pytest.raises(BadCall, match=r"g is no game\.tw-pddl"):
        game_in("[]", "g")
