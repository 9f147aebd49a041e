"""BM25 over passages (Robertson and Zaragoza, 2009), in arrays smaller than the text."""

import re
from array import array
from collections import defaultdict
from collections.abc import Sequence
from itertools import count
from typing import final

import numpy as np
from numpy.typing import NDArray

from heldout.envs.searchqa.passages import Corpus, Passage

K1, B = 0.9, 0.4
"""Pyserini's defaults, which the original takes in its BM25 mode (spec §2.6)."""

_STOPPED = """a an and are as at be but by for if in into is it no not of on or such that the their then there these
they this to was will with"""
STOP_WORDS = frozenset(_STOPPED.split())
"""Lucene's for English: they tell no passage from another."""

_WORD = re.compile(r"\w+")
_AT_ONCE = 4096
"""Passages that are counted together while the index is built."""


@final
class Bm25:
    """The inverted index of a corpus, built whole; ties go to the earlier passage."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus
        self._terms, parts = _count_terms(corpus)
        terms, docs, counts = (np.concatenate([part[row] for part in parts]) for row in range(3))
        order = np.argsort(terms, kind="stable")
        terms, docs, counts = terms[order], docs[order], counts[order].astype(np.float32)
        found = np.bincount(terms, minlength=len(self._terms))
        self._begins = np.concatenate(([0], np.cumsum(found)))
        self._docs = docs
        lengths = np.bincount(docs, weights=counts, minlength=len(corpus))
        norms = K1 * (1 - B + B * lengths / max(lengths.mean(), 1.0))
        idf = np.log1p((len(corpus) - found + 0.5) / (found + 0.5))
        self._weights = (idf[terms] * counts / (counts + norms[docs])).astype(np.float32)

    def search(self, query: str, count: int) -> Sequence[Passage]:
        """The best so many passages that share a term with the query; fewer where there are no more."""
        scores = np.zeros(len(self._corpus))
        for term in terms_of(query):
            if (number := self._terms.get(term)) is not None:
                posted = slice(self._begins[number], self._begins[number + 1])
                scores[self._docs[posted]] += self._weights[posted]
        return [self._corpus[int(doc)] for doc in _best(scores, count)]


def terms_of(text: str) -> list[str]:
    """The terms of a text: lower case, no stop words, plural like singular."""
    return [_singular(word) for word in _WORD.findall(text.lower()) if word not in STOP_WORDS]


def _singular(word: str) -> str:
    """A word without its plural's ending, by Harman's three rules (1991)."""
    if word.endswith("ies") and not word.endswith(("eies", "aies")):
        return word[:-3] + "y"
    if word.endswith("es") and not word.endswith(("aes", "ees", "oes")):
        return word[:-1]
    if word.endswith("s") and not word.endswith(("us", "ss")):
        return word[:-1]
    return word


def _count_terms(corpus: Corpus) -> tuple[dict[str, int], list[tuple[NDArray[np.int32], ...]]]:
    """The number of each term, and in parts: term, passage, and how often the one stands in the other.

    Words are numbered as they are met, and become terms only in the end: a word is cut to its term once.
    """
    words: defaultdict[str, int] = defaultdict(count().__next__)
    parts = [_part(corpus, first, words) for first in range(0, len(corpus), _AT_ONCE)]
    terms = {"": 0}
    term_of = np.array(
        [0 if word in STOP_WORDS else terms.setdefault(_singular(word), len(terms)) for word in words], np.int32
    )
    return terms, [_merge(term_of[word], doc) for word, doc in parts]


def _part(corpus: Corpus, first: int, words: defaultdict[str, int]) -> tuple[NDArray[np.int32], ...]:
    """The words of some passages by number, and the passage of each."""
    numbers, lengths = array("i"), list[int]()
    last = min(first + _AT_ONCE, len(corpus))
    for place in range(first, last):
        found = _WORD.findall(corpus[place].contents.lower())
        numbers.extend(map(words.__getitem__, found))
        lengths.append(len(found))
    return np.array(numbers, np.int32), np.repeat(np.arange(first, last, dtype=np.int32), lengths)


def _merge(terms: NDArray[np.int32], docs: NDArray[np.int32]) -> tuple[NDArray[np.int32], ...]:
    """Each pair of term and passage once, with its count; stop words, term 0, are left out."""
    kept = terms > 0
    pairs = docs[kept].astype(np.int64) << 32 | terms[kept]
    unique, counts = np.unique(pairs, return_counts=True)
    return (unique & 0xFFFFFFFF).astype(np.int32), (unique >> 32).astype(np.int32), counts.astype(np.int32)


def _best(scores: NDArray[np.float64], count: int) -> NDArray[np.intp]:
    """The places of the highest scores above 0, in order."""
    found = np.flatnonzero(scores)
    if len(found) > count:
        least = np.partition(scores[found], -count)[-count]
        found = found[scores[found] >= least]
    return found[np.argsort(-scores[found], kind="stable")][:count]
