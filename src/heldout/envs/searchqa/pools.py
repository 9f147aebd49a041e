"""Which questions are for testing and which to train on: no words in both, and a published one keeps its number."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from heldout.envs.searchqa.files import Row
from heldout.envs.searchqa.sets import number_at
from heldout.envs.searchqa.splits import trains
from heldout.errors import BadCall
from heldout.records import digest

UNPUBLISHED = 1_000_000
"""From here on: questions that have no published number, by their line."""

TEST_SIZE = 400
"""As in the paper (Table 5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pools:
    """The questions of both splits."""

    test: tuple[Row, ...]
    train: tuple[Row, ...]
    left_out: dict[int, str]
    """By their line those that are in neither, since another one has their words, and which."""


def pools_of(rows: Iterable[Row], ids: frozenset[int]) -> Pools:
    """The questions in their splits; `ids` are the published numbers of `test`.

    `test` has the published ids that are there, then questions drawn by the hash of their words; none that is to
    be trained on. `train` has all others. Questions of equal words are never in both.
    """
    left_out = dict[int, str]()
    groups = [_keep(group, ids, left_out) for group in _by_words(rows)]
    groups.sort(key=lambda group: (number_of(group[0]) not in ids, _draw(group[0])))
    test, train = list[Row](), list[Row]()
    for group in groups:
        is_tested = not trains(group[0].split) and len(test) + len(group) <= TEST_SIZE
        (test if is_tested or number_of(group[0]) in ids else train).extend(group)
    return Pools(test=tuple(sorted(test, key=_draw)), train=tuple(sorted(train, key=_draw)), left_out=left_out)


def number_of(row: Row) -> int:
    """The published number of a question whose id is its place in its set, else one of ours."""
    published = number_at(row.dataset, row.id)
    return UNPUBLISHED + row.line if published is None else published


def _item_of(row: Row) -> str:
    """A question's published id, such as `bamboogle_51622`."""
    return f"{row.dataset}_{number_of(row)}"


def _by_words(rows: Iterable[Row]) -> Iterator[Sequence[Row]]:
    """The questions by their words; two of one published number and of other words are refused."""
    groups, seen = defaultdict[str, list[Row]](list), dict[int, Row]()
    for row in rows:
        before = seen.setdefault(number_of(row), row)
        if _words(before) != _words(row):
            raise BadCall(
                f"lines {before.line} and {row.line} are two questions, {before.text!r} and {row.text!r}, and both "
                f"are {_item_of(row)} (id {row.id!r})"
            )
        groups[_words(row)].append(row)
    yield from groups.values()


def _keep(group: Sequence[Row], ids: frozenset[int], left_out: dict[int, str]) -> list[Row]:
    """Those of equal words that are asked, all of them in one split: the published ids of `test`; else those that
    are not to be trained on, if there are any; of these each published one with other answers, or the first."""
    numbered = {number_of(row): row for row in reversed(group)}
    listed = [row for row in numbered.values() if number_of(row) in ids]
    kept = listed or _distinct([row for row in group if not trains(row.split)] or group)
    kept.sort(key=lambda row: row.line)
    lines = {row.line for row in kept}
    for row in group:
        if row.line not in lines:
            left_out[row.line] = (
                f"line {row.line} ({_item_of(row)}) is left out: it has the words of line {kept[0].line} "
                f"({_item_of(kept[0])})"
            )
    return kept


def _distinct(rows: Sequence[Row]) -> list[Row]:
    """Of each published number and of each answer the first row; where none is published, the first of all."""
    published = {number_of(row): row for row in reversed(rows) if number_of(row) < UNPUBLISHED}
    return list({row.answers: row for row in published.values()}.values()) or list(rows[:1])


def _words(row: Row) -> str:
    return " ".join(row.text.casefold().rstrip("? ").split())


def _draw(row: Row) -> tuple[str, int]:
    return digest(["searchqa", row.text]), row.line
