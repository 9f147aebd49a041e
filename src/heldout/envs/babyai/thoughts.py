"""The reasoning in demonstrations, and the mistakes planted there: both go by what is in sight alone."""

from typing import Any

from minigrid.envs.babyai.core.verifier import GoToInstr, OpenInstr, PickupInstr, PutNextInstr

from heldout.envs.babyai.moves import Order, Verb
from heldout.envs.babyai.players import oracle, part
from heldout.envs.babyai.sight import Thing
from heldout.envs.babyai.words import VERBS, format_order
from heldout.envs.babyai.world import World

_DOES = {GoToInstr: Verb.GO_TO, PickupInstr: Verb.PICKUP, OpenInstr: Verb.OPEN_THROUGH}
"""The verb that fulfils an instruction once its thing is in reach; the rest begin by picking up."""


def thought(world: World, action: str) -> str:
    """One sentence that leads to an action from what is in sight."""
    target = _target(world)
    order = next((order for order in world.table.offers if format_order(order) == action), None)
    if order is None:
        return f"I try to {action}." if action else "I wait."
    if order.verb in (Verb.DROP, Verb.TOGGLE):
        return _at_hand(world, order)
    thing = world.table.offers[order].thing
    if order.verb is Verb.PICKUP and thing is not None and not _fits(target, thing):
        use = "opens a door" if thing.kind == "key" else "is in my way"
        return f"The {order.name} {order.number} {use}, so I pick it up."
    seen = [each for each in world.sight.things if _fits(target, each)]
    if thing in seen:
        return f"I see {order.name} {order.number}, so I {_PURSUES[order.verb]}."
    doing = (
        f"I open {order.name} {order.number}." if order.verb is Verb.OPEN_THROUGH else f"I {format_order(order)}."
    )
    if not seen:
        article = "a" if target.color or target.type else "an"
        return f"I do not see {article} {_words(target)}, so {doing}"
    nearest = f"{seen[0].name} {seen[0].number}"
    if seen[0].cell == world.sight.facing:
        return f"I already face {nearest}, so {doing}"
    return f"I cannot reach {nearest}, so {doing}"


_PURSUES = {
    Verb.GO_TO: "go to it",
    Verb.PICKUP: "pick it up",
    Verb.THROUGH: "go through it",
    Verb.OPEN_THROUGH: "open it",
}


def mistakes(world: World) -> list[str]:
    """Plausible mistakes: a wrong thing, one that is not there, turning from what is in reach, the wrong verb."""
    target = _target(world)
    offers = world.table.offers
    reaching = {order: move.thing for order, move in offers.items() if order.verb in (Verb.GO_TO, Verb.PICKUP)}
    right = [order for order, thing in reaching.items() if thing is not None and _fits(target, thing)]
    wrong = [order for order in reaching if order.verb is Verb.GO_TO and order not in right]
    if right:
        absent = [Order(order.verb, order.name, order.number + 1) for order in right]
        found = [*wrong, *right, *absent, Order(Verb.LEFT), Order(Verb.RIGHT)]
    else:
        verb = _DOES.get(type(part(world.grid.instrs)), Verb.PICKUP)
        found = [*wrong, Order(verb, _words(target), 1)]
    best = oracle(world)
    return [action for action in dict.fromkeys(map(format_order, found)) if action != best]


def _at_hand(world: World, order: Order) -> str:
    if order.verb is Verb.TOGGLE:
        return "What I want to open is right ahead, so I toggle it."
    held = " ".join(world.sight.carrying or ("thing",))
    return f"This is the place for the {held}, so I {VERBS[order.verb]} it."


def _target(world: World) -> Any:
    """minigrid's description of what the agent looks for now."""
    goal = part(world.grid.instrs)
    if not isinstance(goal, PutNextInstr):
        return goal.desc
    held = any(world.grid.carrying is thing for thing in goal.desc_move.obj_set)
    return goal.desc_fixed if held else goal.desc_move


def _fits(target: Any, thing: Thing) -> bool:
    """Whether a thing in sight is what is looked for; `on your left` counts from where the agent began."""
    if target.type not in (None, thing.kind) or target.color not in (None, thing.color):
        return False
    return target.loc is None or thing.cell in target.obj_poss


def _words(target: Any) -> str:
    return " ".join(filter(None, (target.color, target.type or "object")))
