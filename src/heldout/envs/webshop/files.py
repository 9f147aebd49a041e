"""The real shop: its products and wishes as they lie under HELDOUT_DATA."""

import lzma
from functools import cache
from json import loads
from pathlib import Path
from typing import BinaryIO, cast

from heldout.bounds import bounded_content
from heldout.data.folder import Needs, bringing, ids_needed, mending
from heldout.envs.webshop.catalogue import Catalogue, Product
from heldout.envs.webshop.goals import Goal, Wish, draw_prices, goals_of, original_prices
from heldout.envs.webshop.released import products_of
from heldout.errors import BadCall
from heldout.records import Json

RELEASED = Path("webshop", "items_shuffle_1000.json")
LOADED = Path("webshop", "documents_1k.jsonl.xz")
"""The products as they were published; and as the original has them once it has read them, a product a line."""

WISHES = Path("webshop", "items_ins_v2_1000.json")
"""All under HELDOUT_DATA."""

NEEDS: Needs = ((str(RELEASED), str(LOADED)), (str(WISHES),), *ids_needed("webshop"))
"""What the goals are read from."""


def products_place(data: Path) -> Path:
    """Where the products lie, under HELDOUT_DATA; where they would, if they are not there."""
    return LOADED if (data / LOADED).exists() and not (data / RELEASED).exists() else RELEASED


@cache
def catalogue(data: Path) -> Catalogue:
    """The 1,000 products of WebShop's small set, in their order."""
    place = products_place(data)
    try:
        if place == RELEASED:
            return Catalogue(tuple(products_of(loads(read_file(data, place)), _read_attributes(data))))
        return Catalogue(tuple(_product(loads(line)["product"]) for line in read_file(data, place).splitlines()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadCall(f"{data / place} holds no products ({error!r}); {mending(str(place))}") from None


@cache
def prices(data: Path, clock: int | None = None) -> dict[str, float]:
    """What each product costs: by the original's seed, or as a server drew it that was started at that second."""
    products = catalogue(data).products
    return draw_prices(products) if clock is None else original_prices(products, clock)


@cache
def goals(data: Path, clock: int | None = None) -> tuple[Goal, ...]:
    """The 6,910 goals; the place of one is its published number."""
    return tuple(goals_of(catalogue(data).by_asin, wishes(data), prices(data, clock)))


@cache
def wishes(data: Path) -> tuple[Wish, ...]:
    """What is asked of the products that somebody wrote an instruction for, in the catalogue's order."""
    written = _read_attributes(data)
    asked = {asin: written[asin] for asin in catalogue(data).by_asin if written.get(asin, {}).get("instruction")}
    return tuple(
        Wish(asin=asin, text=wish["instruction"], attributes=tuple(wish["instruction_attributes"]))
        for asin, wish in asked.items()
    )


def _product(line: Json) -> Product:
    return Product(
        asin=line["asin"],
        title=line["Title"],
        description=line["Description"],
        features=tuple(line["BulletPoints"]),
        options={group: tuple(values) for group, values in line["options"].items()},
        pricing=tuple(line["pricing"]),
        attributes=tuple(line["Attributes"]),
        section=line["category"],
        query=line["query"],
        category=line["product_category"],
    )


@cache
def _read_attributes(data: Path) -> dict[str, Json]:
    """The attributes of each product, and what was written for some of them."""
    try:
        return dict(loads(read_file(data, WISHES)))
    except (ValueError, TypeError) as error:
        raise BadCall(f"{data / WISHES} holds no attributes ({error!r}); {mending(str(WISHES))}") from None


def read_file(data: Path, place: Path) -> str:
    """The text of a file of the shop, compressed or not."""
    path = data / place
    try:
        with (lzma.open if path.suffix == ".xz" else open)(path, "rb") as file:
            return bounded_content(cast(BinaryIO, file), path).decode()
    except FileNotFoundError:
        raise BadCall(f"there is no {path}; {bringing(str(place))}") from None
    except (OSError, EOFError, lzma.LZMAError, UnicodeDecodeError) as error:
        raise BadCall(f"could not read {path} ({error}); {mending(str(place))}") from None
