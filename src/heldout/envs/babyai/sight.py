"""What the agent sees: seven cells ahead, three to each side, nothing behind, nothing remembered."""

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from minigrid.core.actions import Actions
from minigrid.core.constants import COLOR_TO_IDX, DIR_TO_VEC, OBJECT_TO_IDX, STATE_TO_IDX

Cell = tuple[int, int]
Pose = tuple[Cell, int]
"""A cell, and the heading there: 0 east, 1 south, 2 west, 3 north."""

SIZE = 7
LEFT, RIGHT, FORWARD = int(Actions.left), int(Actions.right), int(Actions.forward)

STEPS: tuple[Cell, ...] = tuple((int(x), int(y)) for x, y in DIR_TO_VEC)
_KINDS = {index: kind for kind, index in OBJECT_TO_IDX.items()}
_COLORS = {index: color for color, index in COLOR_TO_IDX.items()}
_STATES = {index: state for state, index in STATE_TO_IDX.items()}
_THINGS = frozenset({"door", "key", "ball", "box"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """Something in sight, and where it lies from the agent."""

    kind: str
    """door, key, ball or box."""
    color: str
    state: str = ""
    """Of a door: open, closed or locked."""
    number: int = 1
    """Among those of its name, nearest first."""
    cell: Cell
    ahead: int
    right: int
    """Cells to the right; to the left below 0."""

    @property
    def name(self) -> str:
        """What it shares with its equals: colour, state, kind."""
        return " ".join(filter(None, (self.color, self.state, self.kind)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One look: the things in it, nearest first, and what stops a step."""

    pose: Pose
    carrying: tuple[str, str] | None
    """Colour and kind of what is in the hands."""
    things: tuple[Thing, ...]
    barrier: tuple[str, int] | None
    """The nearest wall or box straight ahead, and how far."""
    blocked: frozenset[Cell]
    """Cells in sight that hold something other than a door."""
    blind: bool
    """Whether nothing at all is in sight, not even a wall."""

    @property
    def facing(self) -> Cell:
        """The cell straight ahead."""
        return ahead_of(self.pose)


def look(grid: Any, image: Any) -> Sight:
    """What the agent of a minigrid environment makes out in a view."""
    x, y = grid.agent_pos
    pose = ((int(x), int(y)), int(grid.agent_dir))
    seen = sorted(_cells(image, pose), key=lambda thing: thing.ahead + abs(thing.right))
    barriers = [thing for thing in seen if thing.kind in ("wall", "box") and thing.right == 0]
    carried = grid.carrying
    return Sight(
        pose=pose,
        carrying=(carried.color, carried.type) if carried else None,
        things=tuple(_numbered(seen)),
        barrier=(barriers[0].kind, barriers[0].ahead) if barriers else None,
        blocked=frozenset(thing.cell for thing in seen if thing.kind != "door"),
        blind=not seen,
    )


def _cells(image: Any, pose: Pose) -> Iterator[Thing]:
    """The walls and things of a view, farthest row first, each row from the left."""
    for row in range(SIZE):
        for column in range(SIZE):
            kind = _KINDS[int(image[column, row, 0])]
            ahead, right = SIZE - 1 - row, column - SIZE // 2
            if (kind != "wall" and kind not in _THINGS) or ahead == right == 0:
                continue
            yield Thing(
                kind=kind,
                color=_COLORS[int(image[column, row, 1])],
                state=_STATES[int(image[column, row, 2])] if kind == "door" else "",
                cell=_cell_at(pose, ahead, right),
                ahead=ahead,
                right=right,
            )


def _numbered(seen: list[Thing]) -> Iterator[Thing]:
    counts = Counter[str]()
    for thing in seen:
        if thing.kind in _THINGS:
            counts[thing.name] += 1
            yield replace(thing, number=counts[thing.name])


def _cell_at(pose: Pose, ahead: int, right: int) -> Cell:
    (x, y), heading = pose
    (fx, fy), (rx, ry) = STEPS[heading], STEPS[(heading + 1) % 4]
    return x + fx * ahead + rx * right, y + fy * ahead + ry * right


def ahead_of(pose: Pose) -> Cell:
    """The cell that a pose faces."""
    return _cell_at(pose, 1, 0)


def moved(pose: Pose, primitive: int) -> Pose:
    """The pose after one primitive, where nothing stops it."""
    cell, heading = pose
    if primitive == LEFT:
        return cell, (heading - 1) % 4
    if primitive == RIGHT:
        return cell, (heading + 1) % 4
    return (ahead_of(pose), heading) if primitive == FORWARD else pose


@dataclass(frozen=True, slots=True)
class Routes:
    """The ways from where the agent stands, as primitives, through what it sees."""

    facing: dict[Cell, tuple[int, ...]]
    """To a place from which the cell is straight ahead."""
    onto: dict[Cell, tuple[int, ...]]
    """To the cell itself."""


def routes(sight: Sight) -> Routes:
    """Every cell that can be faced or stood on without leaving the view; doors, even shut, stop no way.

    A pose may be queued again before it is reached, and then keeps its latest parent: which of two
    ways is taken, and so what later steps see, is the original's.
    """
    came: dict[Pose, tuple[Pose, int]] = {}
    found = Routes({}, {})
    reached: set[Pose] = set()
    queue = deque([sight.pose])
    while queue:
        pose = queue.popleft()
        if pose not in reached:
            reached.add(pose)
            way = _way(came, sight.pose, pose)
            found.facing.setdefault(ahead_of(pose), way)
            found.onto.setdefault(pose[0], way)
        for primitive in (FORWARD, LEFT, RIGHT):
            following = moved(pose, primitive)
            if following not in reached and _free(sight, following[0]):
                came[following] = (pose, primitive)
                queue.append(following)
    return found


def _free(sight: Sight, cell: Cell) -> bool:
    return cell not in sight.blocked and _within(sight.pose, cell)


def _within(pose: Pose, cell: Cell) -> bool:
    """Whether a cell lies in the rectangle of the view, which reaches one cell too far to the west and north."""
    first, beyond = _cell_at(pose, SIZE - 1, -(SIZE // 2)), _cell_at(pose, -1, SIZE // 2 + 1)
    return all(cell[axis] in _span(first[axis], beyond[axis]) for axis in (0, 1))


def _span(first: int, beyond: int) -> range:
    return range(first, beyond) if first < beyond else range(beyond, first + 1)


def _way(came: dict[Pose, tuple[Pose, int]], start: Pose, pose: Pose) -> tuple[int, ...]:
    way = list[int]()
    while pose != start:
        pose, primitive = came[pose]
        way.append(primitive)
    return tuple(reversed(way))
