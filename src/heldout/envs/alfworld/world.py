"""The rules of the household, without English: where the agent stands, what it holds, and what it can do."""

from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple, final

from heldout.envs.alfworld.house import House, Receptacle, State, Thing
from heldout.records import digest


class Verb(Enum):
    """What can be done at all."""

    LOOK = auto()
    INVENTORY = auto()
    HELP = auto()
    GO = auto()
    OPEN = auto()
    CLOSE = auto()
    TAKE = auto()
    PUT = auto()
    CLEAN = auto()
    HEAT = auto()
    COOL = auto()
    USE = auto()
    SLICE = auto()
    EXAMINE = auto()


class Move(NamedTuple):
    """An action by names: the one that it is done to, and the one that it is done with."""

    verb: Verb
    name: str = ""
    other: str = ""


class Why(Enum):
    """Why a move is refused."""

    UNKNOWN = auto()
    NOT_AT = auto()
    NOT_INSIDE = auto()
    SHUT = auto()
    NOT_SHUT = auto()
    NO_DOOR = auto()
    ANOTHER_OPEN = auto()
    HANDS_FULL = auto()
    NOT_HELD = auto()
    FIXED = auto()
    UNFIT = auto()
    NO_USE = auto()


class RuleBroken(Exception):
    """A move that the rules do not allow; the agent is told, and plays on."""

    def __init__(self, why: Why, name: str = "", other: str = "") -> None:
        super().__init__(why, name, other)
        self.why, self.name, self.other = why, name, other


TREATMENTS = {
    Verb.CLEAN: ("sinkbasin", State.CLEAN, None),
    Verb.HEAT: ("microwave", State.HOT, State.COOL),
    Verb.COOL: ("fridge", State.COOL, State.HOT),
}
"""Where a thing in hand is treated, what it becomes, and what it stops being."""

BLADES = ("knife", "butterknife")


