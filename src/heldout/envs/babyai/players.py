"""Players of the grid world: one that sees all of it, and what a random one may draw from."""

from collections.abc import Callable, Iterable
from typing import Any

from minigrid.envs.babyai.core.verifier import AfterInstr, GoToInstr, OpenInstr, PickupInstr, PutNextInstr, SeqInstr

from heldout.envs.babyai.moves import PICKUP, Order, Verb
from heldout.envs.babyai.plan import (
    Distances,
    Shut,
    distances,
    facing,
    first_hindrance,
    glide,
    locked_doors,
    loose_doors,
    unlocks,
)
from heldout.envs.babyai.sight import STEPS, Cell
from heldout.envs.babyai.words import format_order
from heldout.envs.babyai.world import World

DETOUR = 2
"""Primitives that walking up to some other thing must save over a plain step, to be worth being said."""
UNREACHED = 10_000
"""What counts as left to do where no way leads to the goal: more than any way."""


def oracle(world: World) -> str:
    """The next action of a player that sees the whole grid, planned anew from where it stands."""
    return format_order(_pursue(world, part(world.grid.instrs)))


def legal(world: World) -> list[str]:
    """The actions on offer that do something."""
    return [format_order(order) for order, move in world.table.offers.items() if move.primitives]


def count_remaining(world: World) -> int:
    """How many of the instruction's parts are still to do; to put a thing beside another is two."""
    return _count_parts(world, world.grid.instrs)


def _count_parts(world: World, instruction: Any) -> int:
    if isinstance(instruction, SeqInstr):
        parts = [(instruction.instr_a, instruction.a_done), (instruction.instr_b, instruction.b_done)]
        return sum(_count_parts(world, each) for each, done in parts if done != "success")
    if not isinstance(instruction, PutNextInstr):
        return 1
    return 1 if any(world.grid.carrying is thing for thing in instruction.desc_move.obj_set) else 2


def part(instruction: Any) -> Any:
    """The part of an instruction whose turn it is."""
    if not isinstance(instruction, SeqInstr):
        return instruction
    parts = [(instruction.instr_a, instruction.a_done), (instruction.instr_b, instruction.b_done)]
    if isinstance(instruction, AfterInstr):
        parts.reverse()
    return part(next((each for each, done in parts if done != "success"), parts[-1][0]))


def _pursue(world: World, goal: Any) -> Order:
    if isinstance(goal, GoToInstr):
        return _approach(world, goal.desc.obj_poss)
    if isinstance(goal, OpenInstr):
        return _open(world, [door for door in goal.desc.obj_set if not door.is_open], strict=goal.strict)
    if isinstance(goal, PickupInstr):
        return _fetch(world, goal.desc.obj_set)
    return _put_next(world, goal)


def _open(world: World, doors: list[Any], *, strict: bool) -> Order:
    """Open one of the doors; where it is strict, opening another one on the way would be the end."""
    shut = [door for door in doors if not door.is_locked or unlocks(world.grid.carrying, door)]
    if doors and not shut:
        return _clear_way(world, doors[0]) or _fetch_key(world, doors[0])
    cells = _cells(world, shut)
    verb = Verb.TOGGLE if world.original else Verb.OPEN_THROUGH
    others = _matching(world, lambda thing: thing.type == "door" and not thing.is_open) if strict else []
    closed = frozenset(_cells(world, others)) - frozenset(cells)
    return _find_offer(world, verb, cells) or _approach(world, cells, closed)


def _clear_way(world: World, door: Any) -> Order | None:
    """With empty hands, move aside what lies before a locked door: with its key in hand that could not be done."""
    if world.grid.carrying is not None:
        return None
    hindering = first_hindrance(world.grid, world.sight.pose, _ways(world, _cells(world, [door])))
    thing = None if hindering is None else world.grid.grid.get(*hindering)
    return None if thing is None or thing.type == "door" else _fetch(world, [thing])


