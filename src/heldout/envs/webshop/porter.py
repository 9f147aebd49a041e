"""The stem of an English word, by Porter (1980) with his own two later rules, as Lucene has it."""

from functools import lru_cache

_STEP_2 = {
    "ational": "ate",
    "tional": "tion",
    "enci": "ence",
    "anci": "ance",
    "izer": "ize",
    "bli": "ble",
    "alli": "al",
    "entli": "ent",
    "eli": "e",
    "ousli": "ous",
    "ization": "ize",
    "ation": "ate",
    "ator": "ate",
    "alism": "al",
    "iveness": "ive",
    "fulness": "ful",
    "ousness": "ous",
    "aliti": "al",
    "iviti": "ive",
    "biliti": "ble",
    "logi": "log",
}
_STEP_3 = {
    "icate": "ic",
    "ative": "",
    "alize": "al",
    "iciti": "ic",
    "ical": "ic",
    "ful": "",
    "ness": "",
}
_STEP_4 = (
    *("al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent"),
    *("sion", "tion", "ou", "ism", "ate", "iti", "ous", "ive", "ize"),
)
"""The longer before the shorter; of `sion` and `tion` only `ion` goes."""


@lru_cache(maxsize=1 << 16)
def stem(word: str) -> str:
    """The stem of a word in lower case; what is no letter counts as a consonant."""
    if len(word) < 3:
        return word
    word = _past(_singular(word))
    if word.endswith("y") and "v" in _sounds(word[:-1]):
        word = word[:-1] + "i"
    for endings in (_STEP_2, _STEP_3):
        word = _exchange_ending(word, endings)
    return _last_letter(_without_ending(word))


def _sounds(word: str) -> str:
    """A `c` for each consonant and a `v` for each vowel; `y` is a vowel after a consonant."""
    found = ""
    for letter in word:
        is_vowel = letter in "aeiou" or (letter == "y" and found.endswith("c"))
        found += "v" if is_vowel else "c"
    return found


def _measure(word: str) -> int:
    """How often consonants follow vowels: Porter's m."""
    return _sounds(word).count("vc")


def _ends_in_double(word: str) -> bool:
    return len(word) > 1 and word[-1] == word[-2] and _sounds(word)[-1] == "c"


def _ends_short(word: str) -> bool:
    """Consonant, vowel, consonant, the last none of w, x and y."""
    return _sounds(word).endswith("cvc") and word[-1] not in "wxy"


def _singular(word: str) -> str:
    if word.endswith(("sses", "ies")):
        return word[:-2]
    if word.endswith("s") and not word.endswith("ss"):
        return word[:-1]
    return word


def _past(word: str) -> str:
    """Without -ed and -ing, and with what they took away."""
    if word.endswith("eed"):
        return word[:-1] if _measure(word[:-3]) > 0 else word
    left = next((word.removesuffix(ending) for ending in ("ed", "ing") if word.endswith(ending)), "")
    if "v" not in _sounds(left):
        return word
    if left.endswith(("at", "bl", "iz")):
        return left + "e"
    if _ends_in_double(left):
        return left if left[-1] in "lsz" else left[:-1]
    return left + "e" if _measure(left) == 1 and _ends_short(left) else left


def _exchange_ending(word: str, endings: dict[str, str]) -> str:
    """With the first of the endings that it has exchanged, where something stands before it."""
    for ending, other in endings.items():
        if word.endswith(ending):
            left = word.removesuffix(ending)
            return left + other if _measure(left) > 0 else word
    return word


def _without_ending(word: str) -> str:
    for ending in _STEP_4:
        if word.endswith(ending):
            left = word[:-3] if ending in ("sion", "tion") else word.removesuffix(ending)
            return left if _measure(left) > 1 else word
    return word


def _last_letter(word: str) -> str:
    measure = _measure(word)
    if word.endswith("e") and (measure > 1 or (measure == 1 and not _ends_short(word[:-1]))):
        word = word[:-1]
    return word[:-1] if word.endswith("ll") and measure > 1 else word
