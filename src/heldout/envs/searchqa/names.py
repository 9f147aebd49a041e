"""Invented names: two words each, of a small stock, so that many are alike; each belongs to one split."""

from functools import cache
from itertools import product

from heldout.seeds import derive

SPLITS = ("test", "train", "demonstrations")
SHARES = ("test", "train", "demonstrations", "demonstrations")
"""How the names are shared out."""

PERSON, TOWN, COUNTRY, WORK, EVENT = "person", "town", "country", "work", "event"


def _words(line: str) -> tuple[str, ...]:
    return tuple(line.split())


_SMALL: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    PERSON: (
        _words("Ada Ben Cora Dan Ella Finn Gwen Hugo Ida Jack Kate Leo Mary Ned Olga Paul Rosa Sam Tess Will"),
        _words("Abbot Baker Carter Drake Ellis Fisher Grant Hunter Irving Knight Lamb Mason Porter Reed"),
    ),
    TOWN: (
        _words("Apple Black Clear Deep Elm Fox Green High Lower New Old Pine Red South Upper White"),
        _words("Bridge Creek Dale Field Ford Gate Haven Hill Lake Mill Rock Wood"),
    ),
    COUNTRY: (
        _words("East Far Free Great Inner Little North Outer United West"),
        _words("Alba Berin Corda Dorin Elbia Farran Galda Helvia Istra Jura Kalmar Lorin"),
    ),
    WORK: (
        _words("Bitter Blue Broken Dark Empty Golden Hidden Last Lost Quiet Secret Silver Silent Sweet"),
        _words("Crown Garden Harbour Island Letter Mirror Moon Night River Road Rose Shadow Song Storm"),
    ),
    EVENT: (
        _words("Autumn Copper Crystal Iron Ivory Royal Spring Summer Thunder Winter"),
        _words("Cup Derby Fair Feast Games March Parade Race Regatta Trial"),
    ),
}

_BEGINNINGS = _words("Bar Cal Dor El Fen Gar Hal Ir Jor Kel Lam Mor Nor Ol Per Quin Ros Sel Tar Ul Ver Wil")
_MIDDLES = _words("a an den der e il in o on or ti ven")
_STEMS = tuple(sorted({first + middle for first, middle in product(_BEGINNINGS, _MIDDLES)}))

_LARGE: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    PERSON: (
        _SMALL[PERSON][0] + _words("Anna Carl Dora Emil Flora Gus Hanna Ivan Jane Kurt Lena Max"),
        tuple(sorted({stem + end for stem, end in product(_STEMS, ("sen", "man", "well", "ing", "er"))})),
    ),
    TOWN: (
        _words("East Great Little New North Old Port Saint South Upper West"),
        tuple(sorted({stem + end for stem, end in product(_STEMS, ("by", "ton", "fell", "mark", "ham"))})),
    ),
    COUNTRY: (_SMALL[COUNTRY][0], tuple(sorted({stem + "ia" for stem in _STEMS if stem[-1] not in "aeio"}))),
    WORK: (
        _SMALL[WORK][0] + _SMALL[EVENT][0] + _words("Burning Cold Distant Fallen First Frozen Narrow Painted"),
        _SMALL[WORK][1]
        + _SMALL[TOWN][1]
        + _words("Bell Bird Candle Child City Daughter Door Dream Fire Forest Heart House Kingdom Lamp")
        + _words("Lantern Mountain Ocean Orchard Palace Promise Sailor Sea Sister Star Tower"),
    ),
    EVENT: (
        tuple(sorted({stem + end for stem, end in product(_STEMS, ("ton", "by", "mark"))})),
        (*_SMALL[EVENT][1], "Battle", "Congress", "Exhibition", "Festival", "Flood", "Siege"),
    ),
}

STOCK = {"pocket": _SMALL, "standard": _LARGE}


@cache
def names(kind: str, split: str, profile: str) -> tuple[str, ...]:
    """All names of a kind that belong to a split.

    A hash without the seed decides: what is asked in demonstrations of one seed is not tested under another.
    """
    every = map(" ".join, product(*STOCK[profile][kind]))
    return tuple(name for name in every if SHARES[derive(0, "searchqa", "name", name) % len(SHARES)] == split)
