"""BM25 as Lucene 8 computes it: single precision, lengths in one byte, ties by the product's number (spec §1.5)."""

from collections import Counter
from collections.abc import Sequence
from typing import final

import numpy as np
from numpy.typing import NDArray

from heldout.envs.webshop.analyzer import terms

K1, B = np.float32(0.9), np.float32(0.4)
"""Pyserini's defaults."""


@final
class Index:
    """Texts by their terms. What is found is the places of texts; of equal scores the lesser name comes first."""

    def __init__(self, texts: Sequence[str], names: Sequence[str]) -> None:
        counted = [Counter(terms(text)) for text in texts]
        lengths = [counts.total() for counts in counted]
        average = np.float32(sum(lengths) / max(sum(map(bool, lengths)), 1))
        kept = np.array([round_length(length) for length in lengths], np.float32)
        norms = (K1 * ((1 - B) + B * kept / max(average, np.float32(1)))).astype(np.float64)
        places: dict[str, list[tuple[int, int]]] = {}
        for place, counts in enumerate(counted):
            for term, count in counts.items():
                places.setdefault(term, []).append((place, count))
        self._posted = {term: _postings(found, norms) for term, found in places.items()}
        self._idf = {term: _idf(len(found), sum(map(bool, lengths))) for term, found in places.items()}
        self._size = len(texts)
        self._order = np.argsort(np.argsort(np.array(names)))

    def search(self, query: str, count: int) -> tuple[int, ...]:
        """The best so many texts that share a term with the query."""
        scores = self.scores(query)
        found = np.flatnonzero(scores)
        ranked = np.lexsort((self._order[found], -scores[found]))
        return tuple(found[ranked[:count]].tolist())

    def scores(self, query: str) -> NDArray[np.float32]:
        """What each text scores: a term that a query repeats counts as often."""
        scores = np.zeros(self._size)
        for term, times in Counter(terms(query)).items():
            if term in self._posted:
                found, shares = self._posted[term]
                scores[found] += np.float32(times) * self._idf[term] * shares
        return scores.astype(np.float32)


def round_length(length: int) -> int:
    """What is left of a length in Lucene's one byte: exact up to 39, then four significant bits."""
    if length < 40:
        return length
    bits = (length - 24).bit_length() - 4
    return 24 + ((length - 24) >> bits << bits)


def _postings(
    found: list[tuple[int, int]], norms: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """In which texts a term stands, and the part of its weight that it has there."""
    places = np.array([place for place, _ in found], np.intp)
    counts = np.array([count for _, count in found], np.float64)
    return places, (counts / (counts + norms[places])).astype(np.float32)


def _idf(found: int, size: int) -> np.float32:
    return np.float32(np.log(1 + (size - found + 0.5) / (found + 0.5)))
