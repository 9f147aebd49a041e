"""Whether the published ids lead to worlds."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from heldout.data.check import Check, check_source
from heldout.data.folder import ids_path, published_numbers
from heldout.data.pools import Pools, check_pools
from heldout.envs.babyai.levels import PUBLISHED, place
from heldout.envs.babyai.world import World
from heldout.errors import BadCall


def checks(data: Path) -> Iterator[Check]:
    """The ids of both splits: each is of a published level, and its world is made."""
    for split in ("train", "test"):
        read = partial(published_numbers, data, "babyai", split)
        yield check_source(data, ids_path("babyai", split), "ids whose world is made", read, _can_be_made)
    yield from check_pools(data, "babyai", partial(_worlds, data))


def _worlds(data: Path) -> Pools:
    """The published worlds by their content: two seeds may make one grid."""
    return {
        split: [
            (f"babyai_{number}", World(*place(number)).content)
            for number in published_numbers(data, "babyai", split)
        ]
        for split in ("train", "test")
    }


def _can_be_made(number: int) -> bool:
    level, seed = place(number)
    if level not in PUBLISHED:
        raise BadCall(f"babyai_{number} is of level {level}, for which no tasks were published")
    return bool(World(level, seed).mission)
