"""How alike two short texts are, by thefuzz's token_set_ratio over Levenshtein's ratio; colours in texts."""

import re
from functools import lru_cache

_COLOURS = """
alabaster apricot aqua ash asphalt azure banana beige black blue blush bordeaux bronze brown burgundy camel
camo caramel champagne charcoal cheetah chestnut chocolate christmas coffee cognac copper coral cranberry
cream crystal dark denim eggplant elephant espresso fuchsia gold granite grape graphite grass gray green grey
heather indigo ivory ivy khaki lavender lemon leopard light lilac lime magenta maroon mauve merlot midnight
mint mocha multicolor mushroom mustard natural navy nude olive orange peach pewter pink plum purple rainbow
red rose royal rust sand sapphire seashell silver skull slate steel stone stonewash sunflower tan taupe teal
tiger turquoise violet walnut wheat white wine yellow
"""
COLOURS = tuple(_COLOURS.split())
"""In the order in which the original looks for them."""

SIMILAR_ABOVE = 85
"""What is more than this is as good as equal."""

_LATIN = dict.fromkeys(range(128, 256))
_NO_WORD = re.compile(r"\W")


@lru_cache(maxsize=1 << 14)
def is_similar(one: str, other: str) -> bool:
    """Whether the original takes two texts for the same: it does where the words of one hold those of the other."""
    return token_set_ratio(one, other) > SIMILAR_ABOVE


def token_set_ratio(one: str, other: str) -> int:
    """0 to 100: the words in common against either text's, and the texts against each other, whichever is most."""
    words, others = _words(one), _words(other)
    if not words or not others:
        return 0
    shared = " ".join(sorted(words & others))
    left, right = (f"{shared} {' '.join(sorted(own))}".strip() for own in (words - others, others - words))
    return max(_ratio(shared, left), _ratio(shared, right), _ratio(left, right))


def first_colour(text: str) -> str:
    """The first of the known colours that a text holds, else the text."""
    return next((colour for colour in COLOURS if colour in text), text)


def _words(text: str) -> set[str]:
    """Lower-case words, signs taken for blanks and Latin letters with accents left out."""
    return set(_NO_WORD.sub(" ", text.translate(_LATIN)).lower().split())


def _ratio(one: str, other: str) -> int:
    if not one or not other:
        return 0
    return round(100 * 2 * _longest_shared(one, other) / (len(one) + len(other)))


def _longest_shared(one: str, other: str) -> int:
    """The length of the longest common subsequence, a row of bits at a time (Hyyrö, 2004)."""
    places: dict[str, int] = {}
    for place, letter in enumerate(one):
        places[letter] = places.get(letter, 0) | 1 << place
    every = row = (1 << len(one)) - 1
    for letter in other:
        met = row & places.get(letter, 0)
        row = (row + met | row - met) & every
    return len(one) - row.bit_count()
