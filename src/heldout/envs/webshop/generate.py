"""Shops from chance: catalogues of the real one's form, of our own words."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from heldout.envs.webshop.catalogue import Catalogue, Product
from heldout.envs.webshop.goals import Choices, Goal, Wish, goal_of, price_limit
from heldout.envs.webshop.product_words import DEPARTMENTS, FEATURES, SENTENCES, VALUES, Department

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large the shops of a profile are, and how much they have to say."""

    kinds: int
    """Of things, such as pillows; each in one department."""
    products: int
    """Of each kind."""
    on_page: int
    values: Sequence[int]
    """How many values a group of options has."""
    groups: tuple[Sequence[int], Sequence[int]]
    """How many groups of options a product has in an even place, and in an odd one: with two a goal is hard."""
    attributes: Sequence[int]
    """How many a product has."""
    wanted: Sequence[int]
    """How many of them a goal asks for."""
    asin: int
    """Its letters."""
    is_wordy: bool
    """With long titles, descriptions and lists of features."""
    ranges: float
    """The share of products with a range of prices."""


SIZES = {
    "pocket": Size(
        kinds=6,
        products=8,
        on_page=4,
        values=(2, 3),
        groups=((0, 1, 1), (2,)),
        attributes=(2, 3),
        wanted=(1, 2, 2),
        asin=3,
        is_wordy=False,
        ranges=0.0,
    ),
    "standard": Size(
        kinds=50,
        products=20,
        on_page=10,
        values=(2, 3, 4, 5, 6, 10),
        groups=((0, 1, 1), (2,)),
        attributes=(3, 4, 5),
        wanted=(2, 2, 3, 4),
        asin=10,
        is_wordy=True,
        ranges=0.09,
    ),
}


def make_catalogue(brands: Sequence[str], size: Size, chance: Random) -> Catalogue:
    """A catalogue of products by these brands."""
    kinds = [(department, kind) for department in DEPARTMENTS for kind in department.kinds]
    chosen = [each for each in chance.sample(kinds, size.kinds) for _ in range(size.products)]
    chance.shuffle(chosen)
    asins = _asins(len(chosen), size.asin, chance)
    products = [
        _Maker(*each, chance.choice(brands), size, chance).product(asin, chance.choice(size.groups[place % 2]))
        for place, (each, asin) in enumerate(zip(chosen, asins, strict=True))
    ]
    return Catalogue(tuple(products), size.on_page)


def make_goal(product: Product, price: float, size: Size, chance: Random) -> Goal:
    """What somebody asks of one product: some attributes, a value in each group of options, a price."""
    count = min(chance.choice(size.wanted), len(product.attributes))
    attributes = tuple(chance.sample(product.attributes, count))
    first, last = attributes[: (count + 1) // 2], attributes[(count + 1) // 2 :]
    beside = f" with {', '.join(last)}" if last else ""
    text = f"Find me {', '.join(first)} {product.query}{beside}"
    options: Choices = tuple((group, chance.choice(product.options[group])) for group in sorted(product.options))
    wish = Wish(asin=product.asin, text=text, attributes=attributes)
    return goal_of(wish, options, price_limit(price, chance))


@dataclass
class _Maker:
    """One product in the making."""

    department: Department
    kind: str
    brand: str
    size: Size
    chance: Random

    def product(self, asin: str, groups: int) -> Product:
        """The product, with so many groups of options."""
        attributes = tuple(self.chance.sample(self.department.attributes, self.chance.choice(self.size.attributes)))
        options = {group: self._values(group) for group in self.chance.sample(self.department.options, groups)}
        long = self.size.is_wordy
        return Product(
            asin=asin,
            title=self._long_title(attributes, options) if long else f"{self.brand} {attributes[0]} {self.kind}",
            description=self._description(attributes) if long else f"{self.kind} by {self.brand}",
            features=self._features(attributes) if long else attributes,
            options=options,
            pricing=self._pricing(),
            attributes=attributes,
            section=self.department.section,
            query=self.kind,
            category=f"{self.department.category} › {self.kind.capitalize()}",
        )

    def _values(self, group: str) -> tuple[str, ...]:
        values = VALUES[group]
        kept = set(self.chance.sample(values, min(self.chance.choice(self.size.values), len(values))))
        return tuple(value for value in values if value in kept)

    def _pricing(self) -> tuple[float, ...]:
        if not self.size.is_wordy:
            return (float(self.chance.randint(5, 80)),)
        price = round(self.chance.lognormvariate(3.2, 0.8) + 2, 2)
        if self.chance.random() >= self.size.ranges:
            return (price,)
        return (price, round(price * self.chance.uniform(1.2, 2.5), 2))

    def _long_title(self, attributes: Sequence[str], options: dict[str, tuple[str, ...]]) -> str:
        shown = ", ".join(attribute.title() for attribute in attributes[: self.chance.randint(1, len(attributes))])
        use = self.chance.choice(("Home", "Travel", "Office", "Every Day", "Family", "Gifts"))
        made = f"{self.chance.choice(self.department.materials).title()} {self.kind.title()} for {use}"
        some = (
            self.chance.choice(next(iter(options.values()))) if options else f"Set of {self.chance.randint(2, 9)}"
        )
        return f"{self.brand} {made}, {shown}, {some.capitalize()}"

    def _description(self, attributes: Sequence[str]) -> str:
        sentences = self.chance.sample(SENTENCES, self.chance.randint(2, 8))
        return " ".join(self._fill(sentence, attributes) for sentence in sentences)

    def _features(self, attributes: Sequence[str]) -> tuple[str, ...]:
        named = [self._fill(FEATURES[0], (attribute,)).capitalize() for attribute in attributes]
        return (*named, *(self._fill(feature, attributes) for feature in self.chance.sample(FEATURES[1:], 2)))

    def _fill(self, text: str, attributes: Sequence[str]) -> str:
        material = self.chance.choice(self.department.materials)
        attribute = self.chance.choice(attributes)
        return text.format(kind=self.kind, brand=self.brand, material=material, attribute=attribute)


def _asins(count: int, letters: int, chance: Random) -> list[str]:
    """Different ones: B and a number, and where there is room, letters."""
    if letters == 3:
        return [f"B{number:02}" for number in chance.sample(range(100), count)]
    found = dict[str, None]()
    while len(found) < count:
        found["B0" + "".join(chance.choices(LETTERS, k=letters - 2))] = None
    return list(found)
