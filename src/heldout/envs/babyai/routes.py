"""The ways through what the agent sees, as the original searches them."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import final

from heldout.envs.babyai.sight import FORWARD, LEFT, RIGHT, SIZE, Cell, Pose, Sight, ahead_of, cell_at, move


@dataclass(frozen=True, slots=True)
class _Field:
    """The rectangle of the view around an agent with one heading, its cells and poses numbered."""

    places: dict[Cell, int]
    """The number of each cell, by where it lies from the agent; a pose's is 4 * cell + heading."""
    faced: tuple[int, ...]
    """Of each pose, the cell straight ahead; -1 outside."""
    following: tuple[tuple[tuple[int, int], ...], ...]
    """Of each pose, the primitives that stay inside, and the pose that each leads to."""


@final
class Routes:
    """The ways from where the agent stands, as primitives, through what it sees; doors, even shut, stop no way.

    A pose may be queued again before it is reached, and then keeps its latest parent: which of two ways is
    taken, and so what later steps see, is the original's. Nothing is searched before it is asked for.
    """

    def __init__(self, sight: Sight) -> None:
        (self._x, self._y), heading = sight.pose
        self._field = _field(heading)
        places = self._field.places
        self._start = 4 * places[0, 0] + heading
        self._open = bytearray(b"\1" * (4 * len(places)))
        """Of each pose, whether it is free and not yet reached."""
        for x, y in sight.blocked:
            first = 4 * places[x - self._x, y - self._y]
            self._open[first : first + 4] = bytes(4)
        self._queue = deque([self._start])
        self._came: dict[int, tuple[int, int]] = {}
        self._facing: dict[int, int] = {}
        self._onto: dict[int, int] = {}

    def facing(self, cell: Cell) -> tuple[int, ...] | None:
        """The way to a place from which a cell in sight is straight ahead; None where there is none."""
        return self._way(self._facing, cell)

    def onto(self, cell: Cell) -> tuple[int, ...] | None:
        """The way to a cell in sight itself."""
        return self._way(self._onto, cell)

    def _way(self, found: dict[int, int], cell: Cell) -> tuple[int, ...] | None:
        place = self._field.places[cell[0] - self._x, cell[1] - self._y]
        self._search(found, place)
        if place not in found:
            return None
        pose, way = found[place], list[int]()
        while pose != self._start:
            pose, primitive = self._came[pose]
            way.append(primitive)
        return tuple(reversed(way))

    def _search(self, found: dict[int, int], place: int) -> None:
        """Goes on until a cell is found, or nothing is left to reach."""
        faced, following = self._field.faced, self._field.following
        free, queue, came = self._open, self._queue, self._came
        while queue and place not in found:
            pose = queue.popleft()
            if free[pose]:
                free[pose] = False
                self._facing.setdefault(faced[pose], pose)
                self._onto.setdefault(pose >> 2, pose)
            for primitive, later in following[pose]:
                if free[later]:
                    came[later] = (pose, primitive)
                    queue.append(later)


@cache
def _field(heading: int) -> _Field:
    places = {cell: number for number, cell in enumerate(_within(heading))}
    poses = [(cell, towards) for cell in places for towards in range(4)]

    def number(pose: Pose) -> int:
        return 4 * places[pose[0]] + pose[1]

    def later(pose: Pose) -> Iterator[tuple[int, int]]:
        for primitive in (FORWARD, LEFT, RIGHT):
            following = move(pose, primitive)
            if following[0] in places:
                yield primitive, number(following)

    return _Field(
        places=places,
        faced=tuple(places.get(ahead_of(pose), -1) for pose in poses),
        following=tuple(tuple(later(pose)) for pose in poses),
    )


def _within(heading: int) -> Iterator[Cell]:
    """The rectangle of the view, from the agent; it reaches one cell too far to the west and north."""
    here = ((0, 0), heading)
    first, beyond = cell_at(here, SIZE - 1, -(SIZE // 2)), cell_at(here, -1, SIZE // 2 + 1)
    return product(_span(first[0], beyond[0]), _span(first[1], beyond[1]))


def _span(first: int, beyond: int) -> range:
    return range(first, beyond) if first < beyond else range(beyond, first + 1)
