"""The rules of a shop, without English: pages, what leads from one to another, and a purchase."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Self

from heldout.envs.webshop.catalogue import FOUND, Catalogue, Product
from heldout.envs.webshop.goals import Goal
from heldout.envs.webshop.nouns import Nouns
from heldout.envs.webshop.reward import Purchase, count_attributes_met, count_options_met, kind_of
from heldout.records import digest
from heldout.seeds import stream


class Place(Enum):
    """A kind of page."""

    SEARCH = auto()
    RESULTS = auto()
    ITEM = auto()
    DESCRIPTION = auto()
    FEATURES = auto()
    REVIEWS = auto()
    DONE = auto()


class Breakdown(Exception):
    """An error of the original's: its words, and what it leaves behind."""

    def __init__(self, text: str, world: "World") -> None:
        super().__init__(text)
        self.world = world


@dataclass(frozen=True)
class Shop:
    """What all episodes share: a catalogue, what things cost, and who tells nouns."""

    catalogue: Catalogue
    prices: Mapping[str, float]
    nouns: Nouns


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What is on the screen."""

    place: Place
    asins: tuple[str, ...] = ()
    """The products of a page of results, or the one that a page is about."""
    number: int = 1
    """Of a page of results, from 1."""
    found: int = 0
    """How many products the search found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Where one shopper stands; every move returns the next one."""

    shop: Shop
    goal: Goal
    page: Page = Page(place=Place.SEARCH)
    query: str = ""
    number: int = 1
    asin: str = ""
    chosen: Mapping[str, str]
    """The value chosen in each group of options."""
    purchase: Purchase | None = None
    exact_original: bool = False
    """Keep the original's doors and errors."""

    @property
    def digest(self) -> str:
        """A digest of the page and of what was chosen."""
        page, chosen = self.page, sorted(self.chosen.items())
        return digest([page.place.name, page.asins, page.number, self.query, self.asin, chosen])

    @property
    def product(self) -> Product:
        """The one that the page is about."""
        return self.shop.catalogue.by_asin[self.page.asins[0]]

    @property
    def more(self) -> bool:
        """Whether the search found more than this page of results and those before it show."""
        return self.page.number * self.shop.catalogue.on_page < self.page.found

    def search(self, query: str) -> Self:
        """The first page of results."""
        return self._results(query, 1)

    def turn(self, pages: int) -> Self:
        """Some pages of results further on, or back."""
        return self._results(self.query, self.number + pages)

    def home(self) -> Self:
        """The search page, everything forgotten."""
        return replace(self, page=Page(place=Place.SEARCH), query="", number=1, asin="", chosen={})

    def open(self, asin: str) -> Self:
        """The page of a product."""
        return replace(self, asin=asin)._item()

    def choose(self, group: str, value: str) -> Self:
        """The same page, with a value chosen."""
        return replace(self, chosen={**self.chosen, group: value})._item()

    def look(self, place: Place) -> Self:
        """One of the pages with a product's details."""
        self._needs_product()
        return replace(self, page=Page(place=place, asins=(self.asin,)))

    def back(self) -> Self:
        """From details to the product, from a product to the results, from those to the ones before."""
        match self._seems():
            case Place.RESULTS:
                return self.turn(-1)
            case Place.ITEM:
                return self.turn(0)
            case _:
                return self._item()

    def buy(self) -> Self:
        """The end: what was bought, and what it is worth."""
        self._needs_product()
        bought, prices = self.shop.catalogue.by_asin[self.asin], self.shop.prices
        options = tuple(self.chosen.items())
        purchase = Purchase(
            asin=self.asin,
            options=options,
            price=prices[self.asin],
            goal=self.goal,
            attributes=count_attributes_met(bought, self.goal),
            right_options=count_options_met(options, self.goal, exact_original=self.exact_original),
            kind=kind_of(bought, self.shop.catalogue.by_asin[self.goal.asin], self.shop.nouns),
        )
        return replace(self, page=Page(place=Place.DONE), purchase=purchase)

    def _results(self, query: str, number: int) -> Self:
        now = replace(self, query=query, number=number, asin="", chosen={})
        found = now._found_products()
        size = self.shop.catalogue.on_page
        asins = found[(number - 1) * size : number * size]
        page = Page(place=Place.RESULTS, asins=asins, number=number, found=len(found))
        return replace(now, page=page)

    def _found_products(self) -> tuple[str, ...]:
        """What a search finds; in the original, some words in front open a back door (Q-WS4)."""
        door, *rest = self.query.split(" ")
        catalogue = self.shop.catalogue
        if not self.exact_original or door not in ("<a>", "<c>", "<q>", "<r>"):
            return catalogue.search(self.query)
        if door == "<r>":
            asins = [product.asin for product in catalogue.products]
            return tuple(stream(0, "webshop", "any", self.number).sample(asins, min(len(asins), FOUND)))
        if door == "<a>":
            raise Breakdown("TypeError: 'NoneType' object is not subscriptable", self)
        if door == "<q>":
            wanted = " ".join(rest).strip()
            return tuple(product.asin for product in catalogue.products if product.query == wanted)
        if not rest:
            raise Breakdown("IndexError: list index out of range", self)
        return tuple(product.asin for product in catalogue.products if product.section == rest[0].strip())

    def _item(self) -> Self:
        self._needs_product()
        return replace(self, page=Page(place=Place.ITEM, asins=(self.asin,)))

    def _needs_product(self) -> None:
        """After an error the original has forgotten the product that it still shows."""
        if not self.asin:
            raise Breakdown("KeyError: None", self)

    def _seems(self) -> Place:
        """The kind of page, told by its address in the original, which has the query in it."""
        names = {Place.RESULTS: "search_results", Place.ITEM: "item_page"}
        address = f"{self.query} {self.chosen}" if self.exact_original else ""
        seems = (place for place, name in names.items() if name in address or self.page.place is place)
        return next(seems, Place.SEARCH)
