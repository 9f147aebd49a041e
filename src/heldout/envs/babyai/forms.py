"""Actions that are not in their exact form: which are heard where validation is changed (docs/variants.md)."""

from heldout.envs.babyai.words import format_order
from heldout.envs.babyai.world import World
from heldout.envs.loose import nearest


def is_exact(world: World, action: str) -> bool:
    """Whether an action is one that is listed, or is told why it is not."""
    return action in _orders(world)


def loosened(world: World, action: str) -> str:
    """`Go to the red ball.` is `go to red ball 1` where there is one red ball."""
    return nearest(action.lower().replace("pick up", "pickup", 1), _orders(world))


def _orders(world: World) -> list[str]:
    table = world.table
    return [*map(format_order, table.offers), *map(format_order, table.refusals)]
