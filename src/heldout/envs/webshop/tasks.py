"""WebShop's generated tasks: shoppers in invented shops, in splits that share no maker of things."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from random import Random

from heldout.envs.lazy import SPLITS, Lazy, difficulty, numbers_of
from heldout.envs.webshop.catalogue import Catalogue
from heldout.envs.webshop.generate import SIZES, make_catalogue, make_goal
from heldout.envs.webshop.goals import Goal, draw_prices
from heldout.envs.webshop.players import turns
from heldout.envs.webshop.product_words import BRANDS
from heldout.records import Json, Task, digest
from heldout.seeds import derive, stream

SHARES = ("test", "train", "demonstrations", "demonstrations")
"""How the makers are shared out."""

IN_SHOP = {"pocket": 8, "standard": 250}
"""Shoppers of one shop, an even number: each wants another product. The next shop sells other things."""

BEFORE = {"test": (), "train": ("test",), "demonstrations": ("test", "train")}
"""The splits in which nobody may want what a split's shoppers want, in shops of one seed and profile."""

KEPT = {"pocket": 256, "standard": 16}
"""Shops that are kept once they are stocked: those of all 1,000 training tasks."""

EASY_TURNS = {"pocket": 4, "standard": 4}
"""The most turns that the oracle takes in an easy task: true of about half of all."""

MOST_TURNS = 10
"""Goals that take the oracle longer are not used: K in training (paper §3.2)."""


@dataclass(frozen=True, slots=True)
class _Name:
    """Which shop: all that its stock depends on."""

    seed: int
    profile: str
    split: str
    number: int

    def stream(self, purpose: str) -> Random:
        """The chance of one purpose."""
        return stream(self.seed, "webshop", self.profile, self.split, self.number, purpose)


def generated_tasks(split: str, seed: int, profile: str) -> Sequence[Task]:
    """The tasks of one split, easy and hard in turn; no maker of one split is in another, whatever the seeds."""
    return Lazy(lambda number: _task(split, number, seed, profile), numbers_of(split))


def stock(world: Mapping[str, Json]) -> tuple[Catalogue, Mapping[str, float]]:
    """The catalogue of a generated task's shop, and what things cost there."""
    name = _Name(**world["shop"])
    return _STOCKS[name.profile](name)


def goal_in(world: Mapping[str, Json]) -> Goal:
    """What is wanted in a task."""
    return Goal(
        asin=world["asin"],
        instruction=world["instruction"],
        attributes=tuple(world["attributes"]),
        options=tuple((group, value) for group, value in world["options"].items()),
        price_limit=world["price_limit"],
        bare=world.get("bare", False),
    )


def goal_as_json(goal: Goal) -> dict[str, Json]:
    """A goal as a part of a task's world."""
    return {
        "asin": goal.asin,
        "instruction": goal.instruction,
        "attributes": list(goal.attributes),
        "options": dict(goal.options),
        "price_limit": goal.price_limit,
        **({"bare": True} if goal.bare else {}),
    }


def wants(world: Mapping[str, Json]) -> Json:
    """A task's content: what the shopper wants, whatever the product's code, the goal's number and the shop."""
    parts = ("instruction", "options", "price_limit")
    return {"attributes": sorted(world["attributes"]), **{part: world[part] for part in parts}}


def _make_stock(name: _Name) -> tuple[Catalogue, Mapping[str, float]]:
    chance = name.stream("stock")
    catalogue = make_catalogue(_brands_of(name.split), SIZES[name.profile], chance)
    return catalogue, draw_prices(catalogue.products, chance.randrange(1 << 32))


_STOCKS = {profile: lru_cache(maxsize=kept)(_make_stock) for profile, kept in KEPT.items()}


@cache
def _brands_of(split: str) -> list[str]:
    # A hash without the seed decides: demonstrations of one seed hold nothing that is sold under another's test.
    return [brand for brand in BRANDS if SHARES[derive(0, "webshop", "brand", brand) % len(SHARES)] == split]


@cache
def _wanted_before(split: str, seed: int, profile: str) -> frozenset[str]:
    return frozenset(
        digest(wants(task.world)) for each in BEFORE[split] for task in generated_tasks(each, seed, profile)
    )


@cache
def _task(split: str, number: int, seed: int, profile: str) -> Task:
    shop, place = divmod(number - SPLITS[split].start, IN_SHOP[profile])
    name, hard = _Name(seed, profile, split, shop), number % 2
    catalogue, prices = _STOCKS[profile](name)
    ours, chance = catalogue.products[place :: IN_SHOP[profile]], name.stream(f"shopper {place}")
    world, taken, before = dict[str, Json](), 0, _wanted_before(split, seed, profile)
    while (
        not taken or taken > MOST_TURNS or (taken > EASY_TURNS[profile]) != hard or digest(wants(world)) in before
    ):
        product = chance.choice(ours)
        goal = make_goal(product, prices[product.asin], SIZES[profile], chance)
        world, taken = goal_as_json(goal), turns(catalogue, goal)
    return Task(
        env="webshop",
        split=split,
        id=f"webshop_{number}",
        difficulty=difficulty(taken, EASY_TURNS[profile]),
        world=world | {"shop": {"seed": seed, "profile": profile, "split": split, "number": shop}},
    )
