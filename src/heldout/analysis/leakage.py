"""What of some tasks stands among others: verbatim, and how near the nearest comes.

Similarity is Jaccard's of word pairs, the shingles of near-duplicate search (Broder, 1997): of all pairs of
neighbouring words in two texts the share that both have; a beginning and an end count as words. It needs no model,
sees the order of words, and is 1 for texts of the same pairs and 0 for texts that share none. Pairs and not longer
runs, since there are instructions of two words.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from operator import attrgetter
from typing import final

import numpy as np

from heldout.analysis.crossed import Floats

COMPARED = (("test", "train"), ("test", "demonstrations"), ("train", "train"))
"""Whose tasks are looked for, and among which: training tasks among the others of their own split."""

Pair = tuple[str, str]
"""Two words that stand side by side."""

_WORD = re.compile(r"\w+")
_NOWHERE = np.array([], int)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What of a task is compared."""

    instruction: str
    """What is asked."""
    opening: str
    """The first observation, the instruction in it."""
    content: str
    """A digest of what the task is made of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearest:
    """How near the nearest text comes to each, from 0 to 1, over all tasks."""

    median: float
    ninth: float
    """What nine of ten tasks do not exceed."""
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What of the tasks of one split stands among those of another; None where there is nothing to compare."""

    of: str
    among: str
    tasks: int
    others: int
    """How many each task is compared with."""
    instruction: float | None = None
    """The per cent of the tasks whose instruction is that of one of them, sign for sign."""
    opening: float | None = None
    """The same of the opening."""
    content: float | None = None
    """The same of the content."""
    nearest_instruction: Nearest | None = None
    nearest_opening: Nearest | None = None


def leakage(splits: Mapping[str, Sequence[Opened]]) -> list[Shared]:
    """A line a comparison: test against train and demonstrations, and train against itself, each task left out."""
    return [_shared(of, among, splits) for of, among in COMPARED]


def _shared(of: str, among: str, splits: Mapping[str, Sequence[Opened]]) -> Shared:
    tasks, others, own = splits[of], splits[among], of == among
    counted = Shared(of=of, among=among, tasks=len(tasks), others=max(0, len(others) - own))
    if not counted.tasks or not counted.others:
        return counted
    instructions, openings, contents = (
        (list(map(attrgetter(part), tasks)), list(map(attrgetter(part), others)))
        for part in ("instruction", "opening", "content")
    )
    return replace(
        counted,
        instruction=share_verbatim(*instructions, own=own),
        opening=share_verbatim(*openings, own=own),
        content=share_verbatim(*contents, own=own),
        nearest_instruction=_spread(nearest(*instructions, own=own)),
        nearest_opening=_spread(nearest(*openings, own=own)),
    )


def share_verbatim(texts: Sequence[str], others: Sequence[str], *, own: bool = False) -> float:
    """The per cent of the texts that stand among the others; `own`: these are the texts, each apart from itself."""
    counts = Counter(others)
    return 100 * sum(counts[text] > own for text in texts) / len(texts)


def nearest(texts: Sequence[str], others: Sequence[str], *, own: bool = False) -> list[float]:
    """For each text the greatest similarity that one of the others has to it; `own` as in `share_verbatim`."""
    index = _Index(others)
    return [float(max(index.similarities(text, place if own else None))) for place, text in enumerate(texts)]


def pairs_of(text: str) -> frozenset[Pair]:
    """The neighbouring words of a text, in lower case; its beginning and its end count as words."""
    return frozenset(pairwise(["", *_WORD.findall(text.lower()), ""]))


@final
class _Index:
    """Texts by the pairs that they hold."""

    def __init__(self, texts: Sequence[str]) -> None:
        pairs = [pairs_of(text) for text in texts]
        places = defaultdict[Pair, list[int]](list)
        for place, each in enumerate(pairs):
            for pair in each:
                places[pair].append(place)
        self._places = {pair: np.array(there) for pair, there in places.items()}
        self._sizes = np.array([len(each) for each in pairs], float)

    def similarities(self, text: str, left_out: int | None) -> Floats:
        """That of each of the texts, but of the one in the place that is left out."""
        pairs = pairs_of(text)
        held = [self._places[pair] for pair in pairs if pair in self._places]
        both = np.bincount(np.concatenate([*held, _NOWHERE]), minlength=len(self._sizes))
        either = self._sizes + len(pairs) - both
        found: Floats = both / either
        return found if left_out is None else np.delete(found, left_out)


def _spread(similarities: Sequence[float]) -> Nearest:
    median, ninth = np.quantile(similarities, (0.5, 0.9))
    return Nearest(median=float(median), ninth=float(ninth), most=max(similarities))
