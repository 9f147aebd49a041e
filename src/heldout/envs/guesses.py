"""What anybody may try who has only read the texts: for the player `random`, which is every table's floor."""

import re
from collections.abc import Callable, Mapping, Sequence
from random import Random

from heldout.envs.wording import listed_actions

Guess = Callable[[Sequence[str], Random], str]
"""An action drawn by someone who has read these texts: the opening message, then each observation."""

_SLOT = re.compile(r"\{[^{}]+\}|<[^<>/]+>")
_WORD = re.compile(r"[^\W_]+")


def guess_by_shapes(shapes: Sequence[str]) -> Guess:
    """Draws from the actions that the last text lists; where it lists none, a shape such as `open {colour} door`,
    each of its slots filled with a word of the last text."""

    def guess(seen: Sequence[str], chance: Random) -> str:
        if listed := listed_actions(seen[-1]):
            return chance.choice(listed)
        words = _WORD.findall(seen[-1]) or ["nothing"]
        return _SLOT.sub(lambda _: chance.choice(words), chance.choice(shapes))

    return guess


def fill(shape: str, chance: Random, words: Mapping[str, Sequence[str]]) -> str:
    """The shape with a word for each slot, of those that were seen for it; a slot that none were seen for stays."""
    return _SLOT.sub(lambda slot: chance.choice(words.get(slot[0][1:-1]) or [slot[0]]), shape)
