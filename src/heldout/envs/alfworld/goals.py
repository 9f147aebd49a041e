"""What an episode is about: whether a goal is reached."""

from heldout.envs.alfworld.house import Goal, State, Thing
from heldout.envs.alfworld.world import World


def is_reached(world: World) -> bool:
    """Whether the goal is reached where the world stands."""
    goal = world.house.goal
    if goal.all_shut and world.opened:
        return False
    if goal.lamp:
        return world.held is not None and world.held.kind == goal.thing and _lit(world)
    homes = (name for name, receptacle in world.house.receptacles.items() if receptacle.kind == goal.home)
    if goal.carrier:
        return any(_carries(world, thing) for name in homes for thing in world.inside[name])
    return any(sum(is_ready(world, thing) for thing in world.inside[name]) >= goal.count for name in homes)


def count_remaining(world: World) -> int:
    """What is still to be done for the goal: things to be taken, treated and put down, or a lamp to be lit."""
    goal, things = world.house.goal, world.house.things.values()
    if goal.lamp:
        return 1 if world.held is not None and world.held.kind == goal.thing else 2
    homes = [name for name, receptacle in world.house.receptacles.items() if receptacle.kind == goal.home]
    fitting = [thing for thing in things if is_wanted(goal, thing)]
    ways = [sum(sorted(_remaining_of(world, thing, home) for thing in fitting)[: goal.count]) for home in homes]
    return max(1, min(ways, default=1))


def _remaining_of(world: World, thing: Thing, home: str) -> int:
    todo = len(missing(world, thing))
    if not todo and thing in world.inside[home]:
        return 0
    return todo + (1 if world.held == thing else 2)


def _lit(world: World) -> bool:
    """Whether a lamp of the goal's kind, switched on, stands where the agent does."""
    return any(
        thing.kind == world.house.goal.lamp and thing.name in world.states[State.ON]
        for receptacle in world.here
        for thing in world.inside[receptacle.name]
    )


def is_ready(world: World, thing: Thing) -> bool:
    """Whether a thing is of the goal's kind, and as the goal wants it."""
    return is_wanted(world.house.goal, thing) and not missing(world, thing)


def is_wanted(goal: Goal, thing: Thing) -> bool:
    """Whether a thing is of the goal's kind, and can become what the goal wants."""
    return thing.kind == goal.thing and thing.becomes.issuperset(_states(goal))


def missing(world: World, thing: Thing) -> list[State]:
    """What of the goal's states a thing does not have yet, in the order to be brought about."""
    return [state for state in _states(world.house.goal) if thing.name not in world.states[state]]


def _states(goal: Goal) -> list[State]:
    treated = [] if goal.state is None else [goal.state]
    return [State.SLICED, *treated] if goal.sliced else treated


def _carries(world: World, outer: Thing) -> bool:
    goal = world.house.goal
    inner = world.house.carriers.get(outer.name, ())
    return outer.kind == goal.carrier and any(thing.kind == goal.thing for thing in inner)
