"""Crafting trees grown from a generator of chance: the same form as the real ones, of our own words."""

from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from random import Random

from heldout.envs.textcraft.world import Recipe

# fmt: off
MATERIALS = (
    "oak", "birch", "pine", "cedar", "maple", "willow", "iron", "copper", "tin", "silver", "gold", "bronze",
    "stone", "marble", "slate", "granite", "chalk", "clay", "glass", "amber", "bone", "horn", "shell", "wool",
    "silk", "linen", "cotton", "hemp", "leather", "wax", "coal", "salt",
)
FORMS = (
    ("log", "ore", "lump", "fiber", "shard", "root", "seed", "sand"),
    ("planks", "bricks", "threads", "panes", "straps", "ingots", "sheets", "cords"),
    ("rod", "plate", "wheel", "rope", "nail", "hinge", "frame", "spring", "tube", "blade"),
    ("door", "chest", "lamp", "bell", "clock", "shield", "ladder", "bench", "kite", "drum", "loom", "pump"),
    ("boat", "cart", "mill", "crane", "bridge", "tower"),
)
# fmt: on
"""What an item can be, from what lies about to what is hardest to make: an item is a material and a form, such as
`oak planks`."""

TAGS = frozenset(FORMS[1])
"""Forms that alone name any item of that form: `2 planks` is 2 oak planks or 2 birch planks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How large the trees of a profile grow."""

    depths: Sequence[int]
    """A goal's depth is drawn from these."""
    needs: Sequence[int]
    """The number of ingredients of a recipe."""
    counts: Sequence[int]
    """Of an ingredient."""
    recipes: int
    """The most that a goal needs; past this, ingredients are base items."""
    distractors: Sequence[int]
    """The number of recipes of no use that are shown."""
    generic: float
    """The share of ingredients that are tags, where they can be."""
    repeated: float
    """The share of recipes that one craft is not enough of."""


SHAPES = {
    "pocket": Shape(
        depths=(1, 2, 2, 2, 2, 2, 3, 3, 3, 4),
        needs=(1, 1, 1, 2, 2),
        counts=(1, 1, 1, 2, 2, 3, 4, 5, 6),
        recipes=5,
        distractors=(3, 4, 4, 5),
        generic=0.3,
        repeated=0.15,
    ),
    "standard": Shape(
        depths=(1, 2, 2, 3, 3, 4, 5),
        needs=(1, 1, 2, 2, 3),
        counts=(1, 1, 2, 2, 3, 4, 5, 6, 8, 9),
        recipes=8,
        distractors=(2, 4, 6, 8, 10),
        generic=0.3,
        repeated=0.25,
    ),
}


def goals() -> list[str]:
    """Every item that a tree may have as its goal: none that stands for a tag, or a tree could close a circle."""
    return [f"{material} {form}" for forms in FORMS[2:] for form in forms for material in MATERIALS]


def grow(goal: str, shape: Shape, chance: Random) -> tuple[Recipe, ...]:
    """The recipes to show for a goal, in the order shown: those it needs, and distractors."""
    tree = _Growth(shape, chance)
    tree.add(goal, chance.choice(shape.depths), 1)
    tree.distract()
    chance.shuffle(tree.recipes)
    return tuple(tree.recipes)


@dataclass
class _Growth:
    """A tree while it grows."""

    shape: Shape
    chance: Random
    recipes: list[Recipe] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    """Every item so far, so that none gets two meanings."""

    def add(self, name: str, depth: int, wanted: int) -> None:
        """An item's recipe, and all that it is made of; `wanted` of it are needed."""
        self.used.add(name)
        place = len(self.recipes)
        self.recipes.append(Recipe(name, 0, ()))
        needs: dict[str, int] = {}
        for number in range(self.chance.choice(self.shape.needs)):
            below = depth - 1 if number == 0 else self.chance.randrange(depth)
            count = self.chance.choice(self.shape.counts)
            needs[self._ingredient(below, count, needs)] = count
        self.recipes[place] = Recipe(name, self._makes(wanted), tuple(needs.items()), group_of(name))

    def distract(self) -> None:
        """Recipes that use what the goal's use, but lead elsewhere."""
        needs = [need for recipe in self.recipes for need, _ in recipe.needs]
        for _ in range(self.chance.choice(self.shape.distractors)):
            output = self._fresh(self.chance.randrange(2, len(FORMS)))
            count = self.chance.choice(self.shape.counts)
            uses = {self.chance.choice(needs): count}
            if self.chance.random() < 0.5:
                uses.setdefault(self._fresh(0), self.chance.choice(self.shape.counts))
            self.recipes.append(Recipe(output, self.chance.randint(1, 4), tuple(uses.items())))

    def _ingredient(self, depth: int, count: int, beside: Container[str]) -> str:
        """A new item of that depth, or the tag it stands for; grown as well."""
        if depth == 0 or len(self.recipes) >= self.shape.recipes:
            return self._fresh(0)
        name = self._fresh(depth)
        self.add(name, depth, count)
        tag = group_of(name)
        if not tag or tag in beside or self.chance.random() >= self.shape.generic:
            return name
        if self.chance.random() < 0.5:
            self.add(self._fresh(1, (tag,)), 1, count)
        return tag

    def _makes(self, wanted: int) -> int:
        if wanted > 1 and self.chance.random() < self.shape.repeated:
            return -(-wanted // 2)
        return wanted + self.chance.choice((0, 0, 1, 2))

    def _fresh(self, tier: int, forms: Sequence[str] = ()) -> str:
        """An item of that tier (the hardest for all above) that the tree does not have yet."""
        forms = forms or FORMS[min(tier, len(FORMS) - 1)]
        while True:
            name = f"{self.chance.choice(MATERIALS)} {self.chance.choice(forms)}"
            if name not in self.used:
                self.used.add(name)
                return name


def group_of(name: str) -> str:
    """The tag that an item may stand for, if any."""
    form = name.split()[-1]
    return form if form in TAGS else ""
