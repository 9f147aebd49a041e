"""The household in words: actions read and said, and what is seen (alfred.twl2, in all its editions)."""

from collections.abc import Iterable

from heldout.envs.alfworld.house import Receptacle, State, Thing
from heldout.envs.alfworld.world import Move, RuleBroken, Verb, Why, World

NOTHING_HAPPENS = "Nothing happens."

PUT, MOVE = "put {0} in/on {1}", "move {0} to {1}"
"""What putting down is called; the later edition says `move`."""

SHAPES = {
    Verb.LOOK: "look",
    Verb.INVENTORY: "inventory",
    Verb.HELP: "help",
    Verb.GO: "go to {0}",
    Verb.OPEN: "open {0}",
    Verb.CLOSE: "close {0}",
    Verb.TAKE: "take {0} from {1}",
    Verb.CLEAN: "clean {0} with {1}",
    Verb.HEAT: "heat {0} with {1}",
    Verb.COOL: "cool {0} with {1}",
    Verb.USE: "use {0}",
    Verb.SLICE: "slice {0} with {1}",
    Verb.EXAMINE: "examine {0}",
}

DONE = {
    Verb.CLOSE: "You close the {0}.",
    Verb.TAKE: "You pick up the {0} from the {1}.",
    Verb.PUT: "You put the {0} in/on the {1}.",
    Verb.CLEAN: "You clean the {0} using the {1}.",
    Verb.HEAT: "You heat the {0} using the {1}.",
    Verb.COOL: "You cool the {0} using the {1}.",
    Verb.USE: "You turn on the {0}.",
    Verb.SLICE: "You sliced the {0} with the {1}.",
}

REFUSED = {
    Why.UNKNOWN: "Nothing happens.",
    Why.NOT_AT: "Nothing happens: you are not at the {0}.",
    Why.NOT_INSIDE: "Nothing happens: that is not in/on the {1}.",
    Why.SHUT: "Nothing happens: the {0} is closed.",
    Why.NOT_SHUT: "Nothing happens: the {0} is open already.",
    Why.NO_DOOR: "Nothing happens: the {0} does not open or close.",
    Why.ANOTHER_OPEN: "Nothing happens: the {0} is still open.",
    Why.HANDS_FULL: "Nothing happens: you already carry the {0}.",
    Why.NOT_HELD: "Nothing happens: you do not carry that.",
    Why.FIXED: "Nothing happens: the {0} cannot be carried.",
    Why.UNFIT: "Nothing happens: the {0} does not go in/on the {1}.",
    Why.NO_USE: "Nothing happens: that cannot be done.",
}

HELP = """\
Available commands:
  look:                             look around your current location
  inventory:                        check your current inventory
  go to (receptacle):               move to a receptacle
  open (receptacle):                open a receptacle
  close (receptacle):               close a receptacle
  take (object) from (receptacle):  take an object from a receptacle
  move (object) to (receptacle):  place an object in or on a receptacle
  examine (something):              examine a receptacle or an object
  use (object):                     use an object
  heat (object) with (receptacle):  heat an object using a receptacle
  clean (object) with (receptacle): clean an object using a receptacle
  cool (object) with (receptacle):  cool an object using a receptacle
  slice (object) with (object):     slice an object using a sharp object
"""


def format_move(move: Move, *, moves: bool = False) -> str:
    """The action that makes a move, in the words of an edition."""
    shape = (MOVE if moves else PUT) if move.verb is Verb.PUT else SHAPES[move.verb]
    return shape.format(move.name, move.other)


def read(action: str, *, moves: bool = False) -> Move | None:
    """The move that an action names; None where it names none."""
    word, _, rest = action.partition(" ")
    if word == "go":
        to, _, rest = rest.partition(" ")
        return Move(Verb.GO, rest) if to == "to" else None
    if word not in _FORMS or word == ("put" if moves else "move"):
        return None
    verb, joint = _FORMS[word]
    if not joint:
        return Move(verb, rest) if bool(rest) != (verb in _ALONE) else None
    name, found, other = rest.partition(joint)
    return Move(verb, name, other) if found else None


_ALONE = (Verb.LOOK, Verb.INVENTORY, Verb.HELP)
_FORMS = {
    "look": (Verb.LOOK, ""),
    "inventory": (Verb.INVENTORY, ""),
    "help": (Verb.HELP, ""),
    "open": (Verb.OPEN, ""),
    "close": (Verb.CLOSE, ""),
    "use": (Verb.USE, ""),
    "examine": (Verb.EXAMINE, ""),
    "take": (Verb.TAKE, " from "),
    "put": (Verb.PUT, " in/on "),
    "move": (Verb.PUT, " to "),
    "clean": (Verb.CLEAN, " with "),
    "heat": (Verb.HEAT, " with "),
    "cool": (Verb.COOL, " with "),
    "slice": (Verb.SLICE, " with "),
}
"""The first word of each action but `go to`, and what stands between its two names."""


