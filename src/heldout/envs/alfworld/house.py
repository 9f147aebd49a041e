"""A household before anybody has moved in it: what never changes in an episode, shared by all of a task."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property


class State(StrEnum):
    """What a thing can become."""

    CLEAN = "clean"
    HOT = "hot"
    COOL = "cool"
    SLICED = "sliced"
    ON = "on"


@dataclass(frozen=True, slots=True)
class Thing:
    """An object; `rank` is its place in the order in which lists name things."""

    rank: int
    name: str
    """Such as `mug 1`."""
    kind: str
    """Such as `mug`."""
    portable: bool = True
    becomes: frozenset[State] = frozenset()
    """What it can become at all."""


@dataclass(frozen=True, slots=True)
class Receptacle:
    """A piece of furniture or an appliance that things lie in or on."""

    rank: int
    name: str
    kind: str
    place: int
    """Where one stands at it; several may share a place."""
    openable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What has to be so at the end: things of a kind in one receptacle of a kind, or one in hand under a lamp."""

    thing: str
    home: str = ""
    """The kind of receptacle; none where the goal is to look at the thing."""
    count: int = 1
    state: State | None = None
    """CLEAN, HOT or COOL."""
    sliced: bool = False
    lamp: str = ""
    """The kind of lamp to look at it by."""
    carrier: str = ""
    """The kind of thing that it has to be inside of, which no action can bring about."""
    all_shut: bool = False
    """Whether every receptacle has to be shut in the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """In what the released versions of the games differ; the defaults are most games of 2.1.1."""

    moves: bool = False
    """`move X to Y` instead of `put X in/on Y`."""
    arrives: bool = False
    """Going somewhere says so, before what is seen there."""
    opens_blindly: bool = False
    """Opening does not say what is inside."""
    helps: bool = False
    """There is an action `help`."""
    one_open: bool = False
    """A receptacle opens only while none is open."""
    lamps_by_place: bool = False
    """A lamp is used where it lies, whatever it lies in."""


@dataclass(frozen=True)
class House:
    """Everything that does not change while an episode is played."""

    goal: Goal
    sentence: str
    """The goal as the agent is told it."""
    start: int
    """The place where the agent begins."""
    receptacles: Mapping[str, Receptacle]
    """By name, in the order of lists."""
    things: Mapping[str, Thing]
    """By name, in the order of lists."""
    inside: Mapping[str, tuple[Thing, ...]]
    """What lies in each receptacle at the start; the released games have things in two at once."""
    lying: frozenset[tuple[str, int]]
    """The places where each thing lies, which the released games tell apart from what it lies in."""
    fits: frozenset[tuple[str, str]]
    """Which kinds of receptacle take which kinds of thing."""
    cool: frozenset[str] = frozenset()
    """Things that are cool from the start."""
    carriers: Mapping[str, tuple[Thing, ...]] = field(default_factory=dict)
    """Things that could hold others, with what they hold."""
    edition: Edition = Edition()

    @cached_property
    def at(self) -> Mapping[int, tuple[Receptacle, ...]]:
        """The receptacles at each place that has some."""
        found: dict[int, tuple[Receptacle, ...]] = {}
        for receptacle in self.receptacles.values():
            found[receptacle.place] = (*found.get(receptacle.place, ()), receptacle)
        return found
