"""The real recipes (Minecraft 1.16, as AgentGym reads them): files → the crafting tree."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path, PurePosixPath

from heldout.bounds import Bounds
from heldout.data.archives import BROKEN, contents
from heldout.data.folder import bringing
from heldout.envs.textcraft.world import Book, Recipe, Stack
from heldout.errors import BadCall, HeldoutError
from heldout.records import Json

NAMESPACE = "minecraft:"

BOUNDS = Bounds(total=20_000_000, member=1_000_000, members=10_000)
"""Of the archive with the recipes: 209 kB in 860 files."""

EITHER_WAY = (
    ("iron_nugget.json", "iron_ingot_from_nuggets.json"),
    ("gold_nugget.json", "gold_ingot_from_nuggets.json"),
    ("honey_bottle.json", "honey_block.json"),
)
"""Files of which the one that is read first makes its thing a goal, and the other's a base item: eight trees."""

FIRST_READ = ("iron_nugget.json", "gold_ingot_from_nuggets.json", "honey_bottle.json")
"""Q-TC3: the original reads its files in whatever order the file system lists them. Of 8 possible trees one fits
the published logs; these three files, read first, decide it (iron nugget of ingot, gold ingot of nuggets, honey
bottle of block). The others are read in name order, which changes nothing."""


@cache
def goal_order() -> tuple[str, ...]:
    """The 544 goals; the place of one is its published id.

    The published ids follow the listing of a disk that nobody has, so the order itself is kept: 374 places are
    those of the published logs, the other 170 goals stand in name order on the places left of their depth.
    """
    text = files("heldout.envs.textcraft").joinpath("goal_order.txt").read_text("utf-8")
    return tuple(text.split("\n")[:-1])


@cache
def real_book(archive: Path) -> Book:
    """The crafting tree of the real recipe files."""
    try:
        book = grow_book(documents(archive))
    except (KeyError, TypeError, AttributeError):
        raise _not_the_recipes(archive) from None
    if set(book.by_output) != set(goal_order()):
        raise _not_the_recipes(archive)
    return book


def grow_book(recipe_files: Iterable[Mapping[str, Json]]) -> Book:
    """The tree that recipe documents make in this order: a recipe that would close a circle is left out."""
    tree = _Tree()
    for document in recipe_files:
        tree.add(document)
    return tree.book()


def by_depth(book: Book) -> list[str]:
    """A book's goals as the original numbers them: by how many crafts lie below each other, then as read."""
    return [goal for goals in depth_classes(book) for goal in goals]


def depth_classes(book: Book) -> list[list[str]]:
    """A book's goals of each depth, the least first: no order of files moves a goal out of its own."""
    reached = {need for recipe in book.recipes for need, _ in recipe.needs if not book.makers(need)}
    classes, left = list[list[str]](), list(dict.fromkeys([*book.by_output, *book.by_group]))
    while left:
        fresh = [name for name in left if any(_within(recipe, reached) for recipe in book.makers(name))]
        reached.update(fresh)
        classes.append([name for name in fresh if name in book.by_output])
        left = [name for name in left if fresh and name not in reached]
    return classes


def documents(archive: Path, first: Sequence[str] = FIRST_READ) -> list[Mapping[str, Json]]:
    """The recipe files of an archive, some first, the others in name order."""
    parsed = _recipe_files(archive)
    return [parsed[name] for name in sorted(parsed, key=lambda name: (name not in first, name))]


@cache
def _recipe_files(archive: Path) -> dict[str, Mapping[str, Json]]:
    try:
        read = {PurePosixPath(name).name: content for name, content in contents(archive, BOUNDS)}
        return {name: json.loads(content) for name, content in read.items() if name.endswith(".json")}
    except (OSError, *BROKEN, HeldoutError, ValueError) as error:
        raise BadCall(f"cannot read {archive} ({error}); {_how_to_mend(archive)}") from None


def _within(recipe: Recipe, names: set[str]) -> bool:
    return all(need in names for need, _ in recipe.needs)


def _not_the_recipes(archive: Path) -> BadCall:
    return BadCall(f"{archive} does not hold the 860 recipe files of Minecraft 1.16; {_how_to_mend(archive)}")


def _how_to_mend(archive: Path) -> str:
    return bringing("/".join(archive.parts[-2:]))


@dataclass
class _Tree:
    """The tree while its files are read."""

    recipes: list[Recipe] = field(default_factory=list)
    items: set[str] = field(default_factory=set)
    tags: set[str] = field(default_factory=set)
    tag_of: dict[str, str] = field(default_factory=dict)
    below: dict[str, set[str]] = field(default_factory=dict)
    """Of each output, all that it is made of, down to the base items."""

    def add(self, document: Mapping[str, Json]) -> None:
        """One recipe file; other ways than crafting are passed over."""
        ingredients = _ingredients(document)
        if not ingredients:
            return
        for name, (generic, _) in ingredients.items():
            (self.tags if generic else self.items).add(name)
        needs = tuple((name, count) for name, (_, count) in ingredients.items())
        output, makes = _result(document["result"])
        self.items.add(output)
        if len(needs) == 1 and needs[0][0].endswith(" block"):
            return
        self._keep(Recipe(output, makes, needs, self._group(document, output)))

    def book(self) -> Book:
        """The tree, read to its end: a tag that nothing craftable stands for is an item of its own."""
        outputs = {recipe.output for recipe in self.recipes}
        stood_for = {tag for item, tag in self.tag_of.items() if item in outputs}
        plain = {need for recipe in self.recipes for need, _ in recipe.needs if need in self.tags} - stood_for
        return Book(
            recipes=tuple(self.recipes),
            items=frozenset(self.items | plain),
            tags=frozenset(self.tags - plain),
            tag_of=dict(self.tag_of),
        )

    def _group(self, document: Mapping[str, Json], output: str) -> str:
        group = _name(document["group"]) if "group" in document else ""
        if group and group != output:
            self.tags.add(group)
            self.tag_of[output] = group
        return group

    def _keep(self, recipe: Recipe) -> None:
        below = self.below.setdefault(recipe.output, set())
        needs = [name for name, _ in recipe.needs]
        if any(recipe.output in self.below.get(name, ()) for name in needs):
            return
        self.recipes.append(recipe)
        below.update(needs, *(self.below.get(name, ()) for name in needs))


def _ingredients(document: Mapping[str, Json]) -> dict[str, tuple[bool, int]]:
    """Of each ingredient, whether it is generic, and its count; in the file's order."""
    shape = document["type"].removeprefix(NAMESPACE)
    if shape == "crafting_shaped":
        pattern = "".join(document["pattern"])
        parts: Sequence[tuple[Json, int]] = [(p, pattern.count(key)) for key, p in document["key"].items()]
    elif shape == "crafting_shapeless":
        parts = [(part, 1) for part in document["ingredients"]]
    else:
        return {}
    found: dict[str, tuple[bool, int]] = {}
    for part, count in parts:
        # Of alternatives the original knows the first only.
        first = part[0] if isinstance(part, list) else part
        name = _name(first.get("item") or first["tag"])
        found[name] = ("item" not in first, found.get(name, (False, 0))[1] + count)
    return found


def _result(result: Json) -> Stack:
    if isinstance(result, str):
        return _name(result), 1
    return _name(result["item"]), result.get("count", 1)


def _name(identifier: str) -> str:
    return identifier.removeprefix(NAMESPACE).replace("_", " ")
