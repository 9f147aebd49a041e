"""TextCraft's words: an action read as a move, and a recipe written as a line."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from heldout.envs.textcraft.world import Recipe, Stack

_CRAFT = re.compile(r"craft (.*) using (.*)")
_GET = re.compile(r"get ([0-9]+) (.*)")
_COUNTED = re.compile(r"([0-9]+) (.*)")


@dataclass(frozen=True, slots=True)
class Get:
    """`get {count} {item}`."""

    count: int
    text: str
    """The item as it was typed."""

    @property
    def name(self) -> str:
        """The item's name."""
        return _plain(self.text)


@dataclass(frozen=True, slots=True)
class Craft:
    """`craft [count] {item} using {count} {item}, …`."""

    count: int
    output: str
    inputs: tuple[Stack, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """`inventory`."""


class Malformed(Exception):
    """An ingredient without its count; the text is the ingredient."""


Move = Get | Craft | Look


def read(action: str) -> Move | None:
    """The move that an action names; None where it names none. Raises `Malformed`."""
    if match := _CRAFT.match(action):
        return _craft(*match.groups())
    if match := _GET.match(action):
        return Get(int(match[1]), match[2])
    return Look() if action.startswith("inventory") else None


def line(recipe: Recipe) -> str:
    """A recipe as the agent is shown it, and as it may be said back."""
    return f"craft {recipe.makes} {quote(recipe)}"


def quote(recipe: Recipe) -> str:
    """The end of a recipe's line, from the item that it makes."""
    return f"{recipe.output} using {format_counts(recipe.needs)}"


def craft(recipe: Recipe, inputs: tuple[Stack, ...]) -> str:
    """The action that carries out a recipe with these inputs; how many come out need not be said."""
    return f"craft {recipe.output} using {format_counts(inputs)}"


def format_counts(stacks: Iterable[Stack]) -> str:
    """Items with their counts: `2 oak log, 1 iron rod`."""
    return ", ".join(f"{count} {name}" for name, count in stacks)


def recipe(text: str, group: str = "") -> Recipe:
    """The recipe that a line shows."""
    move = read(text)
    if not isinstance(move, Craft):
        raise ValueError(f"not a recipe line: {text!r}")
    return Recipe(move.output, move.count, move.inputs, group)


def _plain(text: str) -> str:
    """An item's name: spaces and low lines are the same letter, as in the original's item ids."""
    return text.replace("_", " ")


def _craft(output: str, inputs: str) -> Craft:
    count, name = 1, output
    if match := _COUNTED.match(output):
        count, name = int(match[1]), match[2]
    return Craft(count, _plain(name), tuple(_stack(part.strip()) for part in inputs.split(",")))


def _stack(text: str) -> Stack:
    match = _COUNTED.match(text)
    if match is None:
        raise Malformed(text)
    return _plain(match[2]), int(match[1])
