"""SearchQA's generated tasks: questions on invented encyclopaedias, in splits that share no name."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from random import Random

from heldout.envs.lazy import SPLITS, Lazy, numbers_of
from heldout.envs.searchqa.bm25 import Bm25
from heldout.envs.searchqa.facts import SIZES, Facts, grow_facts
from heldout.envs.searchqa.pages import passages, question
from heldout.envs.searchqa.passages import Corpus, Retriever
from heldout.envs.searchqa.players import turns
from heldout.envs.searchqa.world import DOCUMENTS, Fact, Question, World
from heldout.records import Json, Task, to_json
from heldout.seeds import stream

IN_VOLUME = {"pocket": 200, "standard": 1000}
"""Questions on one encyclopaedia. The next volume has other facts on the same names: it is no use to know them by
heart."""

HOPS: Mapping[str, Mapping[str, Sequence[int]]] = {
    "pocket": {"easy": (2,), "hard": (3, 4)},
    "standard": {"easy": (1, 2), "hard": (3, 4)},
}
"""How many facts lead to the answer."""

ROUNDS = {"pocket": {"easy": 2, "hard": 3}, "standard": {"easy": 1, "hard": 1}}
"""The fewest rounds of searches after which the answer may have been read, by whatever way: the first is for the
question and what it asks about, each next for every name on the pages that were found."""

MOST_TURNS = 5
"""Questions that take the oracle longer are not asked: K in training (paper §3.2)."""


@dataclass(frozen=True, slots=True)
class Name:
    """Which encyclopaedia: all that its facts depend on."""

    seed: int
    profile: str
    split: str
    volume: int

    def stream(self, purpose: str) -> Random:
        """The chance of one purpose."""
        return stream(self.seed, "searchqa", self.profile, self.split, self.volume, purpose)


@dataclass(frozen=True)
class Encyclopaedia:
    """One volume: shared by all episodes on it."""

    facts: Facts
    retriever: Retriever

    def rounds(self, question: Question, most: int) -> int:
        """After how many rounds of searches the answer may have been read; `most` where it takes no fewer."""
        searches, searched = {question.text, question.facts[0].subject}, set[str]()
        for count in range(1, most):
            names = set[str]().union(*map(self._names_found, searches))
            if question.answers[0] in names:
                return count
            searched |= searches
            searches = names - searched
        return most

    def _names_found(self, query: str) -> frozenset[str]:
        """The names on the pages that a search finds."""
        if query not in self._found:
            titles = [passage.name for passage in self.retriever.search(query, DOCUMENTS)]
            linked = (fact.object for title in titles for fact in self.facts.of[title])
            self._found[query] = frozenset([*titles, *linked])
        return self._found[query]

    @cached_property
    def _found(self) -> dict[str, frozenset[str]]:
        return {}


def form_of(profile: str) -> Mapping[str, Json]:
    """All that decides a profile's tasks beside the seed, for a digest of the source."""
    return {"sizes": dict(SIZES[profile]), "hops": to_json(HOPS[profile]), "rounds": dict(ROUNDS[profile])}


def generated_tasks(split: str, seed: int, profile: str) -> Sequence[Task]:
    """The tasks of one split, easy and hard in turn; no name of one split is in another, whatever the seeds."""

    def make(number: int) -> Task:
        volume, place = divmod(number - SPLITS[split].start, IN_VOLUME[profile])
        return _tasks(Name(seed, profile, split, volume))[place]

    return Lazy(make, numbers_of(split))


def open_task(task: Task, *, exact_original: bool) -> World:
    """The world of a generated task."""
    world = task.world
    facts = tuple(Fact(*fact) for fact in world["facts"])
    asked = Question(world["question"], tuple(world["answers"]), facts)
    return World(asked, encyclopaedia(Name(**world["corpus"])).retriever, exact_original=exact_original)


@cache
def encyclopaedia(name: Name) -> Encyclopaedia:
    """One volume, written and indexed."""
    facts = grow_facts(name.split, name.profile, name.stream("facts"))
    pages = passages(facts, name.profile, name.stream("pages"))
    return Encyclopaedia(facts, Bm25(Corpus(pages)))


@cache
def _tasks(name: Name) -> list[Task]:
    """The questions on one volume."""
    first = SPLITS[name.split].start + name.volume * IN_VOLUME[name.profile]
    asked = {difficulty: _questions(name, difficulty) for difficulty in HOPS[name.profile]}
    return [
        _task(name, number, difficulty, next(asked[difficulty]))
        for number in range(first, first + IN_VOLUME[name.profile])
        for difficulty in [("easy", "hard")[number % 2]]
    ]


def _questions(name: Name, difficulty: str) -> Iterator[Question]:
    """Questions without end, no two alike, that the oracle answers in time, and that have no shorter way."""
    book, chance, asked = encyclopaedia(name), name.stream(difficulty), set[str]()
    rounds = ROUNDS[name.profile][difficulty]
    while True:
        chain = book.facts.chain(chance.choice(HOPS[name.profile][difficulty]), chance)
        if chain is None:
            continue
        found = Question(question(chain, book.facts, name.profile, chance), (chain[-1].object,), chain)
        if found.text in asked or not turns(World(found, book.retriever), MOST_TURNS):
            continue
        if book.rounds(found, rounds) == rounds:
            asked.add(found.text)
            yield found


def _task(name: Name, number: int, difficulty: str, asked: Question) -> Task:
    return Task(
        env="searchqa",
        split=name.split,
        id=f"searchqa_{number}",
        difficulty=difficulty,
        world={
            "question": asked.text,
            "answers": list(asked.answers),
            "facts": [[fact.subject, fact.relation, fact.object] for fact in asked.facts],
            "corpus": {"seed": name.seed, "profile": name.profile, "split": name.split, "volume": name.volume},
        },
    )
