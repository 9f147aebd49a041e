"""Who plays TextCraft seeing its world: the oracle, what is legal, the oracle's thoughts, plausible mistakes."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product

from heldout.envs.textcraft.language import Craft, Get, Malformed, craft, quote, read
from heldout.envs.textcraft.world import Recipe, RuleBroken, Stack, World, reachable


@dataclass(frozen=True, slots=True)
class Plan:
    """The next action on the way to the goal, and what it is for."""

    action: str
    path: tuple[Recipe, ...]
    """The recipes from the goal's down to the one that the action serves."""
    times: int = 1
    """How often the last recipe has to be carried out."""


def oracle(world: World) -> str:
    """The next action of a player that sees the world."""
    return plan(world).action


def plan(world: World) -> Plan:
    """The first step of the shortest way known to the goal, from where the world stands.

    A base item is got in one go for all the times that a recipe is needed.
    """
    planner = _Planner(world)
    return planner.make(world.goal, 1, ())


def turns(world: World) -> int:
    """How many turns the oracle takes from here to the goal."""
    taken, made = 0, ""
    while made != world.goal:
        move = read(oracle(world))
        if isinstance(move, Get):
            world = world.get(move.name, move.count)
        elif isinstance(move, Craft):
            world, recipe = world.craft(move.output, move.inputs)
            made = recipe.output
        taken += 1
    return taken


def count_remaining(world: World) -> int:
    """The turns that the oracle still takes; 0 where the goal is carried."""
    return 0 if world.count_carried()[world.goal] else turns(world)


def legal(world: World) -> list[str]:
    """Gets of shown base items in the counts that the recipes use, crafts possible now, and `inventory`."""
    needs = dict.fromkeys(need for recipe in world.shown for need in recipe.needs)
    gets = [f"get {count} {name}" for name, count in needs if world.book.is_base(name)]
    return [*gets, *_crafts_now(world), "inventory"]


def thought(world: World, action: str) -> str:
    """What leads to the action: the recipes from the goal's down to the one that is served now, as they are shown.

    Whoever can quote can follow it: a small model finds each recipe by the words that it has just said.
    """
    best = plan(world)
    way = "; ".join(map(quote, best.path))
    times = f" {best.times} times" if best.times > 1 else ""
    match _move(action):
        case Get(count, text):
            return f"{way}{times}. I get." if best.action == action else f"I get {count} {text}."
        case Craft(_, output, _):
            return f"{way}. I have all." if best.action == action else f"I try to craft {output}."
        case _:
            return "I look at what I carry."


def mistakes(world: World) -> list[str]:
    """Plausible mistakes, the tempting first: a craft too early, the goal's before all; getting what is
    crafted; a wrong count; what is of no use."""
    best = oracle(world)
    useful = set(reachable(world.book, world.goal))
    idle = [recipe for recipe in world.shown if recipe not in useful]
    possible = set(_crafts_now(world))
    by_goal = sorted(world.shown, key=lambda recipe: recipe.output != world.goal)
    mistakes = [
        *(said for recipe in by_goal if (said := craft(recipe, recipe.needs)) not in possible),
        *(f"get {recipe.makes} {recipe.output}" for recipe in by_goal if recipe in useful),
        *_miscount(best),
        *(said for recipe in idle if (said := craft(recipe, recipe.needs)) in possible),
        *(f"get {n} {name}" for recipe in idle for name, n in recipe.needs if not _of_use(name, useful)),
    ]
    return [action for action in dict.fromkeys(mistakes) if action != best]


@dataclass
class _Planner:
    """One plan: what is carried is set aside as the plan meets uses for it."""

    world: World
    free: Counter[str] = field(init=False)
    costs: dict[Stack, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.free = self.world.count_carried()

    def make(self, name: str, count: int, above: tuple[Recipe, ...]) -> Plan:
        """The next step towards crafting so many more of an item."""
        recipe = min(self.world.book.by_output[name], key=lambda recipe: self._cost_of(recipe, count))
        times = -(-count // recipe.makes)
        used: dict[str, str] = {}
        # Named items first: what is left of them may then stand for a tag.
        for need, each in sorted(recipe.needs, key=lambda need: need[0] in self.world.book.tags):
            used[need] = self._kind(need, each * times)
            step = self._have(used[need], each * times, Plan("", (*above, recipe), times))
            if step is not None:
                return step
        action = craft(recipe, tuple((used[need], each) for need, each in recipe.needs))
        return Plan(action, (*above, recipe))

    def _have(self, name: str, count: int, cause: Plan) -> Plan | None:
        """The next step towards having so many of an item; None where they are carried."""
        taken = min(self.free[name], count)
        self.free[name] -= taken
        missing = count - taken
        if not missing:
            return None
        if self.world.book.is_base(name):
            return Plan(f"get {missing} {name}", cause.path, cause.times)
        return self.make(name, missing, cause.path)

    def _kind(self, need: str, count: int) -> str:
        """Which item to use for a need: one of which enough is free, else the nearest to it."""
        kinds = self.world.book.kinds(need)
        if len(kinds) == 1:
            return kinds[0]
        return min(kinds, key=lambda kind: (self.free[kind] < count, -self.free[kind], self._cost(kind, count)))

    def _cost(self, name: str, count: int) -> int:
        """The turns that so many of an item take from nothing."""
        if self.world.book.is_base(name):
            return 1
        if (name, count) not in self.costs:
            recipes = self.world.book.by_output[name]
            self.costs[name, count] = min(self._cost_of(recipe, count) for recipe in recipes)
        return self.costs[name, count]

    def _cost_of(self, recipe: Recipe, count: int) -> int:
        times = -(-count // recipe.makes)
        return times + sum(
            min(self._cost(kind, each * times) for kind in self.world.book.kinds(need))
            for need, each in recipe.needs
        )


def _move(action: str) -> object:
    try:
        return read(action)
    except Malformed:
        return None


def _crafts_now(world: World) -> Iterator[str]:
    carried = world.count_carried()
    for recipe in world.shown:
        choices = [
            [(kind, count) for kind in world.book.kinds(need) if carried[kind] >= count]
            for need, count in recipe.needs
        ]
        for inputs in product(*choices):
            if _possible(world, recipe, inputs):
                yield craft(recipe, inputs)


def _possible(world: World, recipe: Recipe, inputs: tuple[Stack, ...]) -> bool:
    try:
        world.craft(recipe.output, inputs)
    except RuleBroken:
        return False
    return True


def _miscount(action: str) -> list[str]:
    """The action with its first count, or that of its first ingredient, one off."""
    match _move(action):
        case Get(count, text):
            return [f"get {other} {text}" for other in (count + 1, count - 1) if other]
        case Craft(makes, output, inputs):
            name, count = inputs[0]
            return [craft(Recipe(output, makes, ()), ((name, count + 1), *inputs[1:]))]
        case _:
            return []


def _of_use(name: str, useful: set[Recipe]) -> bool:
    return any(name == need for recipe in useful for need, _ in recipe.needs)
