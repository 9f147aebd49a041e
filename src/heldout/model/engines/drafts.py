"""Guesses of what comes next, from what followed the same few ids before; a wrong one costs only time."""

from collections.abc import Sequence
from typing import final

REACH = (6, 3)
"""How many ids a guess is made from: the longest that is known counts."""
LONGEST = 8
"""Ids guessed at once."""
MOST_KNOWN = 400_000
"""What is remembered; more is forgotten all at once."""


@final
class Drafts:
    """What followed each few ids when they were last seen, in any conversation of an engine.

    A follower that was wrong once is guessed again only after it has come again.
    """

    def __init__(self) -> None:
        self._followers = dict[tuple[int, ...], int]()
        """The id that followed; if another followed before it, its complement, which is no id."""

    def after(self, recent: Sequence[int], most: int) -> list[int]:
        """Up to so many ids that are likely to follow these."""
        ids, count = list(recent), len(recent)
        while len(ids) - count < min(most, LONGEST):
            known = (self._followers.get(tuple(ids[-reach:])) for reach in REACH)
            guess = next((each for each in known if each is not None), -1)
            if guess < 0:
                break
            ids.append(guess)
        return ids[count:]

    def note(self, recent: Sequence[int], token: int) -> None:
        """That id was sampled after these."""
        if len(self._followers) > MOST_KNOWN:
            self._followers.clear()
        for key in {tuple(recent[-reach:]) for reach in REACH}:
            known = self._followers.get(key, token)
            self._followers[key] = token if known in (token, ~token) else ~token

    def clear(self) -> None:
        """Nothing is known any more."""
        self._followers.clear()
