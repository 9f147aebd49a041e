"""Actions that are not in their exact form: which are heard where validation is changed (docs/variants.md)."""

import re

from heldout.envs.loose import loose
from heldout.envs.webshop.pages import clickable, text
from heldout.envs.webshop.world import World

_SAID = re.compile(r"\s*(search|click)\b\s*(?:for\b|on\b)?\s*[\[(:]?(.*?)[\])]?\s*", re.IGNORECASE | re.DOTALL)
_QUOTES = " \t\"'`"


def is_exact(world: World, action: str) -> bool:
    """Whether an action is a search, or a click on what the page writes, letter by letter."""
    if action.startswith("click[") and action.endswith("]"):
        value = action.removeprefix("click[").removesuffix("]")
        return value in clickable(world) or value in text(world).split(" [SEP] ")
    return re.fullmatch(r"search\[.+\]", action) is not None


def loosened(world: World, action: str) -> str:
    """`Click: "Buy Now"`, and the button's name alone, are `click[buy now]`."""
    if is_exact(world, action):
        return action
    found = _SAID.fullmatch(action)
    if found is None:
        button = loose(action)
        return f"click[{button}]" if button in clickable(world) else action
    return f"{found[1].lower()}[{found[2].strip(_QUOTES)}]"
