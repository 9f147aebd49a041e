"""What the agent may do: the table of moves that each look allows, and why the others are refused."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from minigrid.core.actions import Actions

from heldout.envs.babyai.routes import Routes
from heldout.envs.babyai.sight import FORWARD, LEFT, RIGHT, Sight, Thing

WALKING = frozenset({LEFT, RIGHT, FORWARD})
"""Primitives that leave the grid as it is."""
PICKUP, DROP, TOGGLE = int(Actions.pickup), int(Actions.drop), int(Actions.toggle)


class Verb(Enum):
    """What can be done at all."""

    LEFT = auto()
    RIGHT = auto()
    FORWARD = auto()
    PICKUP = auto()
    DROP = auto()
    THROUGH = auto()
    """Into the cell of an open door."""
    OPEN_THROUGH = auto()
    """Open a door, and into its cell."""
    TOGGLE = auto()
    """Open what is straight ahead."""
    GO_TO = auto()
    """Until it is straight ahead."""
    CHECK = auto()
    """Ask for the table itself."""


class Why(Enum):
    """Why a move is refused."""

    BARRIER = auto()
    NO_WAY = auto()
    NO_WAY_COUNTED = auto()
    """The same of a door, in the words of the original's slip: all counts so far instead of its number (Q-BA3)."""
    SHUT = auto()
    NO_KEY = auto()
    WRONG_KEY = auto()
    EMPTY_HANDS = auto()
    NO_ROOM = auto()


@dataclass(frozen=True, slots=True)
class Order:
    """A move by name: what to do, and with which thing."""

    verb: Verb
    name: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class Move:
    """An order that can be carried out, primitive by primitive."""

    primitives: tuple[int, ...] = ()
    thing: Thing | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an order cannot be carried out."""

    why: Why
    counts: tuple[tuple[str, int], ...] = ()


Answer = tuple[Order, Move | Refusal]


@dataclass(frozen=True, slots=True)
class Table:
    """The moves on offer, in the original's order, and the refusals that have a reason."""

    offers: dict[Order, Move]
    refusals: dict[Order, Refusal]


def table(sight: Sight, *, original: bool) -> Table:
    """What a look allows; `original` numbers things and leaves boxes shut as the original does (Q-BA4, Q-BA5)."""
    found = Table({}, {})
    for order, answer in _answers(sight, Routes(sight), original):
        if isinstance(answer, Move):
            found.offers[order] = answer
        else:
            found.refusals[order] = answer
    return found


def _answers(sight: Sight, ways: Routes, original: bool) -> Iterator[Answer]:
    yield Order(Verb.LEFT), Move((LEFT,))
    yield Order(Verb.RIGHT), Move((RIGHT,))
    near = sight.barrier is not None and sight.barrier[1] <= 1
    yield Order(Verb.FORWARD), Refusal(Why.BARRIER) if near else Move((FORWARD,))
    if sight.carrying is None:
        loose = [thing for thing in sight.things if thing.kind != "door"]
        yield from _reaching(Verb.PICKUP, loose, ways, original)
    yield Order(Verb.DROP), _drop(sight)
    counts = Counter[str]()
    for thing in sight.things:
        if thing.kind == "door":
            counts[thing.name] += 1
            lost = Refusal(Why.NO_WAY_COUNTED, tuple(counts.items())) if original else Refusal(Why.NO_WAY)
            yield from _door(sight, thing, ways, lost)
        elif thing.kind == "box" and thing.cell == sight.facing and not original:
            yield Order(Verb.TOGGLE), Move((TOGGLE,), thing)
    yield from _reaching(Verb.GO_TO, list(sight.things), ways, original)
    yield Order(Verb.CHECK), Move()


def _reaching(verb: Verb, things: list[Thing], ways: Routes, original: bool) -> Iterator[Answer]:
    """Going to things, or picking them up; the original counts only those within reach (Q-BA4)."""
    last = (PICKUP,) if verb is Verb.PICKUP else ()
    reached = Counter[str]()
    for thing in things:
        way = ways.facing(thing.cell)
        number = reached[thing.name] + 1 if original else thing.number
        order = Order(verb, thing.name, number)
        if way is None:
            yield order, Refusal(Why.NO_WAY)
        else:
            reached[thing.name] += 1
            yield order, Move(way + last, thing)


def _drop(sight: Sight) -> Move | Refusal:
    if sight.carrying is None:
        return Refusal(Why.EMPTY_HANDS)
    return Refusal(Why.NO_ROOM) if sight.facing in sight.blocked else Move((DROP,))


def _door(sight: Sight, door: Thing, ways: Routes, lost: Refusal) -> Iterator[Answer]:
    through = Order(Verb.THROUGH, door.name, door.number)
    opening = Order(Verb.OPEN_THROUGH, door.name, door.number)
    if door.state == "open":
        onto = ways.onto(door.cell)
        yield through, Refusal(Why.NO_WAY) if onto is None else Move(onto, door)
        return
    if door.state == "closed":
        yield through, Refusal(Why.SHUT)
    elif sight.carrying is None or sight.carrying[1] != "key":
        yield opening, Refusal(Why.NO_KEY)
        return
    elif sight.carrying[0] != door.color:
        yield opening, Refusal(Why.WRONG_KEY)
        return
    facing = ways.facing(door.cell)
    yield opening, lost if facing is None else Move((*facing, TOGGLE, FORWARD), door)
    if facing == ():
        yield Order(Verb.TOGGLE), Move((TOGGLE,), door)
