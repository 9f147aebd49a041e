"""SearchQA's rules, without English: what can be searched, read and answered (spec §2)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from heldout.envs.searchqa.passages import Passage, Retriever
from heldout.envs.searchqa.scoring import matches
from heldout.records import digest

DOCUMENTS = 3
"""Passages that a search gives; the original lets nobody change it (Q-SQ1)."""


@dataclass(frozen=True, slots=True)
class Fact:
    """What a page states: whose page, which relation, and to what."""

    subject: str
    relation: str
    object: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question, what answers it, and for a generated one the facts that lead there, each from the last."""

    text: str
    answers: tuple[str, ...]
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True)
class World:
    """A question, what has been read so far, and what was tried; a value: every move gives the next one."""

    question: Question
    retriever: Retriever
    exact_original: bool = False
    """Score as the original does, articles and signs alone included."""
    queries: tuple[str, ...] = ()
    guesses: tuple[str, ...] = ()
    read: tuple[Passage, ...] = ()
    """Each passage once, in the order in which it was found."""
    solved: bool = False

    def search(self, query: str) -> tuple["World", Sequence[Passage]]:
        """The world in which the found passages are read, and these; raises `Unavailable` where a service fails."""
        found = self.retriever.search(query, DOCUMENTS)
        fresh = tuple(passage for passage in found if passage not in self.read)
        return replace(self, queries=(*self.queries, query), read=self.read + fresh), found

    def answer(self, text: str) -> tuple["World", bool]:
        """The world in which this was answered, and whether it is right."""
        right = matches(text, self.question.answers, exact_original=self.exact_original)
        return replace(self, guesses=(*self.guesses, text), solved=self.solved or right), right

    @property
    def known(self) -> int:
        """How many of the facts have been read, from the first on."""
        names = {passage.name for passage in self.read}
        unread = (place for place, fact in enumerate(self.question.facts) if fact.subject not in names)
        return next(unread, len(self.question.facts))

    @cached_property
    def digest(self) -> str:
        """A digest of the state: what was read and what was answered, whatever the queries."""
        read = [passage.contents for passage in self.read]
        # Half a surrogate pair, which an agent can write, has no bytes of its own.
        return digest([[ascii(text) for text in texts] for texts in (read, self.guesses)])
