"""What the agent sees: seven cells ahead, three to each side, nothing behind, nothing remembered."""

from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import Any

from minigrid.core.actions import Actions
from minigrid.core.constants import COLOR_TO_IDX, DIR_TO_VEC, OBJECT_TO_IDX, STATE_TO_IDX
from minigrid.core.world_object import Wall

Cell = tuple[int, int]
Pose = tuple[Cell, int]
"""A cell, and the heading there: 0 east, 1 south, 2 west, 3 north."""

SIZE = 7
LEFT, RIGHT, FORWARD = int(Actions.left), int(Actions.right), int(Actions.forward)

STEPS: tuple[Cell, ...] = tuple((int(x), int(y)) for x, y in DIR_TO_VEC)
_COLORS = {index: color for color, index in COLOR_TO_IDX.items()}
_STATES = {index: state for state, index in STATE_TO_IDX.items()}
_SOLID = {OBJECT_TO_IDX[kind]: kind for kind in ("wall", "door", "key", "ball", "box")}
_SIDES = range(-(SIZE // 2), SIZE // 2 + 1)

Code = tuple[int, int, int]
"""What is in a cell, as minigrid encodes it: kind, colour, state."""
View = tuple[Code, ...]
"""The 49 cells of a view, nearest row first, each row from the left."""

UNSEEN: Code = (OBJECT_TO_IDX["unseen"], 0, 0)
EMPTY: Code = (OBJECT_TO_IDX["empty"], 0, 0)
_OUTSIDE = Wall()


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


def cell_at(pose: Pose, ahead: int, right: int) -> Cell:
    """The cell so far ahead of a pose, and so far to its right."""
    (x, y), heading = pose
    (fx, fy), (rx, ry) = STEPS[heading], STEPS[(heading + 1) % 4]
    return x + fx * ahead + rx * right, y + fy * ahead + ry * right


def ahead_of(pose: Pose) -> Cell:
    """The cell that a pose faces."""
    return cell_at(pose, 1, 0)


def move(pose: Pose, primitive: int) -> Pose:
    """The pose after one primitive, where nothing stops it."""
    cell, heading = pose
    if primitive == LEFT:
        return cell, (heading - 1) % 4
    if primitive == RIGHT:
        return cell, (heading + 1) % 4
    return (ahead_of(pose), heading) if primitive == FORWARD else pose


_ROWS: tuple[tuple[tuple[Cell, ...], ...], ...] = tuple(
    tuple(tuple(cell_at(((0, 0), heading), ahead, right) for right in _SIDES) for ahead in range(SIZE))
    for heading in range(4)
)
"""By heading: where the cells of a view lie from the agent, nearest row first, each row from the left."""
_NEAREST_FIRST = sorted(
    (
        (SIZE * ahead + right + SIZE // 2, ahead, right)
        for ahead in reversed(range(SIZE))
        for right in _SIDES
        if ahead or right
    ),
    key=lambda cell: cell[1] + abs(cell[2]),
)
"""The cells of a view but the agent's own: their place there, how far ahead, how far to the right."""


def view(grid: Any) -> View:
    """What the agent of a minigrid environment sees: the cells of `gen_obs`, without its picture."""
    x, y = map(int, grid.agent_pos)
    width, height, cells = grid.grid.width, grid.grid.height, grid.grid.grid
    found, lit = list[Code](), 1 << SIZE // 2
    for row in _ROWS[int(grid.agent_dir)]:
        if not lit:
            found += [UNSEEN] * SIZE
            continue
        places = [(x + dx, y + dy) for dx, dy in row]
        things = [cells[j * width + i] if 0 <= i < width and 0 <= j < height else _OUTSIDE for i, j in places]
        opaque = sum(1 << i for i, thing in enumerate(things) if thing is not None and not thing.see_behind())
        seen, lit = _spread(lit, opaque)
        codes = [EMPTY if thing is None else thing.encode() for thing in things]
        found += [code if seen >> column & 1 else UNSEEN for column, code in enumerate(codes)]
    found[SIZE // 2] = grid.carrying.encode() if grid.carrying else EMPTY
    return tuple(found)


@cache
def _spread(lit: int, opaque: int) -> tuple[int, int]:
    """The columns of a row that are seen, as bits, and those of the next that are lit: minigrid's `process_vis`."""
    beyond = 0
    for column in range(SIZE - 1):
        if lit & ~opaque & 1 << column:
            lit |= 2 << column
            beyond |= 3 << column
    for column in range(SIZE - 1, 0, -1):
        if lit & ~opaque & 1 << column:
            lit |= 1 << column - 1
            beyond |= 3 << column - 1
    return lit, beyond


def look(grid: Any, seen: View) -> Sight:
    """What the agent of a minigrid environment makes out in a view."""
    x, y = map(int, grid.agent_pos)
    heading = int(grid.agent_dir)
    things, barriers, blocked = list[Thing](), list[tuple[str, int]](), list[Cell]()
    counts = Counter[tuple[int, ...]]()
    for place, ahead, right in _NEAREST_FIRST:
        code = seen[place]
        kind = _SOLID.get(code[0])
        if kind is None:
            continue
        dx, dy = _ROWS[heading][ahead][right + SIZE // 2]
        cell = (x + dx, y + dy)
        if kind != "door":
            blocked.append(cell)
        if kind in ("wall", "box") and right == 0:
            barriers.append((kind, ahead))
        if kind != "wall":
            counts[code] += 1
            things.append(_thing(code, counts[code], cell, (ahead, right)))
    carried = grid.carrying
    return Sight(
        pose=((x, y), heading),
        carrying=(carried.color, carried.type) if carried else None,
        things=tuple(things),
        barrier=barriers[0] if barriers else None,
        blocked=frozenset(blocked),
        blind=not things and not blocked,
    )


def _thing(code: Code, number: int, cell: Cell, place: tuple[int, int]) -> Thing:
    kind = _SOLID[code[0]]
    return Thing(
        kind=kind,
        color=_COLORS[code[1]],
        state=_STATES[code[2]] if kind == "door" else "",
        number=number,
        cell=cell,
        ahead=place[0],
        right=place[1],
    )
