"""What invented shops sell, and the words that they sell it with."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from re import findall


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    """A part of the shop: its things have attributes and options of the same kind."""

    section: str
    category: str
    """The beginning of its things' paths."""
    kinds: tuple[str, ...]
    """What it sells, in the plural."""
    attributes: tuple[str, ...]
    options: tuple[str, ...]
    """The groups of options that its things may have."""
    materials: tuple[str, ...]


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


DEPARTMENTS = (
    Department(
        section="fashion",
        category="Clothing, Shoes & Jewelry › Clothing",
        kinds=_split("shirts, jackets, sweaters, shorts, hats, socks, scarves, gloves, boots, sandals"),
        attributes=_split(
            "machine washable, long sleeve, slim fit, quick drying, light weight, hand wash, high waist, "
            "rubber sole"
        ),
        options=("color", "size"),
        materials=_split("cotton, linen, wool, leather, denim, fleece"),
    ),
    Department(
        section="garden",
        category="Home & Kitchen › Furniture & Decor",
        kinds=_split("pillows, rugs, curtains, lamps, shelves, mirrors, towels, chairs, blankets, baskets"),
        attributes=_split(
            "easy clean, heavy duty, non slip, double sided, space saving, wall mounted, easy assemble, hand made"
        ),
        options=("color", "size"),
        materials=_split("bamboo, oak, steel, velvet, glass, cotton"),
    ),
    Department(
        section="electronics",
        category="Electronics › Accessories",
        kinds=_split(
            "headphones, chargers, cables, speakers, keyboards, cameras, tripods, monitors, adapters, radios"
        ),
        attributes=_split(
            "fast charging, high speed, noise cancelling, water resistant, plug play, easy install, long life, "
            "hands free"
        ),
        options=("color", "style"),
        materials=_split("aluminum, nylon, silicone, carbon, steel, copper"),
    ),
    Department(
        section="beauty",
        category="Beauty & Personal Care › Skin & Hair",
        kinds=_split("soaps, shampoos, creams, brushes, lipsticks, razors, perfumes, combs, lotions, masks"),
        attributes=_split(
            "cruelty free, long lasting, fragrance free, travel size, paraben free, easy carry, sulfate free, "
            "oil free"
        ),
        options=("scent", "size"),
        materials=_split("shea butter, coconut oil, aloe, honey, clay, argan oil"),
    ),
    Department(
        section="grocery",
        category="Grocery & Gourmet Food › Pantry",
        kinds=_split("cookies, teas, noodles, sauces, spices, crackers, soups, candies, nuts, jams"),
        attributes=_split(
            "gluten free, sugar free, dairy free, low sodium, non gmo, high protein, fat free, hand picked"
        ),
        options=("flavor", "pack"),
        materials=_split("oats, rice, cocoa, wheat, corn, almonds"),
    ),
)

VALUES: Mapping[str, tuple[str, ...]] = {
    "color": _split("red, blue, green, black, white, grey, pink, brown, navy, yellow"),
    "size": _split("small, medium, large, x-large, xx-large, travel"),
    "style": _split("classic, compact, foldable, studio, wide, slim"),
    "scent": _split("rose, lemon, mint, vanilla, cedar, peach"),
    "flavor": _split("honey, ginger, chili, berry, garlic, maple"),
    "pack": _split("1 pack, 2 pack, 4 pack, 6 pack, 12 pack"),
}
"""The values of each group of options."""

_SYLLABLES = _split("va, ko, lu, mi, ra, ne, so, ti, da, pe, zu, bo, fi, ga")
BRANDS = tuple((one + two).capitalize() for one in _SYLLABLES for two in _SYLLABLES if one != two)
"""Names of makers; each split has its own share of them."""

SENTENCES = (
    "These {kind} by {brand} are made of {material} and built to last.",
    "Whether at home or on the road, they do what {kind} should do.",
    "Each piece is checked by hand before it leaves the {brand} workshop.",
    "Our {material} comes from small suppliers that we have known for years.",
    "They are {attribute}, which our customers ask for again and again.",
    "Please allow a small difference between the pictures and the real thing.",
    "If anything is wrong with your order, write to {brand} and we set it right.",
    "A thoughtful present for birthdays, for a new home, or for no reason at all.",
    "Every order of {kind} comes well packed, with a card that says how to care for {material}.",
    "You will notice the difference from the first day.",
)
"""What long descriptions are made of."""

FEATURES = (
    "{attribute}: our {kind} are {attribute}, and stay so.",
    "What you get: {kind} of {material}, and a note of thanks from {brand}.",
    "Good to know: made of {material}, and {attribute}.",
    "Promise: {brand} takes these {kind} back within 30 days.",
)
"""What long lists of features are made of."""


@cache
def vocabulary() -> frozenset[str]:
    """The words that things, their attributes, materials and options are called by; makers have invented names."""
    texts = [
        *(text for each in DEPARTMENTS for text in (*each.kinds, *each.attributes, *each.materials, *each.options)),
        *(value for values in VALUES.values() for value in values),
    ]
    return frozenset(word for text in texts for word in findall("[a-z]{2,}", text))
