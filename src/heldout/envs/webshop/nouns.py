"""The nouns of a product's title: by spaCy where it and a model are installed, else by rules of our own."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from typing import Any

try:
    import spacy
except ImportError:
    spacy = None

MODELS = ("en_core_web_lg", "en_core_web_md", "en_core_web_sm")
"""spaCy's for English, the original's first."""

Nouns = Callable[[str], tuple[str, ...]]
"""From a title to its nouns in lower case, each as often as it stands there."""


@dataclass(frozen=True, slots=True)
class Tagger:
    """Who tells nouns, by the name that rows have."""

    name: str
    nouns: Nouns


_CLOSED_WORDS = """
a about above after all an and any are as at be before below beneath between both but by can each either every
for from has have if in inside into is it its like made make more most near no non not of off on one onto or
other our out outside over per plus so such than that the their them these they this those through to two under
up upon us use used via vs was were when where which while will with within without you your three four five six
eight ten
"""
_CLOSED = frozenset(_CLOSED_WORDS.split())
"""Words that are never nouns."""

_ADJECTIVES = """
adjustable adult advanced african american ancient antique automatic available bare basic beautiful best big
black blue bold bright broad brown casual cheap chic chunky classic clean clear cold comfortable comfy compact
complete cool cordless cozy cute daily dark deep deluxe digital double dry easy elastic electric elegant
essential ethnic extra fast favorite fine firm flat flexible formal free french fresh full funny gentle giant
gift good gorgeous gray great green grey half handmade happy hard healthy heavy high hot huge ideal indoor inner
italian japanese junior kind large latest light little long loose lovely low lightweight luxury manual medium
mini modern multi narrow natural new nice northern old open orange organic original outdoor oval own padded
perfect personal pink plain plastic plush popular portable precise premium pretty professional pure purple quick
quiet rare raw ready real red regular retro rich round royal rustic safe sharp short silent simple single skinny
sleek slim small smart smooth soft solid sour spare special spicy square stainless standard stiff straight
strong sturdy stylish super sweet tall thick thin tight tiny top trendy true ultra unique universal upper usable
useful versatile vintage vivid warm waterproof wet white wide wild wireless wooden yellow young
"""
_DESCRIBING = frozenset(_ADJECTIVES.split())
"""Adjectives that titles are full of."""

_ENDINGS = ("able", "ible", "ful", "less", "ous", "ive", "ly", "proof", "ed", "est", "ish", "ical")
"""What adjectives, adverbs and participles end in."""

_EDGE = re.compile(r"^\W+|(?:['’]s)?\W*$")
_WITHIN = re.compile(r"(?<=[^\W\d_])[,–—-](?=[^\W\d_])|(?<=[^\W_])[:<>=/](?=[^\W\d_])|\s+")
"""What parts words, as spaCy parts them: `T-Shirt` is two, `Pocket(S` is one."""


def nouns_by_rule(title: str) -> tuple[str, ...]:
    """By rules: every word with a capital, but for the closed classes, and of the others what looks like a noun.

    spaCy too takes what has a capital in a title for a name, mostly. Nothing with a digit in front is a noun.
    """
    words = (_EDGE.sub("", word) for word in _WITHIN.split(title))
    return tuple(word.lower() for word in words if _is_noun(word))


def every_word(title: str) -> tuple[str, ...]:
    """Every word as if it were a noun: how recordings were made where no tagger was at hand."""
    return tuple(title.lower().split())


@cache
def tagger() -> Tagger:
    """spaCy with the best of its models that is installed, else our rules."""
    for name in MODELS if spacy else ():
        if spacy.util.is_package(name):
            model = spacy.load(name, exclude=["parser", "ner", "lemmatizer"])
            return Tagger(name, lru_cache(maxsize=1 << 12)(partial(_nouns_by_tagger, model)))
    return Tagger("rules", lru_cache(maxsize=1 << 12)(nouns_by_rule))


def _nouns_by_tagger(model: Any, title: str) -> tuple[str, ...]:
    return tuple(token.text.lower() for token in model(title) if token.pos_ in ("NOUN", "PROPN"))


def _is_noun(word: str) -> bool:
    small = word.lower()
    if not word or not word[0].isalpha() or small in _CLOSED:
        return False
    if word[0].isupper():
        return True
    return small not in _DESCRIBING and (len(word) < 6 or not small.endswith(_ENDINGS))
