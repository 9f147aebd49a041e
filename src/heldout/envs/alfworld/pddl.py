"""The released games' problems, domains and grammars (PDDL and TextWorld's twl2) as households and editions."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import chain

from heldout.envs.alfworld.house import Edition, Goal, House, Receptacle, State, Thing
from heldout.errors import BadCall

_FACT = re.compile(r"\((\w+) ([^\s()]+)(?: ([^\s()]+))?\s*\)")
_COMMENT = re.compile(r";[^\n]*")

Facts = Mapping[str, Sequence[tuple[str, str]]]
"""The arguments of the facts of each predicate, in the file's order; one alone has "" beside it."""

BECOMES = {
    "cleanable": State.CLEAN,
    "heatable": State.HOT,
    "coolable": State.COOL,
    "sliceable": State.SLICED,
    "toggleable": State.ON,
}


def house_of(problem: str, sentence: str, edition: Edition) -> House:
    """The household that a problem describes, with the names that the original gives its things."""
    _, begun, rest = problem.partition("(:init")
    init, ended, goal = rest.partition("(:goal")
    facts = _facts(init)
    if not begun or not ended or len(facts["atlocation"]) != 1:
        raise BadCall(f"a game's problem has (:init …), one (atLocation …) and (:goal …), not {problem[:60]!r}")
    read = _Read(facts)
    return House(
        goal=goal_of(goal),
        sentence=sentence,
        start=read.places[facts["atlocation"][0][1]],
        receptacles={each.name: each for each in read.receptacles.values()},
        things={each.name: each for each in read.things.values()},
        inside=read.inside,
        lying=frozenset((read.names[thing], read.places[place]) for thing, place in facts["objectatlocation"]),
        fits=_fits(tuple(facts["cancontain"])),
        cool=frozenset(read.names[thing] for thing, _ in facts["iscool"]),
        carriers=read.carriers,
        edition=edition,
    )


def goal_of(text: str) -> Goal:
    """What a problem's goal asks for."""
    plain = _COMMENT.sub("", text).lower()
    home = re.search(r"\(receptacletype \?\w+ (\w+?)type\)", plain)
    kinds = dict(re.findall(r"\(objecttype \?(\w+) (\w+?)type\)", plain))
    treated = [State(name) for name in ("clean", "hot", "cool") if f"(is{name} " in plain]
    lamp, carrier = kinds.pop("ot", ""), kinds.pop("mo", "")
    if not kinds or not (home or lamp):
        raise BadCall(f"not a goal of one of the six kinds: {' '.join(text.split())[:200]!r}")
    return Goal(
        thing=next(iter(kinds.values())),
        home=home[1] if home else "",
        count=len(kinds),
        state=treated[0] if treated else None,
        sliced="(issliced " in plain,
        lamp=lamp,
        carrier=carrier,
        all_shut="forall" in plain,
    )


@cache
def edition_of(domain: str, grammar: str) -> Edition:
    """What a game's domain and grammar make of its household."""
    opening = re.search(r'"OpenObject.feedback": \[\s*\{\s*"rhs": "([^"]*)"', grammar)
    rules = _COMMENT.sub("", domain)
    using = rules.partition("(:action ToggleObject")[2].partition(":effect")[0]
    return Edition(
        moves='"move {o} to {r}"' in grammar,
        arrives="You arrive at {r.name}" in grammar,
        opens_blindly=opening is not None and "examineReceptacle" not in opening[1],
        helps="(:action help" in rules and "action help" in grammar,
        one_open="forall" in rules.partition("(:action OpenObject")[2].partition(":effect")[0],
        lamps_by_place="objectAtLocation" in using,
    )


def _facts(init: str) -> Facts:
    found = defaultdict[str, list[tuple[str, str]]](list)
    for predicate, one, other in _FACT.findall(_COMMENT.sub("", init).lower()):
        found[predicate].append((one, other))
    return found


@cache
def _fits(pairs: tuple[tuple[str, str], ...]) -> frozenset[tuple[str, str]]:
    """The kinds that go together; most games share one of a hundred tables."""
    return frozenset((home.removesuffix("type"), thing.removesuffix("type")) for home, thing in pairs)


@dataclass(frozen=True)
class _Read:
    """What the facts of one problem say, by the identifiers that they use."""

    facts: Facts

    @cached_property
    def names(self) -> dict[str, str]:
        """A name for each identifier that a fact mentions, as alfworld's Demangler gives them.

        `mug_bar__plus_00…` is `mug N`; of one kind the first in the order of identifiers has the highest number.
        """
        pairs = chain.from_iterable(self.facts.values())
        mentioned = sorted(set(chain.from_iterable(pairs)))
        kinds = {
            name: name.partition("_bar_")[0] + "basin" * ("basin" in name) for name in mentioned if "_bar_" in name
        }
        left, names = Counter(kinds.values()), {name: f"{name} " for name in mentioned}
        for identifier, kind in kinds.items():
            names[identifier] = f"{kind} {left[kind]}"
            left[kind] -= 1
        return names

    @cached_property
    def places(self) -> dict[str, int]:
        """A number for each place."""
        of = ("receptacleatlocation", "objectatlocation", "atlocation")
        names = {place for predicate in of for _, place in self.facts[predicate]}
        return {name: number for number, name in enumerate(sorted(names))}

    @cached_property
    def receptacles(self) -> dict[str, Receptacle]:
        """The receptacles, in the order of their identifiers."""
        kinds, openable = dict(self.facts["receptacletype"]), dict(self.facts["openable"])
        return {
            identifier: Receptacle(
                rank=rank,
                name=self.names[identifier],
                kind=kinds.get(identifier, "").removesuffix("type"),
                place=self.places[place],
                openable=identifier in openable,
            )
            for rank, (identifier, place) in enumerate(sorted(self.facts["receptacleatlocation"]))
        }

    @cached_property
    def things(self) -> dict[str, Thing]:
        """The things, in the order of their identifiers."""
        kinds, portable = dict(self.facts["objecttype"]), dict(self.facts["pickupable"])
        becomes = defaultdict[str, list[State]](list)
        for predicate, state in BECOMES.items():
            for identifier, _ in self.facts[predicate]:
                becomes[identifier].append(state)
        lying = {thing for predicate in ("objectatlocation", "inreceptacle") for thing, _ in self.facts[predicate]}
        return {
            identifier: Thing(
                rank=rank,
                name=self.names[identifier],
                kind=kinds.get(identifier, "").removesuffix("type"),
                portable=identifier in portable,
                becomes=frozenset(becomes[identifier]),
            )
            for rank, identifier in enumerate(sorted(lying | kinds.keys()))
        }

    @cached_property
    def inside(self) -> dict[str, tuple[Thing, ...]]:
        """What lies in each receptacle, by its name."""
        held = self._group((holder, thing) for thing, holder in self.facts["inreceptacle"])
        return {each.name: held.get(identifier, ()) for identifier, each in self.receptacles.items()}

    @cached_property
    def carriers(self) -> dict[str, tuple[Thing, ...]]:
        """The things that could hold others, with what they hold."""
        held = self._group((outer, inner) for inner, outer in self.facts["inreceptacleobject"])
        return {self.names[outer]: held.get(outer, ()) for outer, _ in self.facts["isreceptacleobject"]}

    def _group(self, pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[Thing, ...]]:
        held = defaultdict[str, set[str]](set)
        for holder, thing in pairs:
            held[holder].add(thing)
        return {holder: tuple(self.things[thing] for thing in sorted(things)) for holder, things in held.items()}
