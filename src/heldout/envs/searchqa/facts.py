"""An encyclopaedia's facts, grown from chance: people, places, works and events, and how they hang together."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from random import Random

from heldout.envs.searchqa.names import COUNTRY, EVENT, PERSON, TOWN, WORK, names
from heldout.envs.searchqa.world import Fact

YEAR = "year"
"""The kind of what is a number and has no page."""

RELATIONS: Mapping[str, Mapping[str, str]] = {
    PERSON: {"birthplace": TOWN, "teacher": PERSON, "birth year": YEAR},
    TOWN: {"country": COUNTRY, "founder": PERSON},
    COUNTRY: {"capital": TOWN, "ruler": PERSON},
    WORK: {"author": PERSON, "setting": TOWN, "work year": YEAR},
    EVENT: {"winner": PERSON, "place": TOWN, "event year": YEAR},
}
"""Of each kind of page its relations, and what kind each leads to; everything has one of each."""

DEEDS = {kind: tuple(RELATIONS[kind]) for kind in (WORK, EVENT)}
"""By whom, where and when."""

FORMS = ("novel", "opera", "play", "song")
"""What a work can be: some share a name and differ in this."""

SIZES: Mapping[str, Mapping[str, int]] = {
    "pocket": {PERSON: 60, TOWN: 30, COUNTRY: 20, WORK: 36, EVENT: 18},
    "standard": {PERSON: 1200, TOWN: 400, COUNTRY: 50, WORK: 560, EVENT: 250},
}
"""Pages of each kind: no kind that can be an answer is so small that guessing pays."""

OF_AGE = 20
"""Nobody teaches, writes or wins younger."""

SHARED_NAMES = 0.3
"""The share of works that take the name of another."""


@dataclass(frozen=True, slots=True)
class Thing:
    """What a page is about."""

    title: str
    kind: str

    @property
    def name(self) -> str:
        """The title without what tells it from a namesake."""
        return self.title.partition(" (")[0]

    @property
    def form(self) -> str:
        """Of a work, what it is."""
        return self.title.partition(" (")[2].removesuffix(")")


@dataclass(frozen=True)
class Facts:
    """Everything that an encyclopaedia states."""

    things: tuple[Thing, ...]
    stated: tuple[Fact, ...]

    @cached_property
    def of(self) -> dict[str, list[Fact]]:
        """The facts on each page."""
        found: dict[str, list[Fact]] = {thing.title: [] for thing in self.things}
        for fact in self.stated:
            found[fact.subject].append(fact)
        return found

    @cached_property
    def to(self) -> dict[str, list[Fact]]:
        """The facts that lead to each thing."""
        found: dict[str, list[Fact]] = {}
        for fact in self.stated:
            found.setdefault(fact.object, []).append(fact)
        return found

    @cached_property
    def about(self) -> dict[str, Thing]:
        """What each title is."""
        return {thing.title: thing for thing in self.things}

    def chain(self, hops: int, chance: Random) -> tuple[Fact, ...] | None:
        """So many facts, each about what the last led to, none about the same thing; None where that fails."""
        place, seen, chain = chance.choice(self.things).title, set[str](), list[Fact]()
        for _ in range(hops):
            seen.add(place)
            open_ends = [fact for fact in self.of.get(place, ()) if fact.object not in seen]
            if not open_ends:
                return None
            chain.append(chance.choice(open_ends))
            place = chain[-1].object
        return tuple(chain)


def grow_facts(split: str, profile: str, chance: Random) -> Facts:
    """The facts of one encyclopaedia of a split."""
    titles = {kind: _titles(kind, SIZES[profile][kind], split, profile, chance) for kind in RELATIONS}
    things = tuple(Thing(title, kind) for kind, found in titles.items() for title in found)
    return Facts(things, (*_geography(titles, chance), *_lives(titles, chance)))


def _titles(kind: str, size: int, split: str, profile: str, chance: Random) -> list[str]:
    if kind != WORK:
        return chance.sample(names(kind, split, profile), size)
    own = chance.sample(names(kind, split, profile), size - int(size * SHARED_NAMES))
    forms = {name: chance.sample(FORMS, 2) for name in own}
    again = chance.sample(own, size - len(own))
    return [f"{name} ({forms[name][0]})" for name in own] + [f"{name} ({forms[name][1]})" for name in again]


def _geography(titles: Mapping[str, Sequence[str]], chance: Random) -> Iterator[Fact]:
    """Which country a town is in, and the capital of each country: a town in it."""
    towns, countries = titles[TOWN], titles[COUNTRY]
    for town, country in zip_longest(towns, countries):
        yield Fact(town, "country", country or chance.choice(countries))
    for country, town in zip(countries, towns, strict=False):
        yield Fact(country, "capital", town)


def _lives(titles: Mapping[str, Sequence[str]], chance: Random) -> Iterator[Fact]:
    """Who was born when and where, and what people did there."""
    people, towns = titles[PERSON], titles[TOWN]
    born = {person: chance.randrange(1700, 1900) for person in people}
    for person, year in born.items():
        elders = [other for other in people if born[other] + OF_AGE <= year]
        yield Fact(person, "birthplace", chance.choice(towns))
        yield Fact(person, "teacher", chance.choice(elders or [other for other in people if other != person]))
        yield Fact(person, "birth year", str(year))
    yield from (Fact(town, "founder", chance.choice(people)) for town in towns)
    yield from (Fact(country, "ruler", chance.choice(people)) for country in titles[COUNTRY])
    for kind, (who, where, when) in DEEDS.items():
        for title in titles[kind]:
            doer = chance.choice(people)
            yield Fact(title, who, doer)
            yield Fact(title, where, chance.choice(towns))
            yield Fact(title, when, str(born[doer] + chance.randrange(OF_AGE, 3 * OF_AGE)))
