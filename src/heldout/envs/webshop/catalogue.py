"""What a shop sells, and finding it: one catalogue is shared by all episodes."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from heldout.envs.webshop.bm25 import Index

FOUND = 50
"""The most products that a search finds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One thing for sale."""

    asin: str
    """What it is ordered by."""
    title: str
    description: str = ""
    features: tuple[str, ...] = ()
    options: Mapping[str, tuple[str, ...]]
    """What has to be chosen: each group, such as `color`, and the values that it has."""
    pricing: tuple[float, ...]
    """One price, or the least and the greatest."""
    attributes: tuple[str, ...] = ()
    """What it is known for, such as `machine washable`; the shop does not show these."""
    section: str = ""
    """One of the few parts of the shop, such as `beauty`."""
    query: str = ""
    """The search that it answers, such as `decorative pillows`."""
    category: str = ""
    """Its path in the shop, such as `Home & Kitchen › Bedding`."""

    @property
    def price_tag(self) -> str:
        """The price as it is shown."""
        return " to ".join(f"${price}" for price in self.pricing)

    @property
    def contents(self) -> str:
        """What a search looks through."""
        first = self.features[0] if self.features else ""
        options = ", and ".join(f"{group}: {', '.join(values)}" for group, values in self.options.items())
        return f"{self.title} {self.description} {first} {options}".lower()


@dataclass(frozen=True, eq=False)
class Catalogue:
    """Products in their order; itself and no other, however alike."""

    products: tuple[Product, ...]
    on_page: int = 10
    """How many products a page of results has."""

    @cached_property
    def by_asin(self) -> Mapping[str, Product]:
        """Each product by what it is ordered by."""
        return {product.asin: product for product in self.products}

    def search(self, query: str) -> tuple[str, ...]:
        """The products that a search finds, best first."""
        return tuple(self.products[place].asin for place in self._index.search(query, FOUND))

    @cached_property
    def _index(self) -> Index:
        return Index([product.contents for product in self.products], [product.asin for product in self.products])
