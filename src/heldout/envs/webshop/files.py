"""The real shop: its products and wishes as they lie under HELDOUT_DATA."""

import lzma
from functools import cache
from json import loads
from pathlib import Path

from heldout.envs.webshop.catalogue import Catalogue, Product
from heldout.envs.webshop.goals import Goal, Wish, drawn_prices, goals_of, original_prices
from heldout.errors import BadCall
from heldout.records import Json

PRODUCTS = Path("webshop", "documents_1k.jsonl.xz")
WISHES = Path("webshop", "items_ins_v2_1000.json")
"""Both under HELDOUT_DATA."""


@cache
def catalogue(data: Path) -> Catalogue:
    """The 1,000 products of WebShop's small set, in their order."""
    lines = [loads(line)["product"] for line in _read(data / PRODUCTS).splitlines()]
    return Catalogue(tuple(map(_product, lines)))


@cache
def prices(data: Path, clock: int | None = None) -> dict[str, float]:
    """What each product costs: by the original's seed, or as a server drew it that was started at that second."""
    products = catalogue(data).products
    return drawn_prices(products) if clock is None else original_prices(products, clock)


@cache
def goals(data: Path, clock: int | None = None) -> tuple[Goal, ...]:
    """The 6,910 goals; the place of one is its published number."""
    return tuple(goals_of(catalogue(data).by_asin, wishes(data), prices(data, clock)))


@cache
def wishes(data: Path) -> tuple[Wish, ...]:
    """What is asked of the products that somebody wrote an instruction for, in the catalogue's order."""
    written = loads(_read(data / WISHES))
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


def _read(path: Path) -> str:
    try:
        content = path.read_bytes()
        return (lzma.decompress(content) if path.suffix == ".xz" else content).decode()
    except (OSError, lzma.LZMAError, UnicodeDecodeError) as error:
        raise BadCall(f"could not read {path} ({error}); HELDOUT_DATA has to name a folder with it") from None
