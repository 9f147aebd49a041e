"""Who plays BabyAI by its words alone."""

import re
from collections.abc import Sequence
from random import Random

from heldout.envs.wording import listed_actions

_TERSE = re.compile(r"^Actions: (.*)$", re.MULTILINE)
_THING = re.compile(
    r"\b(?:red|green|blue|purple|yellow|grey) (?:(?:open|closed|locked) )?(?:ball|box|key|door|object) \d+"
)
_ABOUT_THINGS = ("go to", "pickup", "go through", "toggle and go through")
_ALONE = ("turn left", "turn right", "move forward", "drop", "toggle")


def guess(seen: Sequence[str], chance: Random) -> str:
    """Any of the actions that the observation lists; where it lists none, any about what was last seen or alone."""
    return chance.choice(listed_actions(seen[-1]) or _listed_tersely(seen[-1]) or _grammar(seen[-1]))


def _listed_tersely(text: str) -> list[str]:
    """`turn left, drop; go to or pickup: red ball 1, grey key 1` as the actions that it names."""
    found: list[str] = _TERSE.findall(text)
    if not found:
        return []
    alone, *groups = found[-1].split("; ")
    actions = alone.split(", ")
    for group in groups:
        verbs, _, things = group.partition(": ")
        actions += [f"{verb} {thing}" for verb in verbs.split(" or ") for thing in things.split(", ")]
    return actions


def _grammar(text: str) -> list[str]:
    things = dict.fromkeys(_THING.findall(text))
    return [*_ALONE, *(f"{verb} {thing}" for verb in _ABOUT_THINGS for thing in things)]
