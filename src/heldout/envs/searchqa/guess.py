"""Who plays SearchQA by its words alone."""

import re
from collections.abc import Sequence
from random import Random

from heldout.envs.searchqa.protocol import Answer, Search, format_move

_NAME = re.compile(r"[A-Z][\w'-]*(?: (?:of |the )?[A-Z][\w'-]*)*|\d+")
_QUESTION = re.compile(r"Question: \W*\w+ (.*)")
_NOT_READ = re.compile(r"Doc \d+\(Title: |</?information>")


def guess(seen: Sequence[str], chance: Random) -> str:
    """A search for the question or a name that was seen, or an answer with such a name: each half of the time.

    A name is a run of words with capitals, or a number: those of the question, its first word apart, and of all
    that was found.
    """
    question = _QUESTION.search(seen[0])
    asked = question[1] if question else seen[0]
    read = [asked, *(_NOT_READ.sub("\n", text) for text in seen[1:])]
    names = list(dict.fromkeys(name for text in read for name in _NAME.findall(text)))
    if not names or chance.random() < 0.5:
        return format_move(Search(chance.choice([asked, *names])))
    return format_move(Answer(chance.choice(names)))
