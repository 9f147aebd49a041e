"""Who plays WebShop by its words alone."""

import re
from collections.abc import Sequence
from random import Random

from heldout.envs.wording import listed_actions

SEARCH = "search[<words>]"
LONGEST_QUERY = 4
"""Words."""

_SEPARATED = re.compile(r" \[SEP\] |\n")


def guess(seen: Sequence[str], chance: Random) -> str:
    """A search for a few words of the instruction where the page has a field, else a click on any of its parts."""
    goal, parts = _parts(seen[-1])
    listed = listed_actions(seen[-1])
    if "Search" in parts or SEARCH in listed:
        words = goal.split()
        first = chance.randrange(len(words))
        return f"search[{' '.join(words[first : first + chance.randint(1, LONGEST_QUERY)])}]"
    return chance.choice(listed or [f"click[{part}]" for part in parts] or [f"search[{goal}]"])


def _parts(page: str) -> tuple[str, list[str]]:
    """What is wanted, and the page's other parts."""
    _, _, rest = page.partition("Instruction:")
    goal, *parts = [part.strip() for part in _SEPARATED.split(rest) if part.strip()] or [page.strip() or "nothing"]
    return goal, parts
