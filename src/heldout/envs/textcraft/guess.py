"""Who plays TextCraft by its words alone."""

import re
from collections.abc import Iterator, Sequence
from random import Random

from heldout.envs.wording import listed_actions

_LINE = re.compile(r"^craft \d+ .+ using .+$", re.MULTILINE)
_COUNTED = re.compile(r"\d+ [^,\n]+?(?=, | using |$)", re.MULTILINE)


def guess(seen: Sequence[str], chance: Random) -> str:
    """Any of: each recipe as it is shown, each item gotten in each count that a recipe has of it, the inventory.

    An ingredient whose name is the end of others that are shown, such as `planks`, may stand for one of these.
    """
    if listed := listed_actions(seen[-1]):
        return chance.choice(listed)
    lines: list[str] = _LINE.findall(seen[0])
    stacks = dict.fromkeys(stack for line in lines for stack in _COUNTED.findall(line))
    action = chance.choice([*(f"get {stack}" for stack in stacks), *lines, "inventory"])
    output, using, inputs = action.partition(" using ")
    if not using:
        return action
    names = [stack.partition(" ")[2] for stack in stacks]
    return output + using + ", ".join(_specific(inputs.split(", "), names, chance))


def _specific(stacks: Sequence[str], names: Sequence[str], chance: Random) -> Iterator[str]:
    for stack in stacks:
        count, _, name = stack.partition(" ")
        kinds = [each for each in names if each.endswith(f" {name}")]
        yield f"{count} {chance.choice([name, *kinds])}"
