"""Whether an answer is right: exact match after normalisation (spec §2.5)."""

import re
import string
from collections.abc import Sequence

_ARTICLE = re.compile(r"\b(a|an|the)\b")
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalise(answer: str) -> str:
    """Lower case, without ASCII punctuation and English articles, words one blank apart."""
    return " ".join(_ARTICLE.sub(" ", answer.lower().translate(_NO_PUNCTUATION)).split())


def matches(answer: str, golds: Sequence[str], *, exact_original: bool = False) -> bool:
    """Whether an answer is one of the gold answers.

    In the original anything that normalises to nothing is a gold answer that does ("!!!", "The The");
    otherwise two such texts are compared as they stand, but for case.
    """
    ours = normalise(answer)
    if ours or exact_original:
        return ours in map(normalise, golds)
    return answer.lower().split() in [gold.lower().split() for gold in golds]