@final
class World:
    """One household while it is played; it changes with every move."""

    def __init__(self, house: House, *, original: bool = False) -> None:
        self.house = house
        self.original = original
        """Keep to the letter of the released rules, oddities included."""
        self.place = house.start
        self.held: Thing | None = None
        self.opened = set[str]()
        self.inside = dict(house.inside)
        self.lying = set(house.lying)
        self.taken_from = set[tuple[str, str]]()
        """Things and receptacles that they were taken from, and not put back into: the original's `look` tells."""
        self.states = {state: set[str]() for state in State}
        self.states[State.COOL].update(house.cool)

    @property
    def here(self) -> tuple[Receptacle, ...]:
        """The receptacles where the agent stands."""
        return self.house.at.get(self.place, ())

    @property
    def digest(self) -> str:
        """A digest of where the world stands."""
        start = self.house.inside
        moved = {name: [thing.name for thing in now] for name, now in self.inside.items() if now != start[name]}
        states = {state: sorted(names) for state, names in self.states.items()}
        return digest([self.place, self.held and self.held.name, sorted(self.opened), moved, states])

    def shut(self, receptacle: Receptacle) -> bool:
        """Whether a receptacle would have to be opened first."""
        return receptacle.openable and receptacle.name not in self.opened

    def visible(self) -> Iterator[tuple[Thing, Receptacle]]:
        """What lies open to view where the agent stands, and in what."""
        for receptacle in self.here:
            if not self.shut(receptacle):
                yield from ((thing, receptacle) for thing in self.inside[receptacle.name])

    def moves(self) -> Iterator[Move]:
        """Every move that can be made now."""
        yield Move(Verb.LOOK)
        yield Move(Verb.INVENTORY)
        if self.house.edition.helps:
            yield Move(Verb.HELP)
        for receptacle in self.house.receptacles.values():
            if receptacle.place != self.place or not self.original:
                yield Move(Verb.GO, receptacle.name)
        for receptacle in self.here:
            yield Move(Verb.EXAMINE, receptacle.name)
            if receptacle.openable and self._turns(receptacle):
                yield Move(Verb.OPEN if self.shut(receptacle) else Verb.CLOSE, receptacle.name)
        yield from (Move(Verb.USE, thing.name) for thing in self._lamps())
        if self.held is None:
            yield from (
                Move(Verb.TAKE, thing.name, where.name) for thing, where in self.visible() if thing.portable
            )
        else:
            yield from self._with(self.held)

    def act(self, move: Move) -> None:
        """Makes a move; raises `RuleBroken` where it cannot be made."""
        match move.verb:
            case Verb.GO:
                self._go(self._receptacle(move.name))
            case Verb.OPEN | Verb.CLOSE:
                self._turn(move.verb, self._at(move.name))
            case Verb.TAKE:
                self._take(move.name, self._at(move.other))
            case Verb.PUT:
                self._put(self._in_hand(move.name), self._at(move.other))
            case Verb.CLEAN | Verb.HEAT | Verb.COOL:
                self._treat(move.verb, self._in_hand(move.name), self._at(move.other))
            case Verb.USE:
                self._use(move.name)
            case Verb.SLICE:
                self._slice(move.name, self._in_hand(move.other))
            case Verb.EXAMINE:
                self._examine(move.name)
            case Verb.HELP if not self.house.edition.helps:
                raise RuleBroken(Why.UNKNOWN)

    def _with(self, held: Thing) -> Iterator[Move]:
        """What can be done with what is in hand."""
        yield Move(Verb.EXAMINE, held.name)
        for receptacle in self.here:
            if not self.shut(receptacle) and (receptacle.kind, held.kind) in self.house.fits:
                yield Move(Verb.PUT, held.name, receptacle.name)
            for verb, (kind, state, _) in TREATMENTS.items():
                if receptacle.kind == kind and state in held.becomes:
                    yield Move(verb, held.name, receptacle.name)
        if held.kind in BLADES:
            lying = (self.house.things[name] for name, place in self.lying if place == self.place)
            yield from (Move(Verb.SLICE, thing.name, held.name) for thing in lying if State.SLICED in thing.becomes)

    def _turns(self, receptacle: Receptacle) -> bool:
        return receptacle.name in self.opened or not (self.house.edition.one_open and self.opened)

    def _lamps(self) -> Iterator[Thing]:
        """What can be switched on where the agent stands."""
        if self.house.edition.lamps_by_place:
            near = (self.house.things[name] for name, place in self.lying if place == self.place)
        else:
            near = (thing for receptacle in self.here for thing in self.inside[receptacle.name])
        return (thing for thing in near if State.ON in thing.becomes)

    def _receptacle(self, name: str) -> Receptacle:
        if name not in self.house.receptacles:
            raise RuleBroken(Why.UNKNOWN, name)
        return self.house.receptacles[name]

    def _at(self, name: str) -> Receptacle:
        receptacle = self._receptacle(name)
        if receptacle.place != self.place:
            raise RuleBroken(Why.NOT_AT, name)
        return receptacle

    def _in_hand(self, name: str) -> Thing:
        if self.held is None or self.held.name != name:
            raise RuleBroken(Why.NOT_HELD, name)
        return self.held

    def _go(self, receptacle: Receptacle) -> None:
        if receptacle.place == self.place and self.original:
            raise RuleBroken(Why.NO_USE)
        self.place = receptacle.place

    def _turn(self, verb: Verb, receptacle: Receptacle) -> None:
        if not receptacle.openable:
            raise RuleBroken(Why.NO_DOOR, receptacle.name)
        if self.shut(receptacle) != (verb is Verb.OPEN):
            raise RuleBroken(Why.NOT_SHUT if verb is Verb.OPEN else Why.SHUT, receptacle.name)
        if not self._turns(receptacle):
            raise RuleBroken(Why.ANOTHER_OPEN, min(self.opened))
        self.opened ^= {receptacle.name}

    def _take(self, name: str, receptacle: Receptacle) -> None:
        if self.shut(receptacle):
            raise RuleBroken(Why.SHUT, receptacle.name)
        thing = next((thing for thing in self.inside[receptacle.name] if thing.name == name), None)
        if thing is None:
            raise RuleBroken(Why.NOT_INSIDE, name, receptacle.name)
        if self.held is not None:
            raise RuleBroken(Why.HANDS_FULL, self.held.name)
        if not thing.portable:
            raise RuleBroken(Why.FIXED, name)
        self._lift(thing, receptacle)

    def _lift(self, thing: Thing, receptacle: Receptacle) -> None:
        self.held = thing
        self.taken_from.add((thing.name, receptacle.name))
        if self.original:
            # In the released games a thing may be in two receptacles, and at other places, and stays there.
            from_here, lying = [receptacle.name], {(thing.name, self.place)}
        else:
            from_here = [name for name, now in self.inside.items() if thing in now]
            lying = {(name, place) for name, place in self.lying if name == thing.name}
        for name in from_here:
            self.inside[name] = tuple(each for each in self.inside[name] if each != thing)
        self.lying -= lying

    def _put(self, thing: Thing, receptacle: Receptacle) -> None:
        if self.shut(receptacle):
            raise RuleBroken(Why.SHUT, receptacle.name)
        if (receptacle.kind, thing.kind) not in self.house.fits:
            raise RuleBroken(Why.UNFIT, thing.name, receptacle.name)
        self.held = None
        now = {*self.inside[receptacle.name], thing}
        self.inside[receptacle.name] = tuple(sorted(now, key=lambda each: each.rank))
        self.taken_from.discard((thing.name, receptacle.name))
        self.lying.add((thing.name, self.place))

    def _treat(self, verb: Verb, thing: Thing, receptacle: Receptacle) -> None:
        kind, state, opposite = TREATMENTS[verb]
        if receptacle.kind != kind or state not in thing.becomes:
            raise RuleBroken(Why.NO_USE)
        self.states[state].add(thing.name)
        if opposite is not None:
            self.states[opposite].discard(thing.name)

    def _use(self, name: str) -> None:
        if all(lamp.name != name for lamp in self._lamps()):
            raise RuleBroken(Why.NO_USE)
        self.states[State.ON].add(name)

    def _slice(self, name: str, blade: Thing) -> None:
        lies_here = (name, self.place) in self.lying
        if blade.kind not in BLADES or not lies_here or State.SLICED not in self.house.things[name].becomes:
            raise RuleBroken(Why.NO_USE)
        self.states[State.SLICED].add(name)

    def _examine(self, name: str) -> None:
        if name in self.house.receptacles:
            self._at(name)
        else:
            self._in_hand(name)