def available(world: World) -> list[str]:
    """The actions that can be carried out now, in the original's order."""
    moves = world.house.edition.moves
    return sorted({format_move(move, moves=moves) for move in world.moves()})


def opening(world: World) -> str:
    """The first look around, and the goal."""
    around = _describe_place(world) if world.here else _surroundings(world)
    return f"{around}\n{world.house.sentence}"


def _surroundings(world: World) -> str:
    """The room, seen from its middle."""
    seen = _listing(f"a {name}" for name in world.house.receptacles)
    return f"You are in the middle of a room. Looking quickly around you, you see {seen}."


def _describe_place(world: World) -> str:
    """What one stands before; the original adds things that were taken from there and put down beside."""
    floor = (
        f"a {world.house.things[name].name}"
        for name in _by_rank(world, (name for name, place in world.lying if place == world.place))
        for receptacle in world.here
        if world.original and (name, receptacle.name) in world.taken_from
    )
    return (
        f"You are facing the {_listing(each.name for each in world.here)}. Next to it, you see {_listing(floor)}."
    )


def _contents(world: World, receptacle: Receptacle) -> str:
    """What can be seen of a receptacle."""
    if world.shut(receptacle):
        return f"The {receptacle.name} is closed."
    seen = _listing(f"a {thing.name}" for thing in world.inside[receptacle.name])
    if receptacle.openable:
        return f"The {receptacle.name} is open. In it, you see {seen}."
    return f"On the {receptacle.name}, you see {seen}."


def describe_result(world: World, move: Move) -> str:
    """What a move is answered that has just been made."""
    edition = world.house.edition
    match move.verb:
        case Verb.LOOK:
            return _look(world)
        case Verb.INVENTORY:
            return f"You are carrying: a {world.held.name}." if world.held else "You are not carrying anything."
        case Verb.HELP:
            return HELP
        case Verb.GO:
            came = f"You arrive at {move.name}. " if edition.arrives else ""
            return came + _contents(world, world.house.receptacles[move.name])
        case Verb.OPEN:
            seen = "" if edition.opens_blindly else " " + _contents(world, world.house.receptacles[move.name])
            return f"You open the {move.name}.{seen}"
        case Verb.EXAMINE if move.name in world.house.receptacles:
            return _contents(world, world.house.receptacles[move.name])
        case Verb.EXAMINE:
            return _describe_held(world, world.house.things[move.name])
        case Verb.PUT if edition.moves:
            return f"You move the {move.name} to the {move.other}."
        case _:
            return DONE[move.verb].format(move.name, move.other)


def _describe_held(world: World, thing: Thing) -> str:
    """A thing in hand."""
    state = _state(world, thing)
    if thing.name in world.house.carriers:
        inside = _listing(f"a {each.name}" for each in world.house.carriers[thing.name])
        # The original does not tell the state of a thing that can hold others.
        return (
            f"This is a {'normal' if world.original or not state else state} {thing.name}. In it, you see {inside}."
        )
    if state:
        return f"This is a {state} {thing.name}."
    if thing.name in world.states[State.ON]:
        return f"This {thing.name} is on."
    return f"There's nothing special about {thing.name}."


def explain_refusal(mistake: RuleBroken) -> str:
    """Why a move cannot be made."""
    return REFUSED[mistake.why].format(mistake.name, mistake.other)


def _listing(names: Iterable[str]) -> str:
    """Names as the original lists them: `a`, `a, and b`, `a, b, and c`, or `nothing`."""
    *first, last = [*names] or ["nothing"]
    return ", and ".join([", ".join(first), last]) if first else last


def _look(world: World) -> str:
    if world.here:
        return _describe_place(world)
    # Once the agent's place is known the original looks for receptacles there, and finds none.
    return _surroundings(world) if not world.original else _NOWHERE


_NOWHERE = "You are in the middle of a room. Looking quickly around you, you see nothing."


def _state(world: World, thing: Thing) -> str:
    """`hot`, `cold`, `hot and clean sliced` …: what has been done to a thing."""
    clean, hot, cool, sliced = (thing.name in world.states[state] for state in list(State)[:4])
    degree = "hot" if hot else "cool" if cool else ""
    if degree == "cool" and not clean and not sliced:
        return "cold"
    words = " and ".join(filter(None, (degree, "clean" if clean else "")))
    return " ".join(filter(None, (words, "sliced" if sliced else "")))


def _by_rank(world: World, names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: world.house.things[name].rank)
