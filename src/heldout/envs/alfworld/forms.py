"""Actions that are not in their exact form: which are heard where validation is lenient (docs/variants.md)."""

import re

from heldout.envs.alfworld.words import available
from heldout.envs.alfworld.world import World
from heldout.envs.loose import loose, nearest

_PUT = re.compile(r"(?:put|place|move|drop) (.+?) (?:in/on|inon|in|on|into|onto|inside|to) (.+)")
_TAKE = re.compile(r"(?:take|pick up|pickup|grab|get) (.+?) (?:from|out of|off) (.+)")


def loosened(world: World, action: str) -> str:
    """`Put the apple in the fridge.` is `put apple 1 in/on fridge 1` where there is one of each."""
    said = loose(action)
    if put := _PUT.fullmatch(said):
        joint = ("move", "to") if world.house.edition.moves else ("put", "in/on")
        said = f"{joint[0]} {put[1]} {joint[1]} {put[2]}"
    elif take := _TAKE.fullmatch(said):
        said = f"take {take[1]} from {take[2]}"
    return nearest(said, available(world))
