"""ALFWorld's generated tasks: households without end, in splits that share no goal."""

from collections.abc import Mapping, Sequence
from functools import cache

from heldout.envs.alfworld.grow import SHAPES, build_house, goals, grow
from heldout.envs.alfworld.house import Goal, House
from heldout.envs.alfworld.players import turns
from heldout.envs.alfworld.sentences import sentence
from heldout.envs.alfworld.world import World
from heldout.envs.lazy import Lazy, difficulty, numbers_of
from heldout.records import Json, Task, from_json, to_json
from heldout.seeds import derive, stream

SHARES = ("test", "train", "demonstrations", "demonstrations")
"""How the goals are shared out."""

EASY_TURNS = 5
"""The most turns that the oracle takes in an easy task: true of about half of all households."""

MOST_TURNS = 15
"""Households that take the oracle longer are not used: K = 20 is what every evaluation allows (paper §3.2), and
who does not see everything needs some of them to look around."""


def generated_tasks(split: str, seed: int, profile: str) -> Sequence[Task]:
    """The tasks of one split, easy and hard in turn; no goal of one split is in another, whatever the seeds."""
    return Lazy(lambda number: _task(split, number, seed, profile), numbers_of(split))


def open_task(task: Task) -> House:
    """The household of a generated task."""
    return _build(task.world)


@cache
def _task(split: str, number: int, seed: int, profile: str) -> Task:
    chance = stream(seed, "alfworld", profile, split, number)
    wanted = ("easy", "hard")[number % 2]
    taken = MOST_TURNS
    while taken >= MOST_TURNS or difficulty(taken, EASY_TURNS) != wanted:
        goal = chance.choice(chance.choice(_goals_of(split)))
        inside = grow(goal, SHAPES[profile], chance)
        world = {"goal": to_json(goal), "sentence": sentence(goal, chance.randrange(2)), "inside": inside}
        taken = turns(World(_build(world)), MOST_TURNS)
    return Task(env="alfworld", split=split, id=f"alfworld_{number}", difficulty=wanted, world=world)


@cache
def _goals_of(split: str) -> list[list[Goal]]:
    """The goals of a split, by their kind."""
    # A hash without the seed decides: demonstrations of one seed hold no goal that is tested under another.
    return [
        [goal for goal in found if SHARES[derive(0, "alfworld", kind, *_names_of(goal)) % len(SHARES)] == split]
        for kind, found in goals().items()
    ]


def _names_of(goal: Goal) -> tuple[str, str]:
    return goal.thing, goal.home or goal.lamp


def _build(world: Mapping[str, Json]) -> House:
    return build_house(world["inside"], from_json(Goal, world["goal"]), world["sentence"])
