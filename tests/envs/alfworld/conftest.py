"""A kitchen of our own, as the released games write theirs: small enough to know by heart."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from heldout.envs.alfworld.house import Edition, House
from heldout.envs.alfworld.pddl import house_of

GOAL = """(and (exists (?r - receptacle) (exists (?o - object) (and
    (heatable ?o) (objectType ?o MugType) (receptacleType ?r CabinetType) (isHot ?o) (inReceptacle ?o ?r)))))"""

KITCHEN = """
(define (problem plan_kitchen) (:domain alfred)
(:init
    (receptacleType Cabinet_bar_1 CabinetType) (receptacleType Cabinet_bar_2 CabinetType)
    (receptacleType CounterTop_bar_1 CounterTopType) (receptacleType Microwave_bar_1 MicrowaveType)
    (receptacleType Fridge_bar_1 FridgeType) (receptacleType Sink_bar_1_bar_SinkBasin SinkBasinType)
    (receptacleAtLocation Cabinet_bar_1 loc_bar_1) (receptacleAtLocation Cabinet_bar_2 loc_bar_1)
    (receptacleAtLocation CounterTop_bar_1 loc_bar_2) (receptacleAtLocation Microwave_bar_1 loc_bar_3)
    (receptacleAtLocation Fridge_bar_1 loc_bar_4) (receptacleAtLocation Sink_bar_1_bar_SinkBasin loc_bar_5)
    (openable Cabinet_bar_1) (openable Cabinet_bar_2) (openable Microwave_bar_1) (openable Fridge_bar_1)
    (atLocation agent1 loc_bar_9)
    (objectType Mug_bar_1 MugType) (objectType Mug_bar_2 MugType) (objectType Apple_bar_1 AppleType)
    (objectType Knife_bar_1 KnifeType) (objectType DeskLamp_bar_1 DeskLampType) (objectType Window_bar_1 WindowType)
    (pickupable Mug_bar_1) (pickupable Mug_bar_2) (pickupable Apple_bar_1) (pickupable Knife_bar_1)
    (isReceptacleObject Mug_bar_1) (isReceptacleObject Mug_bar_2)
    (heatable Mug_bar_1) (heatable Mug_bar_2) (heatable Apple_bar_1)
    (coolable Mug_bar_1) (coolable Mug_bar_2) (coolable Apple_bar_1)
    (cleanable Mug_bar_1) (cleanable Mug_bar_2) (cleanable Apple_bar_1) (cleanable Knife_bar_1)
    (sliceable Apple_bar_1) (toggleable DeskLamp_bar_1)
    (inReceptacle Mug_bar_1 CounterTop_bar_1) (inReceptacle Apple_bar_1 CounterTop_bar_1)
    (inReceptacle Knife_bar_1 CounterTop_bar_1) (inReceptacle DeskLamp_bar_1 CounterTop_bar_1)
    (inReceptacle Mug_bar_2 Cabinet_bar_1)
    (objectAtLocation Mug_bar_1 loc_bar_2) (objectAtLocation Apple_bar_1 loc_bar_2)
    (objectAtLocation Knife_bar_1 loc_bar_2) (objectAtLocation DeskLamp_bar_1 loc_bar_2)
    (objectAtLocation Mug_bar_2 loc_bar_1) (objectAtLocation Window_bar_1 loc_bar_7)
    (canContain CabinetType MugType) (canContain CounterTopType MugType) (canContain CounterTopType AppleType)
    (canContain MicrowaveType MugType) (canContain SinkBasinType KnifeType) (canContain CounterTopType KnifeType)
    (canContain CabinetType AppleType)
)
(:goal @@GOAL@@))
"""

SENTENCE = "Your task is to: put a hot mug in cabinet."


@pytest.fixture
def kitchen_for() -> Callable[..., House]:
    """Makes the kitchen for some goal: `kitchen_for(goal, edition)`."""

    def made(goal: str = GOAL, edition: Edition | None = None) -> House:
        return house_of(KITCHEN.replace("@@GOAL@@", goal), SENTENCE, edition or Edition())

    return made


@pytest.fixture
def kitchen(kitchen_for: Callable[..., House]) -> House:
    """A hot mug is wanted in a cabinet; the two cabinets share a place."""
    return kitchen_for()


@pytest.fixture
def released() -> str:
    """The kitchen as a released `game.tw-pddl`."""
    return json.dumps(
        {
            "pddl_domain": "(define (domain alfred))",
            "grammar": 'grammar :: """{"task": [{"rhs": "' + SENTENCE + '"}]}"""',
            "pddl_problem": KITCHEN.replace("@@GOAL@@", GOAL),
            "solvable": True,
        }
    )


@pytest.fixture
def data() -> Path:
    """The folder of the real task data; tests that need it are skipped without it."""
    if "HELDOUT_DATA" not in os.environ:
        pytest.skip("HELDOUT_DATA is not set")
    return Path(os.environ["HELDOUT_DATA"])
