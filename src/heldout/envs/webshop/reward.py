"""What a purchase is worth (spec §1.7): the share of what was asked for, if it is the kind of thing at all."""

from dataclasses import dataclass

from heldout.envs.webshop.catalogue import Product
from heldout.envs.webshop.goals import Choices, Goal
from heldout.envs.webshop.nouns import Nouns
from heldout.envs.webshop.similarity import COLOURS, first_colour, is_similar

NO_NOUNS = 0.2
"""The likeness of titles where the wanted one has no noun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How much a product is of the wanted kind."""

    same_query: bool
    same_category: bool
    """Two parts of their paths in the shop are the same."""
    title: float
    """The share of the wanted title's nouns that the other has."""

    @property
    def factor(self) -> float:
        """1 for the same kind, down to 0 where titles have nothing in common, whatever their places in the shop."""
        if self.title < 0.1:
            return 0.1 if self.title else 0.0
        return 1.0 if self.same_query or self.same_category or self.title > 0.2 else 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """What was bought, and how much of the goal it meets."""

    asin: str
    options: Choices
    price: float
    goal: Goal
    attributes: int
    """How many of the goal's it has."""
    right_options: int
    """How many of the goal's were chosen."""
    kind: Kind

    @property
    def in_price(self) -> bool:
        """Whether it costs no more than it may."""
        return self.price <= self.goal.price_limit

    @property
    def wanted(self) -> int:
        """How many things the goal asks for, the price among them."""
        return len(self.goal.attributes) + len(self.goal.options) + 1

    @property
    def share(self) -> float:
        """The part of them that was met."""
        return (self.attributes + self.right_options + self.in_price) / self.wanted

    @property
    def reward(self) -> float:
        """From 0 to 1."""
        return self.share * self.kind.factor


def kind_of(bought: Product, wanted: Product, nouns: Nouns) -> Kind:
    """How much one product is of another's kind."""
    ours, theirs = nouns(bought.title), nouns(wanted.title)
    shared = len(set(ours) & set(theirs))
    parts, wanted_parts = ({part.strip() for part in each.category.split("›")} for each in (bought, wanted))
    return Kind(
        same_query=bought.query == wanted.query,
        same_category=len(parts & wanted_parts) >= 2,
        title=shared / len(theirs) if theirs else NO_NOUNS,
    )


def count_attributes_met(product: Product, goal: Goal) -> int:
    """How many of the goal's attributes a product is known for, or has word for word in its texts."""
    texts = [text.lower() for text in (product.title, " ".join(product.features), product.description)]
    return sum(
        any(is_similar(known, wanted) for known in product.attributes) or any(wanted in text for text in texts)
        for wanted in goal.attributes
    )


def count_options_met(chosen: Choices, goal: Goal, *, exact_original: bool) -> int:
    """How many of the goal's options were chosen: the same words in the same group."""
    if exact_original:
        return _similar_options(chosen, goal)
    bought = {group: value.split() for group, value in chosen}
    return sum(bought.get(group) == value.split() for group, value in goal.options)


def _similar_options(chosen: Choices, goal: Goal) -> int:
    """As the original counts (Q-WS7): any chosen value against `('group', 'value')`, and colours by name."""
    values = [first_colour(value) for _, value in chosen]
    wanted = [
        next((colour for colour in COLOURS if colour in option), option[1] if goal.bare else str(option))
        for option in goal.options
    ]
    return sum(any(is_similar(value, option) for value in values) for option in wanted)
