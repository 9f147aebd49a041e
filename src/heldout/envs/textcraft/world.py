"""The rules of TextCraft, without English: what can be got, what can be crafted, and what is carried."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from json import dumps
from typing import Self

from heldout.records import digest_of_text

Stack = tuple[str, int]
"""Items of one kind: its name, and how many."""


class RuleBroken(Exception):
    """A move that the rules do not allow; the agent is told, and plays on."""


class NotFound(RuleBroken):
    """The item cannot be got: it has to be crafted, is a tag, or does not exist."""


class NotEnough(RuleBroken):
    """Less is carried than the move would use."""


class NoRecipe(RuleBroken):
    """No recipe makes that item of exactly those inputs."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """`makes` items of one kind, of exactly what it needs; a need may be a tag, a generic ingredient."""

    output: str
    makes: int
    needs: tuple[Stack, ...]
    group: str = ""
    """The tag that these outputs belong to, if any."""


@dataclass(frozen=True)
class Book:
    """Everything that can be crafted or got, and which items may stand for which tag."""

    recipes: tuple[Recipe, ...]
    items: frozenset[str]
    tags: frozenset[str]
    tag_of: Mapping[str, str]

    @cached_property
    def by_output(self) -> Mapping[str, tuple[Recipe, ...]]:
        """The recipes of each item, in the book's order."""
        return _group((recipe.output, recipe) for recipe in self.recipes)

    @cached_property
    def by_group(self) -> Mapping[str, tuple[Recipe, ...]]:
        """The recipes whose output stands for each tag, in the book's order."""
        return _group((recipe.group, recipe) for recipe in self.recipes if recipe.group)

    @cached_property
    def by_need(self) -> Mapping[str, tuple[Recipe, ...]]:
        """The recipes that ask for each item or tag, in the book's order."""
        return _group((need, recipe) for recipe in self.recipes for need in dict(recipe.needs))

    @cached_property
    def by_tag(self) -> Mapping[str, tuple[str, ...]]:
        """The items that may stand for each tag."""
        return {tag: tuple(item for item, its in self.tag_of.items() if its == tag) for tag in self.tags}

    def kinds(self, need: str) -> tuple[str, ...]:
        """The items that may be used where a recipe asks for `need`."""
        return self.by_tag.get(need, (need,))

    def makers(self, name: str) -> tuple[Recipe, ...]:
        """The recipes of an item, or of all that stands for a tag."""
        return self.by_output.get(name) or self.by_group.get(name, ())

    def is_base(self, name: str) -> bool:
        """Whether an item can be got as it is."""
        return name in self.items and name not in self.tags and name not in self.by_output

    def fits(self, name: str, need: str) -> bool:
        """Whether an item may be used where a recipe asks for `need`."""
        return self.tag_of.get(name) == need if need in self.tags else name == need


@dataclass(frozen=True, slots=True)
class World:
    """Where one task stands; every move returns the next one."""

    book: Book
    goal: str
    shown: tuple[Recipe, ...]
    """The recipes that the agent is shown."""
    items: tuple[Stack, ...] = ()
    """What is carried, in the order it came."""
    exact_original: bool = False
    """Keep the original's books: got-zero items are carried, and each input is checked by itself."""

    @property
    def digest(self) -> str:
        """A digest of what is carried, in whatever order it came."""
        stacks = [f"[{_quote(name)}, {count}]" for name, count in sorted(self.items)]
        return digest_of_text(f"[{', '.join(stacks)}]")

    def count_carried(self) -> Counter[str]:
        """How many of each item are carried."""
        return Counter(dict(self.items))

    def get(self, name: str, count: int) -> Self:
        """More of a base item, however many."""
        if not self.book.is_base(name):
            raise NotFound(name)
        return self._carrying(dict(self.items), name, count)

    def craft(self, output: str, inputs: Sequence[Stack]) -> tuple[Self, Recipe]:
        """The recipe carried out once, and which one it was; inputs are looked at before recipes."""
        if not self._enough(inputs):
            raise NotEnough(output)
        for recipe in self.book.by_output.get(output, ()):
            if self._matches(recipe, inputs):
                return self._carrying(self._subtract(inputs), recipe.output, recipe.makes), recipe
        raise NoRecipe(output)

    def _enough(self, inputs: Sequence[Stack]) -> bool:
        if any(name in self.book.tags for name, _ in inputs):
            return False
        carried, wanted = dict(self.items), Counter[str]()
        for name, count in inputs:
            wanted[name] = count if self.exact_original else wanted[name] + count
            if carried.get(name, -1) < wanted[name]:
                return False
        return True

    def _matches(self, recipe: Recipe, inputs: Sequence[Stack]) -> bool:
        """Each need takes the first input that fits it, in exactly its count, and none is left over."""
        left = list(inputs)
        for need, count in recipe.needs:
            found = next((stack for stack in left if self.book.fits(stack[0], need)), None)
            if found is None or found[1] != count:
                return False
            left.remove(found)
        return not left

    def _subtract(self, inputs: Sequence[Stack]) -> dict[str, int]:
        """What is left without the inputs."""
        carried = dict(self.items)
        for name, count in inputs:
            # The original breaks here, with a KeyError, where one item is named twice and only one is carried.
            carried[name] -= count
            if carried[name] == 0:
                del carried[name]
        return carried

    def _carrying(self, carried: dict[str, int], name: str, count: int) -> Self:
        """The same task where this is carried, and so many more of one item."""
        if count or self.exact_original:
            carried[name] = carried.get(name, 0) + count
        # `dataclasses.replace` would take longer than the move itself.
        return type(self)(self.book, self.goal, self.shown, tuple(carried.items()), self.exact_original)


def reachable(book: Book, goal: str) -> list[Recipe]:
    """Every recipe that could serve the goal, depth first, each once."""
    found: dict[Recipe, None] = {}
    open_names, seen = [goal], {goal}
    while open_names:
        for recipe in book.makers(open_names.pop()):
            found[recipe] = None
            fresh = [need for need, _ in recipe.needs if need not in seen]
            seen.update(fresh)
            open_names.extend(fresh)
    return list(found)


def _group(pairs: Iterable[tuple[str, Recipe]]) -> dict[str, tuple[Recipe, ...]]:
    groups: dict[str, tuple[Recipe, ...]] = {}
    for name, recipe in pairs:
        groups[name] = (*groups.get(name, ()), recipe)
    return groups


@cache
def _quote(name: str) -> str:
    """A name as JSON."""
    return dumps(name, ensure_ascii=False)
