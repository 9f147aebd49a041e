"""The split that a question is of: what its fields, its id, its file and its folder say, which must agree."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from heldout.errors import BadCall
from heldout.records import Json

_WORD = r"(train|training|dev|development|test|val|valid|validation|eval|evaluation)"
_WITHIN = re.compile(rf"(?<![a-z]){_WORD}(?![a-z])")
_OF_AN_ID = re.compile(rf"(?:.*[_/-])?{_WORD}[_/-]\d+", re.ASCII)

FOLDERS = ("train", "dev", "test")
"""Names of folders that say a split."""

Said = tuple[str, str]
"""What says a split, such as `extra_info.split`, and the value that says it."""


def split_of(row: Mapping[str, Json], path: Path) -> str:
    """The split that a row of a file says, the nearest to it first; empty where nothing says any.

    Whether it is one to train on is said the same by all that say it, or the row is refused.
    """
    said = list(_said(row, path))
    for what, value in said[1:]:
        if trains(value) != trains(said[0][1]):
            first, first_value = said[0]
            raise BadCall(f"a question is of one split, but {first} is {first_value!r} and {what} {value!r}")
    return said[0][1] if said else ""


def trains(split: str) -> bool:
    """Whether that is a split to train on; of one that is partly so, nothing is tested."""
    return any(word.startswith("train") for word in _WITHIN.findall(split.lower()))


def _said(row: Mapping[str, Json], path: Path) -> Iterator[Said]:
    """Whatever says a split of a row."""
    extra = row.get("extra_info")
    fields = {
        "split": row.get("split"),
        "extra_info.split": extra.get("split") if isinstance(extra, dict) else None,
    }
    for what, value in fields.items():
        if isinstance(value, str) and _WITHIN.search(value.lower()):
            yield what, value
    name = row.get("id")
    if isinstance(name, str) and _OF_AN_ID.fullmatch(name.lower()):
        yield "id", name
    if len({trains(word) for word in _WITHIN.findall(path.name.lower())}) == 1:  # else it holds both kinds, or any
        yield "the file's name", path.name
    if path.parent.name.lower() in FOLDERS:
        yield "the folder's name", path.parent.name
