"""Households grown from a generator of chance, around a goal: of the same form as the released ones."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from random import Random

from heldout.envs.alfworld.furniture import LAMPS, OPENABLE, ROOMS, TAKES, THINGS, becomes
from heldout.envs.alfworld.house import Goal, House, Receptacle, Thing
from heldout.envs.alfworld.world import TREATMENTS

NEEDS = {state: kind for kind, state, _ in TREATMENTS.values()}
"""The receptacle at which each state is brought about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How large the households of a profile are."""

    receptacles: Sequence[int]
    """Their number is drawn from these."""
    most: int
    """Receptacles of one kind."""
    things: Sequence[int]
    """The number of things besides those that the goal needs."""
    crowd: int
    """The most things that one receptacle has at the start."""


SHAPES = {
    "pocket": Shape(receptacles=(4, 5, 6), most=2, things=(3, 4, 5), crowd=3),
    "standard": Shape(receptacles=tuple(range(12, 25)), most=10, things=tuple(range(14, 31)), crowd=10),
}


@cache
def goals() -> Mapping[str, tuple[Goal, ...]]:
    """Every goal that a household can have, by its kind."""
    pairs = [
        (thing, home)
        for home in TAKES
        for thing in sorted(TAKES[home])
        if any(home in ROOMS[room] and thing in THINGS[room] for room in ROOMS)
    ]
    found = {
        "place": [Goal(thing=thing, home=home) for thing, home in pairs],
        "two": [Goal(thing=thing, home=home, count=2) for thing, home in pairs],
        "light": [Goal(thing=thing, lamp=lamp) for lamp in LAMPS for thing in THINGS[_LIT[lamp]]],
    }
    for state in NEEDS:
        found[str(state)] = [
            Goal(thing=thing, home=home, state=state)
            for thing, home in pairs
            if state in becomes(thing) and home != NEEDS[state]
        ]
    return {kind: tuple(goal for goal in each if _rooms(goal)) for kind, each in found.items()}


_LIT = {"desklamp": "bedroom", "floorlamp": "livingroom"}
"""The rooms with lamps."""


def _rooms(goal: Goal) -> list[str]:
    """The kinds of room in which a goal can be reached, with another place for its things to come from."""
    needed = {goal.home, NEEDS[goal.state] if goal.state else ""} - {""}
    return [
        room
        for room, stands in ROOMS.items()
        if goal.thing in THINGS[room]
        and needed <= stands.keys()
        and (not goal.lamp or room == _LIT[goal.lamp])
        and _sources(goal, room)
    ]


def _sources(goal: Goal, room: str) -> list[str]:
    """The kinds of receptacle where a goal's things may lie at the start."""
    return [kind for kind in ROOMS[room] if kind != goal.home and goal.thing in TAKES[kind]]


def grow(goal: Goal, shape: Shape, chance: Random) -> dict[str, list[str]]:
    """What lies in each receptacle of a household in which the goal can be reached, and is not yet."""
    growth = _Growth(goal, shape, chance)
    growth.furnish()
    growth.place_needed()
    growth.scatter()
    return growth.numbered_names()


def build_house(inside: Mapping[str, Sequence[str]], goal: Goal, said: str) -> House:
    """The household that has these things in these receptacles."""
    names = sorted({name for held in inside.values() for name in held}, key=_by_kind)
    things = {
        name: Thing(rank, name, kind_of(name), kind_of(name) not in LAMPS, becomes(kind_of(name)))
        for rank, name in enumerate(names)
    }
    receptacles = {
        name: Receptacle(rank, name, kind_of(name), rank, kind_of(name) in OPENABLE)
        for rank, name in enumerate(inside)
    }
    return House(
        goal=goal,
        sentence=said,
        start=-1,
        receptacles=receptacles,
        things=things,
        inside={name: tuple(things[each] for each in sorted(held, key=_by_kind)) for name, held in inside.items()},
        lying=frozenset((each, receptacles[name].place) for name, held in inside.items() for each in held),
        fits=FITS,
    )


FITS = frozenset((home, thing) for home, things in TAKES.items() for thing in things)
"""Which kinds of receptacle take which kinds of thing, as a household has it."""


def kind_of(name: str) -> str:
    """The kind in a name: `mug` in `mug 1`."""
    return name.partition(" ")[0]


def _by_kind(name: str) -> tuple[str, int]:
    kind, _, number = name.partition(" ")
    return kind, int(number)


@dataclass
class _Growth:
    """A household while it grows: its receptacles by kind and number, and the kinds of the things in each."""

    goal: Goal
    shape: Shape
    chance: Random
    room: str = field(init=False)
    inside: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.room = self.chance.choice(_rooms(self.goal))

    def furnish(self) -> None:
        """The receptacles: what the goal needs, then any."""
        goal, stands = self.goal, ROOMS[self.room]
        source = self.chance.choice(_sources(goal, self.room))
        lamp = [self.chance.choice([kind for kind in LAMPS[goal.lamp] if kind in stands])] if goal.lamp else []
        needed = [NEEDS[goal.state]] if goal.state else []
        kinds = Counter(dict.fromkeys(filter(None, [source, goal.home, *lamp, *needed]), 1))
        while kinds.total() < self.chance.choice(self.shape.receptacles):
            kind = self.chance.choice(list(stands))
            kinds[kind] = min(kinds[kind] + 1, stands[kind], self.shape.most)
        self.inside = {f"{kind} {number}": [] for kind in sorted(kinds) for number in range(1, kinds[kind] + 1)}

    def place_needed(self) -> None:
        """The things of the goal, not where they are to be brought; and the lamp."""
        for _ in range(self.goal.count):
            self._lay(self.goal.thing)
        if self.goal.lamp:
            self._stand(self.goal.lamp)

    def scatter(self) -> None:
        """Other things, wherever they may lie."""
        for _ in range(self.chance.choice(self.shape.things)):
            self._lay(self.chance.choice(THINGS[self.room]))

    def numbered_names(self) -> dict[str, list[str]]:
        """The receptacles with the names of their things: of each kind numbered by chance."""
        counts = Counter(kind for held in self.inside.values() for kind in held)
        numbers = {kind: list(range(1, count + 1)) for kind, count in counts.items()}
        for left in numbers.values():
            self.chance.shuffle(left)
        return {name: [f"{kind} {numbers[kind].pop()}" for kind in held] for name, held in self.inside.items()}

    def _lay(self, kind: str) -> None:
        """One more thing where there is room for it; nowhere if there is none."""
        there = [
            name
            for name, held in self.inside.items()
            if kind in TAKES[kind_of(name)] and len(held) < self.shape.crowd
        ]
        if kind == self.goal.thing:
            there = [name for name in there if kind_of(name) != self.goal.home]
        if there:
            self.inside[self.chance.choice(there)].append(kind)

    def _stand(self, lamp: str) -> None:
        there = [name for name in self.inside if kind_of(name) in LAMPS[lamp]]
        self.inside[self.chance.choice(there)].append(lamp)
