"""WebShop's release as it was published: its products, read as the original reads them (spec §1.6)."""

import re
from collections.abc import Iterable, Iterator, Mapping

from heldout.envs.webshop.catalogue import Product
from heldout.records import Json

NO_PRICE = (100.0,)
"""What a product costs that has none."""

NO_ATTRIBUTES = ("DUMMY_ATTR",)

LONGEST_ASIN = 10


def products_of(items: Iterable[Json], written: Mapping[str, Json]) -> Iterator[Product]:
    """The products of a published list, in its order: each once, none without a name to order it by.

    `written` has their attributes; a `KeyError`, `TypeError` or the like says that an item is none of the release.
    """
    seen = {"nan"}
    for item in items:
        asin = item["asin"]
        if asin in seen or len(asin) > LONGEST_ASIN:
            continue
        seen.add(asin)
        yield Product(
            asin=asin,
            title=item["name"],
            description=item["full_description"],
            features=_features(item["small_description"]),
            options=_options(item["customization_options"]),
            pricing=_pricing(item.get("pricing")),
            attributes=tuple(written.get(asin, {}).get("attributes", NO_ATTRIBUTES)),
            section=item["category"],
            query=item["query"].lower().strip(),
            category=item["product_category"],
        )


def _features(told: Json) -> tuple[str, ...]:
    return tuple(told) if isinstance(told, list) else (told,)


def _options(customised: Json) -> dict[str, tuple[str, ...]]:
    """The choices of each group; one that holds nothing is left out, of two alike but for case the last stays."""
    return {
        group.lower(): tuple(_value(choice["value"]) for choice in choices)
        for group, choices in (customised or {}).items()
        if choices is not None
    }


def _value(text: str) -> str:
    return text.strip().replace("/", " | ").lower()


def _pricing(told: str | None) -> tuple[float, ...]:
    """One price or two, of a text such as `$10.00 to $24.99`."""
    if not told:
        return NO_PRICE
    return tuple(float(re.sub(r"[^\d.]", "", price)) for price in told.split("$")[1:])[:2]
