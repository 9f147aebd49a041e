"""ALFWorld's tasks: generated households without end, in pools that share no goal, or the released games."""

from collections.abc import Callable, Sequence
from functools import cache, partial
from itertools import count
from pathlib import Path

from heldout.envs.alfworld.games import games, house, listed
from heldout.envs.alfworld.grow import SHAPES, built, goals, grow, sentence
from heldout.envs.alfworld.house import Goal, House
from heldout.envs.alfworld.players import turns
from heldout.envs.alfworld.world import World
from heldout.errors import unknown
from heldout.records import Task, from_json, to_json
from heldout.seeds import derive, stream

POOLS = {"test": range(200), "train": range(1_000, 2_000), "demonstrations": range(10_000, 30_000)}
"""The numbers of the generated tasks in each pool."""

SHARES = ("test", "train", "demonstrations", "demonstrations")
"""How the goals are shared out."""

EASY_TURNS = {"pocket": 5, "standard": 5}
"""The most turns that the oracle takes in an easy task: true of about half of all households."""

MOST_TURNS = 20
"""Households that take the oracle longer are not used: K = 20 is what every evaluation allows (paper §3.2)."""

EASY_KINDS = ("pick_and_place_simple", "look_at_obj_in_light")
"""What the easy ones of the released games ask for: all that needs no more than to find one thing."""


def generated(pool: str, seed: int, profile: str) -> Sequence[Task]:
    """The tasks of one pool, easy and hard in turn; no goal of one pool is in another, whatever the seeds."""
    if pool not in POOLS:
        raise unknown("pool", pool, POOLS)
    return Lazy(partial(_grown, pool, seed=seed, profile=profile), POOLS[pool])