def _fetch_key(world: World, door: Any, shut: Shut = frozenset()) -> Order:
    return _fetch(world, _keys(world, door), shut | set(_cells(world, [door])))


def _keys(world: World, door: Any) -> list[Any]:
    return _matching(world, lambda thing: thing.type == "key" and thing.color == door.color)


def _fetch(world: World, things: Iterable[Any], shut: Shut = frozenset()) -> Order:
    """Have one of the things in hand, picked up now."""
    cells = _cells(world, things)
    if world.grid.carrying is not None:
        return _approach(world, cells, shut) if _key_in_use(world, cells) else _put_down(world, cells)
    if not cells:
        return _unbox(world, things)
    return _find_offer(world, Verb.PICKUP, cells) or _approach(world, cells, shut)


def _key_in_use(world: World, cells: list[Cell], shut: Shut = frozenset()) -> bool:
    """Whether the way there, or to the key of a door on it, leads through a door that what is held unlocks."""
    start, goals = world.sight.pose, facing(cells)
    doors = _matching(world, lambda thing: thing.type == "door" and thing.is_locked)
    if not any(unlocks(world.grid.carrying, door) for door in doors):
        return False
    closed = distances(world.grid, goals, shut | frozenset(_cells(world, doors)))
    if start in closed:
        return False
    if start in distances(world.grid, goals, shut | locked_doors(world.grid)):
        return True
    locked = first_hindrance(world.grid, start, distances(world.grid, goals, shut))
    if locked is None:
        return False
    door = world.grid.grid.get(*locked)
    if door.type != "door":
        return False
    return _key_in_use(world, _cells(world, _keys(world, door)), shut | {locked})


def _unbox(world: World, things: Iterable[Any]) -> Order:
    """Open the box that hides one of the things; unknown things may be in any box."""
    hidden = {id(thing) for thing in things}
    boxes = _matching(world, lambda thing: thing.type == "box" and thing.contains is not None)
    wanted = [box for box in boxes if id(box.contains) in hidden] or boxes
    cells = _cells(world, wanted)
    return _find_offer(world, Verb.TOGGLE, cells) or _approach(world, cells)


def _put_down(world: World, goals: list[Cell]) -> Order:
    """Drop what is held where it hinders least: away from doors, and not right ahead if that bars the way on."""
    floor = [cell for cell in _floor(world) if cell != world.sight.facing or not _bars(world, cell, goals)]
    return _drop_at(world, [cell for cell in floor if not _beside_door(world, cell)] or floor)


def _bars(world: World, cell: Cell, goals: list[Cell]) -> bool:
    """Whether a thing in a cell would take away the last free way to facing one of the goals."""
    start, poses, closed = world.sight.pose, facing(goals), loose_doors(world.grid)
    return start in distances(world.grid, poses, closed) and start not in distances(
        world.grid, poses, closed | {cell}
    )


def _put_next(world: World, goal: Any) -> Order:
    """Clear the way to beside the fixed thing first, for full hands clear nothing; then bring the other."""
    beside = _floor_beside(world, goal.desc_fixed.obj_poss)
    barred = first_hindrance(world.grid, world.sight.pose, _ways(world, beside)) is not None
    if any(world.grid.carrying is thing for thing in goal.desc_move.obj_set):
        return _put_down(world, beside) if barred else _drop_at(world, beside)
    if barred or (world.grid.carrying is not None and _key_in_use(world, beside)):
        return _approach(world, beside)
    return _fetch(world, goal.desc_move.obj_set)


def _floor_beside(world: World, fixed: Iterable[Cell]) -> list[Cell]:
    """The empty cells beside fixed things, the agent's own too: it can step off and drop there."""
    beside = {cell for at in fixed for cell in _neighbours((int(at[0]), int(at[1])))}
    return [cell for cell in [*_floor(world), world.sight.pose[0]] if cell in beside]


