"""Actions that are not in their exact form: which are heard where validation is lenient (docs/variants.md)."""

import re

from heldout.envs.react import without_thoughts
from heldout.envs.searchqa.protocol import LONGEST_ACTION, read

_TAG = re.compile(r"<\s*(/?)\s*(search|answer)\s*>", re.IGNORECASE)
_OPEN = re.compile(r"<(search|answer)>([^<\n]*)")
_SAID = re.compile(
    r"^[ \t>*#-]*(?:Action:\s*)?(search|answer)\s*(?:\[(.+?)\]|\((.+?)\)|:(.+?))\s*$", re.IGNORECASE | re.MULTILINE
)


def loosened(reply: str) -> str:
    """A tag in any letters, one that is not closed, and `Search: words` or `answer[words]`, as exact blocks."""
    if len(reply) > LONGEST_ACTION:
        return reply
    said = _TAG.sub(lambda tag: f"<{tag[1]}{tag[2].lower()}>", without_thoughts(reply))
    if read(said) is not None:
        return said
    if opened := _OPEN.search(said):
        return f"<{opened[1]}>{opened[2].strip()}</{opened[1]}>"
    if found := _SAID.search(said):
        kind, words = found[1].lower(), next(filter(None, found.groups()[1:]))
        return f"<{kind}>{words.strip()}</{kind}>"
    return reply
