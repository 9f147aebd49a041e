"""The published question sets, and the number that each of their questions has (spec §2.7)."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionSet:
    """One published file; the published number of a question is its place in it, counted from the set's first."""

    name: str
    split: str
    first: int
    size: int

    @property
    def place(self) -> str:
        """Where it lies under HELDOUT_DATA."""
        return f"searchqa/{self.name}/{self.split}.jsonl"

    @property
    def numbers(self) -> range:
        """The numbers of its questions."""
        return range(self.first, self.first + self.size)


SETS = (
    QuestionSet(name="nq", split="test", first=0, size=3610),
    QuestionSet(name="triviaqa", split="test", first=3610, size=11313),
    QuestionSet(name="popqa", split="test", first=14923, size=14267),
    QuestionSet(name="hotpotqa", split="dev", first=29190, size=7405),
    QuestionSet(name="2wikimultihopqa", split="dev", first=36595, size=12576),
    QuestionSet(name="musique", split="dev", first=49171, size=2417),
    QuestionSet(name="bamboogle", split="test", first=51588, size=125),
    QuestionSet(name="nq", split="train", first=51713, size=79168),
    QuestionSet(name="hotpotqa", split="train", first=130881, size=90447),
)
"""In the order of their numbers."""

NAMES = tuple(dict.fromkeys(each.name for each in SETS))

_PLACE = re.compile(r"(train|dev|test)_(\d+)", re.ASCII)
_ITEM = re.compile(r"(?:(.+)_)?(\d+)", re.ASCII)
_SPELLED = re.compile(r"(.+)[_/]((?:train|dev|test)_\d+)", re.ASCII)


def number_at(dataset: str, place: str) -> int | None:
    """The published number of the question at a place such as `dev_17` of its set; None where none is published."""
    if found := _PLACE.fullmatch(place):
        for each in SETS:
            if (each.name, each.split) == (dataset, found[1]) and int(found[2]) < each.size:
                return each.first + int(found[2])
    return None


def number_of(item: str) -> int | None:
    """The number of a published id, `bamboogle_51622`, `searchqa_51622` or `bamboogle/test_34`.

    None where it is of no set, or past the end of the set that it names.
    """
    if found := _SPELLED.fullmatch(item):
        return number_at(found[1], found[2])
    if found := _ITEM.fullmatch(item):
        number, name = int(found[2]), found[1] or "searchqa"
        if any(number in each.numbers and name in (each.name, "searchqa") for each in SETS):
            return number
    return None


def task_id(item: str) -> str:
    """A published id as its task's here; what is none as it stands."""
    number = number_of(item)
    return item if number is None else f"searchqa_{number}"
