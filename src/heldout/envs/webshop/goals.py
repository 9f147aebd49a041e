"""What a shopper wants, and how the original makes goals of a catalogue (spec §1.6)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import product as combinations
from random import Random

from heldout.envs.webshop.catalogue import Product

Choices = tuple[tuple[str, str], ...]
"""A value for each of some groups of options."""

ANY_PRICE = 1_000_000.0
"""The price limit of a goal that names none."""

LIMITS = tuple(10.0 * step for step in range(1, 100))
"""The price limits that a goal may name."""

SEED = 233
"""The original's, for the limits and for the order of the goals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """An instruction, and what makes a purchase the right one."""

    asin: str
    """The product that it was written for."""
    instruction: str
    attributes: tuple[str, ...]
    options: Choices
    price_limit: float
    bare: bool = False
    """Its options were written as values alone, and the original compares these alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked of one product, its options and price aside."""

    asin: str
    text: str
    """The instruction's beginning, such as `Find me machine washable pillows`."""
    attributes: tuple[str, ...]
    options: tuple[str, ...] = ()
    """Values, where a person asked for some."""


def draw_prices(products: Iterable[Product], seed: int = SEED) -> dict[str, float]:
    """What each product costs: a price drawn where it has a range."""
    return _prices(products, Random(seed))


def original_prices(products: Iterable[Product], clock: int) -> dict[str, float]:
    """The same as an original server draws it that was started at that second: one number goes to its name."""
    chance = Random(clock)
    chance.randint(0, 48950076)
    return _prices(products, chance)


def goals_of(products: Mapping[str, Product], wishes: Iterable[Wish], prices: Mapping[str, float]) -> list[Goal]:
    """A goal for each wish and each choice of its product's options, shuffled: the place of one is its number."""
    chance = Random(SEED)
    goals = [goal for wish in wishes for goal in _goals(wish, products[wish.asin], prices[wish.asin], chance)]
    Random(SEED).shuffle(goals)
    return goals


def human_goals_of(
    products: Mapping[str, Product], wishes: Iterable[Wish], prices: Mapping[str, float]
) -> list[Goal]:
    """A goal for each wish that a person wrote, shuffled: the place of one is its number."""
    chance = Random(SEED)
    goals = list[Goal]()
    for wish in wishes:
        limit = price_limit(prices[wish.asin], chance)
        options = _in_groups(wish.options, products[wish.asin])
        goals.append(replace(goal_of(wish, (), limit), options=options, bare=True))
    Random(SEED).shuffle(goals)
    return goals


def goal_of(wish: Wish, options: Choices, price_limit: float) -> Goal:
    """One goal, in the original's words."""
    chosen = ", and ".join(f"{group}: {value}" for group, value in options)
    limit = f", and price lower than {price_limit:.2f} dollars" if price_limit < ANY_PRICE else ""
    return Goal(
        asin=wish.asin,
        instruction=f"{wish.text}{f' with {chosen}' if chosen else ''}{limit}",
        attributes=wish.attributes,
        options=options,
        price_limit=price_limit,
    )


def price_limit(price: float, chance: Random) -> float:
    """The greater of two of the next four limits; none where a price is near their end."""
    near = [limit for limit in LIMITS if limit > price][:4]
    return max(chance.sample(near, 2)) if len(near) >= 2 else ANY_PRICE


def _goals(wish: Wish, product: Product, price: float, chance: Random) -> list[Goal]:
    limit, groups = price_limit(price, chance), sorted(product.options)
    choices = combinations(*(product.options[group] for group in groups))
    return [goal_of(wish, tuple(zip(groups, values, strict=True)), limit) for values in choices]


def _in_groups(values: Iterable[str], product: Product) -> Choices:
    """Values, each with the group where the product has it; one that it has not cannot be chosen, and counts."""
    found = dict[str, str]()
    for value in values:
        wanted = value.strip().replace("/", " | ").lower()
        groups = (group for group, there in product.options.items() if wanted in there and group not in found)
        found[next(groups, f"not there {len(found) + 1}")] = wanted
    return tuple(found.items())


def _prices(products: Iterable[Product], chance: Random) -> dict[str, float]:
    return {
        product.asin: product.pricing[0] if len(product.pricing) == 1 else chance.uniform(*product.pricing)
        for product in products
    }
