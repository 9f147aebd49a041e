"""Verbs and nouns under made-up names: a one-to-one map that a number names, and that is its own way back."""

import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from random import Random
from typing import final

from heldout.seeds import stream

DEMONSTRATED = range(1, 17)
"""The maps for demonstrations and training."""
HELD_OUT = range(17, 1 << 31)
"""The maps for tests alone."""

_WORD = re.compile(r"[^\W\d_]+")
_BEGINNINGS = tuple(first + vowel for first in "bdfgklmnprtvz" for vowel in "aiou")
_ENDINGS = tuple(beginning + last for beginning in _BEGINNINGS for last in "bgkmpvxz")


@final
class Renaming:
    """A map from some words to made-up ones, and from these to the words.

    Said twice a text is what it was, whatever it holds: a word and its name change places. So an agent that says
    the word itself has said the made-up one, which no environment understands.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names
        self._swapped = {**names, **{name: word for word, name in names.items()}}

    def __call__(self, text: str) -> str:
        """The text with the words and the names in each other's places, upper and lower case as they stood."""
        return _WORD.sub(self._of, text)

    def _of(self, found: re.Match[str]) -> str:
        said = found[0]
        other = self._swapped.get(said.lower()) if said.isascii() else None
        if other is None or said.islower():
            return other or said
        return other.upper() if said.isupper() else other.capitalize() if said == said.capitalize() else said


@lru_cache(maxsize=64)
def renaming(env: str, words: frozenset[str], number: int) -> Renaming:
    """The map of that number for an environment's words."""
    chance = stream(number, "words", env)
    made = _invent_words(len(words), words, chance)
    return Renaming(dict(zip(sorted(words), made, strict=True)))


def words_in(text: str) -> frozenset[str]:
    """The words of a text, in lower case."""
    return frozenset(word.lower() for word in _WORD.findall(text))


def _invent_words(count: int, taken: Collection[str], chance: Random) -> list[str]:
    """So many words of two or three syllables, none of them taken, none the beginning of another."""
    found, beginnings = list[str](), set[str]()
    while len(found) < count:
        syllables = [chance.choice(_BEGINNINGS) for _ in range(chance.choice((1, 1, 2)))]
        word = "".join([*syllables, chance.choice(_ENDINGS)])
        begins = {word[:length] for length in range(1, len(word) + 1)}
        if word in taken or word in beginnings or begins & set(found):
            continue
        found.append(word)
        beginnings |= begins
    return found
