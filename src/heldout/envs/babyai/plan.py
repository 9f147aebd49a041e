"""The way for a player that sees the whole grid: how far each pose is from a goal, and what lies between."""

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from typing import Any

from heldout.envs.babyai.moves import TOGGLE
from heldout.envs.babyai.sight import FORWARD, LEFT, RIGHT, STEPS, Cell, Pose, ahead_of, move

DOOR = 1
"""What a shut door adds to a step into it: opening it."""
LOOSE = 10
"""What a thing in the way adds: about the steps to move it aside."""
LOCKED = 30
"""What a locked door adds without its key: about the steps to fetch it."""

Distances = dict[Pose, int]
Shut = frozenset[Cell]
"""Cells that count as walls."""


def distances(grid: Any, goals: Iterable[Pose], shut: Shut) -> Distances:
    """How many primitives each pose is from the nearest goal, hindrances counted; none where no way leads."""
    best = {goal: 0 for goal in goals if goal[0] not in shut and _hindrance(grid, goal[0]) is not None}
    queue = [(0, goal) for goal in sorted(best)]
    while queue:
        distance, pose = heappop(queue)
        if distance > best[pose]:
            continue
        for earlier, cost in _earlier(grid, pose):
            if earlier[0] not in shut and distance + cost < best.get(earlier, distance + cost + 1):
                best[earlier] = distance + cost
                heappush(queue, (distance + cost, earlier))
    return best


def _earlier(grid: Any, pose: Pose) -> Iterator[tuple[Pose, int]]:
    """The poses one primitive before a pose, and what that primitive costs."""
    (x, y), heading = pose
    yield ((x, y), (heading + 1) % 4), 1
    yield ((x, y), (heading - 1) % 4), 1
    dx, dy = STEPS[heading]
    behind, cost = (x - dx, y - dy), _hindrance(grid, (x, y))
    if cost is not None and _hindrance(grid, behind) is not None:
        yield (behind, heading), 1 + cost


def _hindrance(grid: Any, cell: Cell) -> int | None:
    """What a step into a cell costs beyond 1; None where it can never be entered."""
    if not (0 <= cell[0] < grid.width and 0 <= cell[1] < grid.height):
        return None
    thing = grid.grid.get(*cell)
    if thing is None or cell == tuple(grid.agent_pos):
        return 0
    if thing.type != "door":
        return None if thing.type == "wall" else LOOSE
    if thing.is_open:
        return 0
    return LOCKED if thing.is_locked and not unlocks(grid.carrying, thing) else DOOR


def locked_doors(grid: Any) -> Shut:
    """The doors that are locked to who holds what the agent holds."""
    cells = enumerate(grid.grid.grid)
    doors = ((at, thing) for at, thing in cells if thing is not None and thing.type == "door" and thing.is_locked)
    return frozenset((at % grid.width, at // grid.width) for at, door in doors if not unlocks(grid.carrying, door))


def loose_doors(grid: Any) -> Shut:
    """Where things lie that could be moved."""
    cells = enumerate(grid.grid.grid)
    lying = (at for at, thing in cells if thing is not None and thing.type not in ("wall", "door"))
    return frozenset((at % grid.width, at // grid.width) for at in lying)


def unlocks(held: Any, door: Any) -> bool:
    """Whether what is held opens a locked door."""
    return held is not None and held.type == "key" and bool(held.color == door.color)


def facing(cells: Iterable[Cell]) -> list[Pose]:
    """The poses that face one of the cells."""
    return [((x - dx, y - dy), heading) for x, y in cells for heading, (dx, dy) in enumerate(STEPS)]


def first_hindrance(grid: Any, start: Pose, best: Distances) -> Cell | None:
    """The first cell of the way to the goal that must be cleared or unlocked before."""
    pose = start
    while best.get(pose, 0) > 0:
        pose = min(_later(pose), key=lambda later: best.get(later, LOCKED * 1000) + _cost(grid, pose, later))
        if (_hindrance(grid, pose[0]) or 0) >= LOOSE:
            return pose[0]
    return None


def _later(pose: Pose) -> list[Pose]:
    return [move(pose, primitive) for primitive in (FORWARD, LEFT, RIGHT)]


def _cost(grid: Any, pose: Pose, later: Pose) -> int:
    return 1 if later[0] == pose[0] else 1 + (_hindrance(grid, later[0]) or 0)


def glide(grid: Any, pose: Pose, primitives: Iterable[int]) -> Pose:
    """Where primitives lead from a pose: as far as the first step that something stops."""
    opened: Cell | None = None
    for primitive in primitives:
        ahead = ahead_of(pose)
        if primitive == TOGGLE:
            opened = ahead
        elif primitive == FORWARD and ahead != opened and not _enterable(grid, ahead):
            return pose
        pose = move(pose, primitive)
    return pose


def _enterable(grid: Any, cell: Cell) -> bool:
    thing = grid.grid.get(*cell)
    return thing is None or bool(thing.can_overlap())
