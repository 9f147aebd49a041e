"""A text as who reads it leniently takes it."""

import re
from collections.abc import Iterable

_ARTICLES = {"a", "an", "the"}
_NUMBER = re.compile(r" \d+\b")


def loose(text: str) -> str:
    """A text in lower case, its words one blank apart, without articles and without signs at its end."""
    words = text.lower().strip(" .!;\"'`*").split()
    return " ".join(word for word in words if word not in _ARTICLES)


def nearest(text: str, options: Iterable[str]) -> str:
    """Of several exact actions the one that a text can only mean, with or without its number; else the text."""
    said = loose(text)
    known = list(options)
    alike = [option for option in known if option == said]
    if not alike and not _NUMBER.search(said):
        alike = [option for option in known if _NUMBER.sub("", option) == said]
    return alike[0] if len(alike) == 1 else said
