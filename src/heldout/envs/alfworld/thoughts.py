"""The reasoning in demonstrations, and the mistakes planted there."""

from heldout.envs.alfworld.goals import is_ready, is_wanted, missing
from heldout.envs.alfworld.players import best, oracle
from heldout.envs.alfworld.words import format_move, read
from heldout.envs.alfworld.world import Move, Verb, World

SAID = {
    Verb.LOOK: "I look around.",
    Verb.INVENTORY: "I see what I carry.",
    Verb.HELP: "I ask what I can do.",
    Verb.OPEN: "It is closed, so I open it.",
    Verb.CLOSE: "I close it again.",
    Verb.CLEAN: "It has to be clean.",
    Verb.HEAT: "It has to be hot.",
    Verb.COOL: "It has to be cool.",
    Verb.SLICE: "It has to be sliced.",
    Verb.EXAMINE: "I look at it.",
}


def thought(world: World, action: str) -> str:
    """One sentence that leads to an action; it claims nothing of what has not been seen."""
    move = read(action, moves=world.house.edition.moves)
    if move is None:
        return "I try something."
    match move.verb:
        case Verb.GO:
            return _way(world, move.name)
        case Verb.USE:
            return f"I need the light of the {world.house.goal.lamp or 'lamp'}."
        case Verb.TAKE:
            right = move.name.startswith(f"{world.house.goal.thing} ")
            return f"I need a {world.house.goal.thing}, so I take it." if right else f"I take the {move.name}."
        case Verb.PUT if world.held is not None and is_ready(world, world.held):
            return f"It belongs to the {world.house.goal.home}."
        case Verb.PUT:
            return f"I put the {move.name} down."
        case _:
            return SAID[move.verb]


def mistakes(world: World) -> list[str]:
    """Plausible mistakes, the tempting first: doing the thing before being there, skipping what has to be done to
    it, a wrong thing, a wrong place."""
    found = [*_too_early(world), *_wrong_things(world), *_wrong_places(world)]
    said = (format_move(move, moves=world.house.edition.moves) for move in found)
    right = oracle(world)
    return [action for action in dict.fromkeys(said) if action != right]


def _way(world: World, name: str) -> str:
    goal, held = world.house.goal, world.held
    if held is None or not is_wanted(goal, held):
        return f"I look for a {goal.thing} at the {name}."
    if todo := missing(world, held):
        return f"I have a {goal.thing}, but it is not {todo[0]}. I try the {name}."
    purpose = f"look for a {goal.lamp} at the {name}" if goal.lamp else f"bring it to the {name}"
    return f"I have a {goal.thing}, so I {purpose}."


def _too_early(world: World) -> list[Move]:
    """What the oracle is on its way to, without the way; and the end without the treatment."""
    goal, held, next_move = world.house.goal, world.held, best(world)
    homes = [each.name for each in world.house.receptacles.values() if each.kind == goal.home]
    if held is not None and is_wanted(goal, held) and not goal.lamp:
        return [Move(Verb.PUT, held.name, home) for home in homes[:2]]
    if held is not None and goal.lamp:
        lamps = [thing.name for thing in world.house.things.values() if thing.kind == goal.lamp]
        return [Move(Verb.USE, lamp) for lamp in lamps]
    inside = world.inside.get(next_move.name, ()) if next_move.verb in (Verb.GO, Verb.OPEN) else ()
    return [Move(Verb.TAKE, thing.name, next_move.name) for thing in inside if is_wanted(goal, thing)]


def _wrong_things(world: World) -> list[Move]:
    """What else could be taken here, or put down in a wrong place."""
    goal, held = world.house.goal, world.held
    if held is None:
        others = [
            (thing, where) for thing, where in world.visible() if thing.portable and not is_wanted(goal, thing)
        ]
        return [Move(Verb.TAKE, thing.name, where.name) for thing, where in others]
    fitting = [each for each in world.here if (each.kind, held.kind) in world.house.fits and not world.shut(each)]
    return [Move(Verb.PUT, held.name, each.name) for each in fitting if each.kind != goal.home]


def _wrong_places(world: World) -> list[Move]:
    """Receptacles of other kinds than the oracle goes to."""
    kind = best(world).name.partition(" ")[0]
    return [
        Move(Verb.GO, each.name)
        for each in world.house.receptacles.values()
        if each.place != world.place and each.kind not in (kind, world.house.goal.home)
    ]
