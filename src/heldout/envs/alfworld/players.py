"""Who plays the household seeing all of it: the oracle, and what is legal."""

from collections.abc import Sequence

from heldout.envs.alfworld.goals import is_reached, is_ready, is_wanted, missing
from heldout.envs.alfworld.house import Receptacle, State, Thing
from heldout.envs.alfworld.words import available, format_move
from heldout.envs.alfworld.world import BLADES, TREATMENTS, Move, Verb, World

TREATED_BY = {state: (verb, kind) for verb, (kind, state, _) in TREATMENTS.items()}
"""How a state is brought about, and at what kind of receptacle."""


def oracle(world: World) -> str:
    """The next action of a player that sees the whole household, planned anew from where it stands."""
    return format_move(best(world), moves=world.house.edition.moves)


def legal(world: World) -> list[str]:
    """The actions that can be carried out now."""
    return available(world)


def turns(world: World, most: int) -> int:
    """How many turns the oracle takes from here to the goal, up to `most`; the world is played on."""
    for taken in range(1, most + 1):
        world.act(best(world))
        if is_reached(world):
            return taken
    return most


def best(world: World) -> Move:
    """The next move on a short way to the goal; `look` where no way leads there."""
    try:
        return Move(Verb.LOOK) if is_reached(world) else _pursue(world)
    except _Stuck:
        return Move(Verb.LOOK)


class _Stuck(Exception):
    """The goal asks for something that the household does not have."""


def _pursue(world: World) -> Move:
    goal, held = world.house.goal, world.held
    things = [thing for thing in world.house.things.values() if is_wanted(goal, thing)]
    if goal.lamp:
        return _light(world) if held is not None and held.kind == goal.thing else _fetch(world, things)
    home = _home(world)
    settled = [thing for thing in world.inside[home.name] if is_ready(world, thing)]
    if len(settled) >= goal.count:
        return _shut(world)
    if held is None or held not in things:
        return _fetch(world, [thing for thing in things if thing not in settled])
    todo = missing(world, held)
    if State.SLICED in todo:
        return _put_down(world)
    if todo:
        verb, kind = TREATED_BY[todo[0]]
        return _do(world, _of_kind(world, kind), Move(verb, held.name))
    return _enter(world, home) or Move(Verb.PUT, held.name, home.name)


def _light(world: World) -> Move:
    lamps = [thing for thing in world.house.things.values() if thing.kind == world.house.goal.lamp]
    lamps = [lamp for lamp in lamps if State.ON in lamp.becomes]
    where = {each.name: lamp for lamp in lamps for each in _holders(world, lamp)}
    receptacle = _nearest(world, [world.house.receptacles[name] for name in where])
    return _go(world, receptacle) or Move(Verb.USE, where[receptacle.name].name)


def _fetch(world: World, things: Sequence[Thing]) -> Move:
    """Have one of the things in hand; sliced first, where the goal wants slices."""
    whole = [thing for thing in things if State.SLICED not in missing(world, thing)]
    return _grab(world, whole) if whole or not things else _cut(world, things)


def _grab(world: World, things: Sequence[Thing]) -> Move:
    """Have one of the things in hand, what else is there being put down."""
    if world.held is not None:
        return _put_down(world)
    nearly = sorted(things, key=lambda thing: -len(missing(world, thing)))
    held_by = {each.name: thing for thing in nearly for each in _holders(world, thing) if thing.portable}
    receptacle = _nearest(world, [world.house.receptacles[name] for name in held_by])
    return _enter(world, receptacle) or Move(Verb.TAKE, held_by[receptacle.name].name, receptacle.name)


def _cut(world: World, things: Sequence[Thing]) -> Move:
    if world.held is None or world.held.kind not in BLADES:
        return _grab(world, [thing for thing in world.house.things.values() if thing.kind in BLADES])
    names = {thing.name for thing in things}
    lying = {place: name for name, place in sorted(world.lying) if name in names}
    near = [each for each in world.house.receptacles.values() if each.place in lying]
    receptacle = _nearest(world, near)
    return _go(world, receptacle) or Move(Verb.SLICE, lying[receptacle.place], world.held.name)


def _put_down(world: World) -> Move:
    """Let go of what is in hand, here if it can be."""
    if world.held is None:
        raise _Stuck
    kind = world.held.kind
    receptacle = _nearest(
        world, [each for each in world.house.receptacles.values() if (each.kind, kind) in world.house.fits]
    )
    return _enter(world, receptacle) or Move(Verb.PUT, world.held.name, receptacle.name)


def _shut(world: World) -> Move:
    """Close what is open, where the goal asks for it."""
    if not world.opened:
        raise _Stuck
    receptacle = _nearest(world, [world.house.receptacles[name] for name in sorted(world.opened)])
    return _go(world, receptacle) or Move(Verb.CLOSE, receptacle.name)


def _home(world: World) -> Receptacle:
    """The receptacle to bring things to: where most of them are already, then the nearest."""
    homes = _of_kind(world, world.house.goal.home)
    there = {home.name: sum(is_ready(world, thing) for thing in world.inside[home.name]) for home in homes}
    fullest = max(there.values(), default=0)
    return _nearest(world, [home for home in homes if there[home.name] == fullest])


def _do(world: World, receptacles: Sequence[Receptacle], move: Move) -> Move:
    """A move made at one of the receptacles, or the way there."""
    receptacle = _nearest(world, receptacles)
    return _go(world, receptacle) or move._replace(other=receptacle.name)


def _enter(world: World, receptacle: Receptacle) -> Move | None:
    """What is still to do before one can reach into a receptacle."""
    if not world.shut(receptacle):
        return _go(world, receptacle)
    if world.house.edition.one_open and world.opened:
        return _shut(world)
    return _go(world, receptacle) or Move(Verb.OPEN, receptacle.name)


def _go(world: World, receptacle: Receptacle) -> Move | None:
    return None if receptacle.place == world.place else Move(Verb.GO, receptacle.name)


def _nearest(world: World, receptacles: Sequence[Receptacle]) -> Receptacle:
    """The receptacle that takes fewest moves to reach into; of equals the first listed."""
    if not receptacles:
        raise _Stuck
    return min(receptacles, key=lambda each: ((each.place != world.place) + world.shut(each), each.rank))


def _of_kind(world: World, kind: str) -> list[Receptacle]:
    return [each for each in world.house.receptacles.values() if each.kind == kind]


def _holders(world: World, thing: Thing) -> list[Receptacle]:
    return [world.house.receptacles[name] for name, now in world.inside.items() if thing in now]
