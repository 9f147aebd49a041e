"""The tags that an agent acts with, read and written; and passages as it reads them (spec §2.4)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from heldout.envs.react import without_thoughts
from heldout.envs.searchqa.passages import Passage

_BLOCK = re.compile(r"<(search|answer)>(.*?)</\1>", re.DOTALL)
_ANSWER = re.compile(r"<answer>(.*?)</answer>", re.DOTALL)
_INFORMATION = re.compile(r"<information>(.*)</information>", re.DOTALL)
_DOCUMENT = re.compile(r"(?:\A|\n)Doc \d+\(Title: ")
_TAG = re.compile(r"<(/?(?:think|search|information|answer))>", re.IGNORECASE)

SHAPES = ("<search>query</search>", "<answer>answer</answer>")
"""What can always be done, where actions are listed."""

LONGEST_ACTION = 10_000
"""Characters; `fixed` rules read nothing longer."""


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched for."""

    query: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered."""

    text: str


Move = Search | Answer


def read(text: str, *, exact_original: bool = False) -> Move | None:
    """The move in a text: its first search or answer, thoughts left out.

    The original reads inside thoughts too, and of several answers it takes the last (Q-SQ3).
    """
    if not exact_original:
        text = without_thoughts(text) if len(text) <= LONGEST_ACTION else ""
    found = _BLOCK.search(text)
    if found is None:
        return None
    if found[1] == "search":
        return Search(found[2].strip())
    last = last_answer(text) if exact_original else None
    return Answer(found[2].strip() if last is None else last)


def count_moves(text: str) -> int:
    """How many searches and answers a reply holds outside of its thoughts."""
    return len(_BLOCK.findall(without_thoughts(text)))


def last_answer(text: str) -> str | None:
    """What stands in the last answer of a text; None where it has none."""
    found: list[str] = _ANSWER.findall(text)
    return found[-1].strip() if found else None


def action_in(text: str, *, exact_original: bool = False) -> str:
    """The move in a reply as its block alone; empty where there is none."""
    move = read(text, exact_original=exact_original)
    return "" if move is None else format_move(move)


def format_move(move: Move) -> str:
    """A move as an agent writes it."""
    match move:
        case Search(query):
            return f"<search>{query}</search>"
        case Answer(text):
            return f"<answer>{text}</answer>"


def reply(thought: str, action: str) -> str:
    """A thought and an action as one reply."""
    return f"<think>{thought}</think>\n{action}"


def format_passages(passages: Sequence[Passage], *, exact_original: bool = False) -> str:
    """Passages as the agent reads them; a tag of this protocol that stands in one is made harmless."""
    lines = (f"Doc {number}(Title: {each.title}) {each.text}\n" for number, each in enumerate(passages, start=1))
    text = "".join(lines).strip()
    if not exact_original:
        text = _TAG.sub(r"[\1]", text) or "Nothing found."
    return f"<information>{text}</information>"


def passages_in(text: str) -> tuple[Passage, ...]:
    """The passages of an answer to a search, read back; none where it is no such answer."""
    found = _INFORMATION.fullmatch(text)
    parts = _DOCUMENT.split(found[1])[1:] if found else []
    ends = ('") ' if part.startswith('"') else ") " for part in parts)
    cut = [part.partition(end) for part, end in zip(parts, ends, strict=True)]
    return tuple(
        Passage(str(number), f"{title}{end[:-2]}\n{said}") for number, (title, end, said) in enumerate(cut)
    )


def format_passages_plainly(passages: Sequence[Passage]) -> str:
    """The same in sentences, without tags."""
    found = (f"{each.title.strip(chr(34))} says: {each.text}" for each in passages)
    return _TAG.sub(r"[\1]", "\n".join(found).strip()) or "Nothing found."
