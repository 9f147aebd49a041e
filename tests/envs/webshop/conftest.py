"""A shop of three products, typed in."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from heldout.envs.webshop.catalogue import Catalogue, Product
from heldout.envs.webshop.env import WebShop
from heldout.envs.webshop.goals import Goal
from heldout.envs.webshop.nouns import every_word
from heldout.envs.webshop.world import Shop, World

SHIRT = Product(
    asin="B000000001",
    title="Red Cotton Shirt",
    description="A shirt that lasts.",
    features=("Machine washable.", "Two pockets."),
    options={"size": ("small", "large", "x-large"), "color": ("red", "navy blue", "green stripe")},
    pricing=(19.99,),
    attributes=("machine washable", "long sleeve"),
    section="fashion",
    query="shirts",
    category="Clothing › Men › Shirts",
)
SWEATER = Product(
    asin="B000000002",
    title="Blue Wool Sweater",
    description="",
    features=("Warm.", " ", ""),
    options={},
    pricing=(10.0, 24.5),
    attributes=("hand wash",),
    section="fashion",
    query="sweaters",
    category="Clothing › Women › Sweaters",
)
LAMP = Product(
    asin="B000000003",
    title="Oak Lamp, Red",
    description="Light for a room.\nAnd warm.",
    features=("Long cable",),
    options={"color": ("red", "white"), "shade": ("white", "none")},
    pricing=(100.0,),
    section="garden",
    query="lamps",
    category="Home › Lighting › Lamps",
)
PRICES = {SHIRT.asin: 19.99, SWEATER.asin: 12.0, LAMP.asin: 100.0}

GOAL = Goal(
    asin=SHIRT.asin,
    instruction=(
        "Find me machine washable shirts with color: navy blue, and size: large, and price lower than 30.00 dollars"
    ),
    attributes=("machine washable", "long sleeve"),
    options=(("color", "navy blue"), ("size", "large")),
    price_limit=30.0,
)

Opened = Callable[..., WebShop]


@pytest.fixture
def catalogue() -> Catalogue:
    """The three products, two on a page."""
    return Catalogue((SHIRT, SWEATER, LAMP), on_page=2)


@pytest.fixture
def opened(catalogue: Catalogue) -> Opened:
    """Opens the shop: `opened(original=True)` by the original's rules; `goal` and `prices` may be others."""

    def make(*, original: bool = False, goal: Goal = GOAL, prices: Mapping[str, float] = PRICES) -> WebShop:
        shop = Shop(catalogue, prices, every_word)
        return WebShop(World(shop=shop, goal=goal, chosen={}, exact_original=original))

    return make


@pytest.fixture
def data() -> Path:
    """The real tasks' data."""
    if "HELDOUT_DATA" not in os.environ:
        pytest.skip("HELDOUT_DATA is not set")
    return Path(os.environ["HELDOUT_DATA"])