def _drop_at(world: World, cells: list[Cell]) -> Order:
    drop = Order(Verb.DROP)
    if world.sight.facing in cells and drop in world.table.offers:
        return drop
    return _nearest(world, _ways(world, cells))


def _approach(world: World, cells: Iterable[Any], shut: Shut = frozenset()) -> Order:
    """A move towards facing one of the cells, or towards clearing the first thing or door in the way."""
    best = _ways(world, cells, shut)
    hindering = first_hindrance(world.grid, world.sight.pose, best)
    if hindering is None:
        return _nearest(world, best)
    thing = world.grid.grid.get(*hindering)
    return _fetch_key(world, thing, shut) if thing.type == "door" else _fetch(world, [thing], shut)


def _ways(world: World, cells: Iterable[Any], shut: Shut = frozenset()) -> Distances:
    """How far it is to facing one of the cells: round things and locked doors if any way is, else through them."""
    goals = facing((int(x), int(y)) for x, y in cells)
    best: Distances = {}
    for closed in (locked_doors(world.grid) | loose_doors(world.grid), locked_doors(world.grid), frozenset[Cell]()):
        if world.sight.pose not in best:
            best = distances(world.grid, goals, closed | shut)
    return best


def _nearest(world: World, best: Distances) -> Order:
    """The move after which the least is left to do; of equals, going to a thing, then the simplest."""

    def left_to_do(order: Order) -> tuple[int, int, int]:
        move = world.table.offers[order]
        after = glide(world.grid, world.sight.pose, move.primitives)
        left = best.get(after, UNREACHED)
        detour = DETOUR if order.verb is Verb.GO_TO and left else 0
        return left + detour, order.verb is not Verb.GO_TO, len(move.primitives)

    walks = (Verb.LEFT, Verb.RIGHT, Verb.FORWARD, Verb.THROUGH, Verb.OPEN_THROUGH, Verb.GO_TO)
    orders = [order for order in world.table.offers if order.verb in walks]
    moving = [order for order in orders if world.table.offers[order].primitives]
    return min(moving, key=left_to_do)


def _find_offer(world: World, verb: Verb, cells: list[Cell]) -> Order | None:
    """The shortest move on offer that does this to a thing in one of the cells, if its way is clear."""
    found = list[tuple[int, int, Order]]()
    for order, move in world.table.offers.items():
        if order.verb is not verb or move.thing is None or move.thing.cell not in cells:
            continue
        walk = [primitive for primitive in move.primitives if primitive < PICKUP]
        if verb is Verb.OPEN_THROUGH:
            walk.pop()
        if glide(world.grid, world.sight.pose, walk) in facing([move.thing.cell]):
            found.append((len(move.primitives), len(found), order))
    return min(found)[2] if found else None


def _cells(world: World, things: Iterable[Any]) -> list[Cell]:
    """Where on the grid the things are; to minigrid a wall, too, is a grey object."""
    wanted = {id(thing) for thing in things if thing.type != "wall"}
    width, cells = world.grid.width, world.grid.grid.grid
    return [(at % width, at // width) for at, thing in enumerate(cells) if id(thing) in wanted]


def _matching(world: World, fits: Callable[[Any], bool]) -> list[Any]:
    return [thing for thing in world.grid.grid.grid if thing is not None and fits(thing)]


def _floor(world: World) -> list[Cell]:
    """The empty cells but the agent's own."""
    width, cells = world.grid.width, world.grid.grid.grid
    empty = [(at % width, at // width) for at, thing in enumerate(cells) if thing is None]
    return [cell for cell in empty if cell != world.sight.pose[0]]


def _beside_door(world: World, cell: Cell) -> bool:
    things = [world.grid.grid.get(*beside) for beside in _neighbours(cell)]
    return any(thing is not None and thing.type == "door" for thing in things)


def _neighbours(cell: Cell) -> list[Cell]:
    return [(cell[0] + dx, cell[1] + dy) for dx, dy in STEPS]
