"""What is seen in the household as keys and values: the facts of words.py again."""

from heldout.envs.alfworld.house import Receptacle
from heldout.envs.alfworld.words import describe_result
from heldout.envs.alfworld.world import Move, Verb, World
from heldout.records import Json


def structured_opening(world: World) -> dict[str, Json]:
    """The first look around, and the goal."""
    return {**_around(world), "task": world.house.sentence.removeprefix("Your task is to: ").removesuffix(".")}


def structured_answer(world: World, move: Move) -> dict[str, Json]:
    """What a move is answered that has just been made."""
    edition, receptacle = world.house.edition, world.house.receptacles.get(move.name)
    match move.verb:
        case Verb.LOOK:
            return _around(world)
        case Verb.INVENTORY:
            return {"carrying": world.held.name if world.held else "nothing"}
        case Verb.GO if receptacle:
            came = {"result": f"You arrive at {move.name}."} if edition.arrives else {}
            return {**came, **_contents(world, receptacle)}
        case Verb.OPEN if receptacle:
            seen = {} if edition.opens_blindly else _contents(world, receptacle)
            return {"result": f"You open the {move.name}.", **seen}
        case Verb.EXAMINE if receptacle:
            return _contents(world, receptacle)
        case _:
            return {"result": describe_result(world, move)}


def _around(world: World) -> dict[str, Json]:
    """What stands where the agent is; from the middle of the room, all of it."""
    if world.here:
        return {"facing": [each.name for each in world.here], "next to it": "nothing"}
    return {"in the room": [*world.house.receptacles]}


def _contents(world: World, receptacle: Receptacle) -> dict[str, Json]:
    """What can be seen of a receptacle."""
    if world.shut(receptacle):
        return {receptacle.name: {"state": "closed"}}
    things = [thing.name for thing in world.inside[receptacle.name]]
    return {receptacle.name: {"state": "open", "in it": things} if receptacle.openable else {"on it": things}}
