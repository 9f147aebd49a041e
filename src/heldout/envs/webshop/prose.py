"""The pages of the shop in sentences: the facts of pages.py again, without a page's form."""

from collections.abc import Iterator

from heldout.envs.webshop.pages import buttons
from heldout.envs.webshop.world import Page, Place, World


def page_as_prose(world: World) -> str:
    """The page as the agent reads it where a variant has observations plain."""
    if world.page.place is Place.DONE:
        return _describe_purchase(world)
    if world.page.place is Place.SEARCH:
        return f"You want: {world.goal.instruction}\nYou are in a web shop, where you can search."
    clicks = ", ".join(buttons(world))
    return "\n".join([f"You want: {world.goal.instruction}", *_content(world), f"You can click {clicks}."])


def _content(world: World) -> Iterator[str]:
    match world.page.place:
        case Place.RESULTS:
            yield from _results(world, world.page)
        case Place.ITEM:
            yield from _item(world)
        case Place.DESCRIPTION:
            yield world.product.description or "It is not described."
        case Place.FEATURES:
            yield "; ".join(world.product.features) or "It has no features."
        case _:
            yield "Nobody has reviewed it."


def _results(world: World, page: Page) -> Iterator[str]:
    yield f"You see page {page.number} of what was found, {page.found} products in all."
    for asin in page.asins:
        product = world.shop.catalogue.by_asin[asin]
        yield f"{asin} is {product.title}, for {product.price_tag}."


def _item(world: World) -> Iterator[str]:
    product = world.product
    yield f"This is {product.title}, for {product.price_tag}. Nobody has rated it."
    for group, values in product.options.items():
        yield f"Its {group} can be: {', '.join(values)}."
    if world.chosen:
        yield f"You have chosen {_describe_chosen(world)}."


def _describe_purchase(world: World) -> str:
    assert world.purchase is not None
    options = f" with {_describe_chosen(world)}" if world.purchase.options else ""
    return f"You have bought {world.purchase.asin}{options}. Your score is {world.purchase.reward}, of 1.0 at most."


def _describe_chosen(world: World) -> str:
    return ", ".join(f"{group}: {value}" for group, value in world.chosen.items())
