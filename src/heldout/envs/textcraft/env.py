"""TextCraft in words: one episode, in `fixed` rules or the original's."""

from dataclasses import replace
from typing import final

from heldout.config import AS_IT_STANDS, Variant
from heldout.envs.textcraft.language import Craft, Get, Look, Malformed, Move, format_counts, line, read
from heldout.envs.textcraft.players import legal
from heldout.envs.textcraft.world import NoRecipe, NotEnough, NotFound, RuleBroken, World
from heldout.envs.wording import format_sentence, format_structured, list_actions
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

    def __init__(self, world: World, namespace: str = "", variant: Variant = AS_IT_STANDS) -> None:
        self._world = world
        self._namespace = namespace
        self._variant = variant
        self._structured = variant.observations == "structured"
        self._score = 0.0

    @property
    def world(self) -> World:
        """The rules and where they stand."""
        return self._world

    def start(self) -> Step:
        """The recipes and the goal."""
        return self._answer((_structured_opening if self._structured else opening)(self._world))

    def step(self, action: str) -> Step:
        """The answer to one action; the original plays on after the end, and pays again."""
        try:
            return self._play(self._read(action), action)
        except Malformed as mistake:
            return self._refuse(f"Wrong item format: {mistake}")
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
                return self._answer((_structured_inventory if self._structured else _inventory)(self._world))
            case None:
                return self._refuse(f"Could not execute {action}")

    def _get(self, move: Get) -> Step:
        try:
            self._world = self._world.get(move.name, move.count)
        except NotFound:
            return self._refuse(f"Could not find {move.text}")
        return self._answer(self._format_result(f"Got {move.count} {move.text}"))

    def _craft(self, move: Craft) -> Step:
        try:
            self._world, recipe = self._world.craft(move.output, move.inputs)
        except RuleBroken as mistake:
            return self._refuse(self._refusal(mistake, move))
        done = recipe.output == self._world.goal
        return self._answer(self._format_result(f"Crafted {recipe.makes} {self._full(recipe.output)}"), done=done)

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

    def _refuse(self, why: str) -> Step:
        return replace(self._answer(format_sentence(self._variant, "error", why)), refusal=why)

    def _format_result(self, text: str) -> str:
        return format_sentence(self._variant, "result", text)

    def _answer(self, observation: str, *, done: bool = False) -> Step:
        if done:
            self._score = 1.0
        elif self._variant.actions == "shown":
            observation += list_actions(self._variant, legal(self._world))
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


def _structured_opening(world: World) -> str:
    """The opening as keys and values."""
    recipes = [
        {"output": f"{each.makes} {each.output}", "inputs": format_counts(each.needs)} for each in world.shown
    ]
    return format_structured({"recipes": recipes, "goal": world.goal})


def _structured_inventory(world: World) -> str:
    return format_structured({"inventory": dict(world.items)})
