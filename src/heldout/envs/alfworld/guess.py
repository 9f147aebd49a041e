"""Who plays ALFWorld by its words alone."""

import re
from collections.abc import Sequence
from random import Random

from heldout.envs.guesses import fill
from heldout.envs.wording import listed_actions

_NAME = re.compile(r"\b[a-z]+ \d+\b")
_LISTED = re.compile(r"^AVAILABLE ACTIONS: (.*)$", re.MULTILINE)

SHAPES = (
    "go to {receptacle}",
    "open {receptacle}",
    "close {receptacle}",
    "take {object} from {receptacle}",
    "put {object} in/on {receptacle}",
    "clean {object} with {receptacle}",
    "heat {object} with {receptacle}",
    "cool {object} with {receptacle}",
    "use {object}",
    "slice {object} with {object}",
    "examine {name}",
    "look",
    "inventory",
)


def guess(seen: Sequence[str], chance: Random) -> str:
    """Any of the actions that the text lists, as the opening does; later any shape of action, and in it any name
    that was seen: what the opening named is a receptacle, what came later an object."""
    found: list[str] = _LISTED.findall(seen[-1])
    if listed := listed_actions(seen[-1]) or (found[-1].split(",") if found else []):
        return chance.choice(listed)
    receptacles = list(dict.fromkeys(_NAME.findall(seen[0])))
    later = dict.fromkeys(name for text in seen[1:] for name in _NAME.findall(text))
    objects = [name for name in later if name not in receptacles]
    shapes = [shape for shape in SHAPES if objects or "{object}" not in shape]
    names = {"receptacle": receptacles, "object": objects, "name": [*receptacles, *objects]}
    return fill(chance.choice(shapes), chance, names)
