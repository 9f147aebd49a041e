"""The world in English: names of moves, the original's sentences, and a terse wording for small models."""

from collections.abc import Iterable

from heldout.envs.babyai.moves import Order, Refusal, Table, Verb, Why
from heldout.envs.babyai.sight import Sight, Thing
from heldout.records import Json

VERBS = {
    Verb.LEFT: "turn left",
    Verb.RIGHT: "turn right",
    Verb.FORWARD: "move forward",
    Verb.PICKUP: "pickup",
    Verb.DROP: "drop",
    Verb.THROUGH: "go through",
    Verb.OPEN_THROUGH: "toggle and go through",
    Verb.TOGGLE: "toggle",
    Verb.GO_TO: "go to",
    Verb.CHECK: "check available actions",
}

UNKNOWN = "The action is not recognized. Please check valid actions."
UNLISTED = "The action is not recognized."
UNCHANGED = "No change in state."
COMPLETED = "\n The task is completed."
FAILED = "\n The task has failed."
NO_TIME = "\n No time is left for the task."


def format_order(order: Order) -> str:
    """An order as an action."""
    return f"{VERBS[order.verb]} {order.name} {order.number}" if order.name else VERBS[order.verb]


def explain_refusal(order: Order, refusal: Refusal) -> str:
    """Why an order is refused."""
    if refusal.why is Why.BARRIER:
        return "There is a barrier in front of you, you can't move forward."
    if refusal.why is Why.EMPTY_HANDS:
        return "You cannot drop the object, as you are not carrying anything."
    if refusal.why is Why.NO_ROOM:
        return "You cannot drop the object, as there is already an object in front of you."
    number = str(dict(refusal.counts)) if refusal.why is Why.NO_WAY_COUNTED else order.number
    return f"You cannot {VERBS[order.verb]} {order.name} {number}, as {_REASONS[refusal.why]}"


_REASONS = {
    Why.NO_WAY: "there is no path leading to it.",
    Why.NO_WAY_COUNTED: "there is no path leading to it.",
    Why.SHUT: "it is closed. You should toggle it first.",
    Why.NO_KEY: "you are not carrying a key.",
    Why.WRONG_KEY: "the color of the key you are carrying does not match the color of door.",
}


def describe_view(sight: Sight) -> str:
    """A look in the original's sentences."""
    seen = "".join(f"There is a {thing.name} {thing.number} {_place(thing)}. " + " " for thing in sight.things)
    opening = "In front of you in this room, you can see several objects: " + seen
    walls = "The room has walls around you. "
    if sight.barrier:
        walls += "You are facing a {} {} steps away. ".format(*sight.barrier)
    hands = (
        "You are carrying a {} {}.".format(*sight.carrying) if sight.carrying else "You are not carrying anything."
    )
    return ("You cannot see any objects within sight." if sight.blind else opening) + walls + hands


def _place(thing: Thing) -> str:
    if thing.right == 0:
        return f"right in front of you {thing.ahead} steps away"
    side = "right" if thing.right > 0 else "left"
    return f"{thing.ahead} steps in front of you and {abs(thing.right)} steps to your {side}"


def list_moves(offers: Iterable[Order]) -> str:
    """The moves on offer as the original lists them, below an observation."""
    return "\nAvailable actions: [" + ", ".join(f'"{format_order(order)}"' for order in offers) + "]"


def answer_check(offers: Iterable[Order]) -> str:
    """The answer to asking for the moves on offer."""
    return "You can take the following actions: " + ", ".join(map(format_order, offers))


def original_goal(mission: str) -> str:
    """The goal as the original gives it, its order lost (Q-BA2)."""
    return mission.replace("then", "and").replace("after you", "and")


def terse(sight: Sight) -> str:
    """A look in few words: the same facts for a small model."""
    seen = ", ".join(f"{thing.name} {thing.number} ({_short_place(thing)})" for thing in sight.things)
    wall = "{} {} ahead. ".format(*sight.barrier).capitalize() if sight.barrier else ""
    hands = "{} {}".format(*sight.carrying) if sight.carrying else "nothing"
    return f"You see {seen or 'nothing'}. {wall}You carry {hands}."


def _short_place(thing: Thing) -> str:
    side = f"{abs(thing.right)} {'right' if thing.right > 0 else 'left'}"
    places = [f"{thing.ahead} ahead"] * (thing.ahead > 0) + [side] * (thing.right != 0)
    return " ".join(places)


def facts(sight: Sight) -> dict[str, Json]:
    """A look as keys and values: the same facts again."""
    seen = [{"thing": f"{thing.name} {thing.number}", "place": _short_place(thing)} for thing in sight.things]
    wall = {sight.barrier[0]: f"{sight.barrier[1]} ahead"} if sight.barrier else {}
    return {"seen": seen, **wall, "carrying": "{} {}".format(*sight.carrying) if sight.carrying else "nothing"}


def list_moves_tersely(table: Table) -> str:
    """The moves on offer in few words: things that allow the same are named together."""
    plain = [format_order(order) for order in table.offers if not order.name and order.verb is not Verb.CHECK]
    verbs: dict[str, list[str]] = {}
    for order in table.offers:
        if order.name:
            verbs.setdefault(f"{order.name} {order.number}", []).append(VERBS[order.verb])
    things: dict[str, list[str]] = {}
    for thing, allowed in verbs.items():
        things.setdefault(" or ".join(sorted(allowed)), []).append(thing)
    groups = [f"{allowed}: {', '.join(names)}" for allowed, names in things.items()]
    return "\nActions: " + "; ".join([", ".join(plain), *groups])
