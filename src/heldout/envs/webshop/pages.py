"""The pages of the shop as text, and what can be clicked on each (spec §1.3 and §1.4)."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from json import dumps

from heldout.envs.webshop.catalogue import Product
from heldout.envs.webshop.world import Page, Place, World

Move = Callable[[World], World]
"""What a click does."""

SEPARATOR = " [SEP] "
HOME, PREVIOUS, NEXT, BUY = "Back to Search", "< Prev", "Next >", "Buy Now"
DETAILS = {"Description": Place.DESCRIPTION, "Features": Place.FEATURES, "Reviews": Place.REVIEWS}

_BUTTONS: Mapping[str, Move] = {
    HOME.lower(): World.home,
    PREVIOUS.lower(): World.back,
    NEXT.lower(): partial(World.turn, pages=1),
    BUY.lower(): World.buy,
    **{name.lower(): partial(World.look, place=place) for name, place in DETAILS.items()},
}

_BLANKS = " \n\t\f\r"


def clickable(world: World) -> dict[str, Move]:
    """Everything on the page that can be clicked, in lower case, and what it does."""
    page, moves = world.page, {name.lower(): _BUTTONS[name.lower()] for name in buttons(world)}
    match page.place:
        case Place.RESULTS:
            moves |= {asin.lower(): partial(World.open, asin=asin) for asin in page.asins}
        case Place.ITEM:
            moves |= {value: move for value, move in _choices(world).items() if value not in moves}
    return moves


def possible(world: World) -> list[str]:
    """The actions that the page allows, as they are listed; any words may stand in a search."""
    searches = ["search[<words>]"] if has_search_box(world) else []
    return [*searches, *(f"click[{name}]" for name in clickable(world))]


def has_search_box(world: World) -> bool:
    """Whether the page is the one to search from."""
    return world.page.place is Place.SEARCH


def text(world: World) -> str:
    """The page as the agent reads it."""
    if world.page.place is Place.DONE:
        return _join(_receipt(world))
    if world.page.place is Place.SEARCH:
        return _join(["WebShop", "Instruction:", world.goal.instruction, "Search"])
    return _join(["Instruction:", world.goal.instruction, *_buttons_above(world), *_content(world)])


def buttons(world: World) -> list[str]:
    """The buttons of a page in the order in which they can be clicked."""
    match world.page.place:
        case Place.SEARCH | Place.DONE:
            return []
        case Place.RESULTS:
            return _around(world)
        case Place.ITEM:
            return [HOME, PREVIOUS, *DETAILS, BUY]
        case _:
            return [HOME, PREVIOUS]


def _around(world: World) -> list[str]:
    """The buttons of a page of results; the original always has a next page, past the end an empty one."""
    before = [PREVIOUS] if world.page.number > 1 else []
    after = [NEXT] if world.more or world.exact_original else []
    return [HOME, *before, *after]


def _choices(world: World) -> dict[str, Move]:
    """The values of a product's options; one that two groups have goes to the last (Q-WS5), by us to each."""
    moves: dict[str, Move] = {}
    for group, values in world.product.options.items():
        for value in values:
            if world.exact_original or value not in moves or world.chosen.get(group) != value:
                moves[value] = partial(World.choose, group=group, value=value)
    return moves


def _buttons_above(world: World) -> list[str]:
    if world.page.place is not Place.RESULTS:
        return [HOME, PREVIOUS]
    first, *others = _around(world)
    return [first, f"Page {world.page.number} (Total results: {world.page.found})", *others]


def _content(world: World) -> Iterable[str]:
    match world.page.place:
        case Place.RESULTS:
            return _results(world.page, world.shop.catalogue.by_asin)
        case Place.ITEM:
            return _item(world.product, {} if world.exact_original else world.chosen)
        case Place.DESCRIPTION:
            return [world.product.description]
        case Place.FEATURES:
            return world.product.features
        case _:
            return []


def _results(page: Page, products: Mapping[str, Product]) -> Iterable[str]:
    for asin in page.asins:
        yield from (asin, products[asin].title, products[asin].price_tag)


def _item(product: Product, chosen: Mapping[str, str]) -> Iterable[str]:
    """A product's page; by our rules what was chosen can be seen (Q-WS6)."""
    for group, values in product.options.items():
        yield from (group, *values)
    if chosen:
        yield "Selected: " + ", ".join(f"{group}: {value}" for group, value in chosen.items())
    yield from (product.title, f"Price: {product.price_tag}", "Rating: N.A.", *DETAILS, BUY)


def _receipt(world: World) -> Iterable[str]:
    """The last page, with its form's spelling."""
    assert world.purchase is not None
    bought = world.purchase
    yield from ("Thank you for shopping with us!", "Your code:", "None", "(Paste it in your MTurk interface.)")
    yield from ("Purchased", "asin", bought.asin, "options", _as_json(dict(bought.options)), "attrs", "None")
    yield from ("category", "None", "query", "None", "product category", "None")
    yield from (
        "Target",
        "asin",
        "options",
        "attrs",
        "price upper",
        "instuction text",
        "category",
        "product category",
    )
    yield from ("query", "Goal", "None", "Reward", "Your score (min 0.0, max 1.0)", str(bought.reward))
    yield from ("Reward Details", "None")


def _as_json(options: Mapping[str, str]) -> str:
    """JSON as Flask puts it into a page."""
    written = dumps(options, sort_keys=True)
    for sign in "<>&'":
        written = written.replace(sign, f"\\u{ord(sign):04x}")
    return written


def _join(parts: Iterable[str]) -> str:
    """The parts of a page that show: of blanks alone a line's end does not, others leave an empty part."""
    shown = (part for part in parts if part and (part.strip(_BLANKS) or "\n" not in part))
    return SEPARATOR.join(part.strip() for part in shown)
