"""TextCraft in words: one episode, in `fixed` rules or the original's."""

from typing import final

from heldout.envs.textcraft.language import Craft, Get, Look, Malformed, Move, line, read
from heldout.envs.textcraft.world import NoRecipe, NotEnough, NotFound, RuleBroken, World
from heldout.errors import OriginalError
from heldout.records import Ending, Step

LONGEST_ACTION = 2000
"""Characters; `fixed` rules read nothing longer, which also keeps counts within what Python prints."""


@final
class TextCraft:
    """One episode of one task.

    In `fixed` rules `get 0 x` is answered as ever, but leaves no `[x] (0)` in the inventory; inputs named twice
    count together; and a refusal names the item, where the original shows `None` or the insides of an object.
    """

    def __init__(self, world: World, namespace: str = "") -> None:
        self._world = world
        self._namespace = namespace
        self._score = 0.0
        self._started = self._over = False

    @property
    def world(self) -> World:
        """The rules and where they stand."""
        return self._world

    def start(self) -> Step:
        """The recipes and the goal."""
        self._started = True
        return self._answer(opening(self._world))

    def step(self, action: str) -> Step:
        """The answer to one action; raises only where the caller plays before the start or after the end."""
        if not self._started:
            raise RuntimeError("step before start")
        # The original plays on after the end, and pays again.
        if self._over and not self._world.exact_original:
            raise RuntimeError("step after the end")
        try:
            return self._play(self._read(action), action)
        except Malformed as mistake:
            return self._answer(f"Wrong item format: {mistake}")
        except (KeyError, ValueError) as breakdown:
            if not self._world.exact_original:
                raise
            raise OriginalError(self._error(breakdown)) from None

    def _read(self, action: str) -> Move | None:
        if len(action) > LONGEST_ACTION and not self._world.exact_original:
            return None
        return read(action)

    def _play(self, move: Move | None, action: str) -> Step:
        match move:
            case Get():
                return self._get(move)
            case Craft():
                return self._craft(move)
            case Look():
                return self._answer(_inventory(self._world))
            case None:
                return self._answer(f"Could not execute {action}")

    def _get(self, move: Get) -> Step:
        try:
            self._world = self._world.get(move.name, move.count)
        except NotFound:
            return self._answer(f"Could not find {move.text}")
        return self._answer(f"Got {move.count} {move.text}")

    def _craft(self, move: Craft) -> Step:
        try:
            self._world, recipe = self._world.craft(move.output, move.inputs)
        except RuleBroken as mistake:
            return self._answer(self._refusal(mistake, move))
        done = recipe.output == self._world.goal
        return self._answer(f"Crafted {recipe.makes} {self._full(recipe.output)}", done=done)

    def _refusal(self, mistake: RuleBroken, move: Craft) -> str:
        original = self._world.exact_original
        tag = move.output in self._world.book.tags
        full = self._full(move.output)
        match mistake:
            case NotEnough():
                return f"Could not find enough items to craft {None if original and tag else full}"
            case NoRecipe() if original:
                item = f"ItemTag(tag={full!r}, item_id=None)" if tag else f"ItemTag(tag=None, item_id={full!r})"
                return f"Could not find a valid recipe for ItemTagWithCount(item_tag={item}, count={move.count})"
            case _:
                return f"No recipe makes {full} of these items"

    def _error(self, breakdown: KeyError | ValueError) -> str:
        """The server's words: an item named twice and used up, or a number too long to read."""
        return repr(self._full(breakdown.args[0])) if isinstance(breakdown, KeyError) else str(breakdown)

    def _answer(self, observation: str, *, done: bool = False) -> Step:
        if done:
            self._score, self._over = 1.0, True
        return Step(
            observation,
            reward=float(done),
            score=self._score,
            ending=Ending.SOLVED if done else None,
            digest=self._world.digest,
        )

    def _full(self, name: str) -> str:
        """A crafted item is named by its id where the items have ids, as in the original."""
        return self._namespace + name.replace(" ", "_") if self._namespace else name


def opening(world: World) -> str:
    """What the agent reads first."""
    lines = "\n".join(line(recipe) for recipe in world.shown)
    return f"Crafting commands:\n{lines}\n\nGoal: craft {world.goal}."


def _inventory(world: World) -> str:
    if not world.items:
        return "Inventory: You are not carrying anything."
    return "Inventory: " + "".join(f"[{name}] ({count}) " for name, count in world.items)
