"""Who shops seeing all of the shop: the oracle, what is legal, the oracle's thoughts, plausible mistakes."""

import re
from functools import lru_cache

from heldout.envs.webshop.catalogue import Catalogue
from heldout.envs.webshop.goals import Goal
from heldout.envs.webshop.pages import BUY, DETAILS, HOME, NEXT, PREVIOUS, clickable
from heldout.envs.webshop.world import Place, World

_UNWANTED = re.compile(r"[\[\]\s]+")

FAR = 4
"""Pages of results that the oracle turns at most: from any search but its own it rather starts again."""

_ABOUT = {
    BUY.lower(): "All is as it should be. I buy it.",
    NEXT.lower(): "It is not on this page. I look at the next.",
    PREVIOUS.lower(): "This is not what I want. I go back.",
    HOME.lower(): "This is not what I want. I start again.",
    **{name.lower(): f"I read the {name.lower()}." for name in DETAILS},
}
"""Why a button is clicked."""


def oracle(world: World) -> str:
    """The next action of a player that knows which product is meant: find it, choose what is asked for, buy."""
    match world.page.place:
        case Place.SEARCH | Place.DONE:
            return _search(query_for(world.shop.catalogue, world.goal))
        case Place.RESULTS:
            return _towards_goal(world)
        case Place.ITEM if world.asin == world.goal.asin:
            return _click(_missing(world) or BUY)
        case _:
            # After an error the original has forgotten which product its page is about.
            return _click(PREVIOUS if world.asin else HOME)


def turns(catalogue: Catalogue, goal: Goal) -> int:
    """How many turns the oracle takes: a search, pages, the product, a choice in each group, and the purchase."""
    return 2 + _page_of(catalogue, query_for(catalogue, goal), goal.asin) + len(goal.options)


@lru_cache(maxsize=1 << 10)
def query_for(catalogue: Catalogue, goal: Goal) -> str:
    """The words of the instruction that bring up the goal's product on the earliest page; else its own words."""
    product = catalogue.by_asin[goal.asin]
    asked = f"{' '.join(goal.attributes)} {product.query}"
    full = f"{asked} {' '.join(value for _, value in goal.options)}"
    for texts in ((asked, full), (product.title, product.contents)):
        pages = {query: page for query in map(_query, texts) if (page := _page_of(catalogue, query, goal.asin))}
        if pages:
            break
    return min(pages, key=pages.__getitem__)


def legal(world: World) -> list[str]:
    """A search for what is wanted where there is a box for it, and every click."""
    clicks = [_click(name) for name in clickable(world) if _is_sayable(name)]
    if world.page.place is not Place.SEARCH:
        return clicks
    product = world.shop.catalogue.by_asin[world.goal.asin]
    texts = [query_for(world.shop.catalogue, world.goal), product.query, *world.goal.attributes]
    return list(dict.fromkeys(_search(_query(text)) for text in texts))


def thought(world: World, action: str) -> str:
    """What leads to the action, in the words of the page."""
    said = _argument(action)
    by_asin = world.shop.catalogue.by_asin
    match world.page.place:
        case Place.SEARCH if action.startswith("search"):
            return "I search for what is wanted."
        case Place.RESULTS if said.upper() in world.page.asins:
            product = by_asin[said.upper()]
            return f"{_plain(product.title)} for {product.price_tag} may be it. I look at it."
        case Place.ITEM if (group := _group_of(world, said)) is not None:
            return f"The {_plain(group)} should be {said}."
    return _ABOUT.get(said.lower(), "I try something else.")


def mistakes(world: World) -> list[str]:
    """Plausible mistakes, the tempting first: a search for too little, the first product that is not the right one,
    buying before everything is chosen; another value, a button that is not here."""
    best, goal = oracle(world), world.goal
    match world.page.place:
        case Place.SEARCH:
            mistakes = [_search(word) for word in goal.attributes] + [_click(BUY)]
        case Place.RESULTS:
            others = [asin for asin in world.page.asins if asin != goal.asin]
            mistakes = [*map(_click, others), _click(BUY), _click(HOME)]
        case Place.ITEM:
            right = {value for _, value in goal.options}
            values = [value for values in world.product.options.values() for value in values]
            wrong = [_click(value) for value in values if value not in right and _is_sayable(value)]
            mistakes = [_click(BUY), *wrong, _click(NEXT), *map(_click, DETAILS)]
        case _:
            mistakes = [_click(BUY), _click(HOME)]
    return [action for action in dict.fromkeys(mistakes) if action != best]


def _towards_goal(world: World) -> str:
    goal, page = world.goal.asin, world.page
    if goal in page.asins:
        return _click(goal)
    on = _page_of(world.shop.catalogue, world.query, goal)
    is_far = on - page.number > FAR and world.query != query_for(world.shop.catalogue, world.goal)
    is_back_door = world.exact_original and world.query.startswith("<")
    if not on or is_far or is_back_door:
        return _click(HOME)
    return _click(NEXT if on > page.number else PREVIOUS)


def _missing(world: World) -> str:
    """The goal's value in the first group where it can be chosen and is not; none where all are."""
    there = world.product.options
    asked = ((group, value) for group, value in world.goal.options if value in there.get(group, ()))
    return next((value for group, value in asked if world.chosen.get(group) != value), "")


def _group_of(world: World, value: str) -> str | None:
    return next((group for group, values in world.product.options.items() if value in values), None)


def _page_of(catalogue: Catalogue, query: str, asin: str) -> int:
    """The page of results that has a product, from 1; 0 where none has."""
    found = catalogue.search(query)
    return found.index(asin) // catalogue.on_page + 1 if asin in found else 0


def _is_sayable(name: str) -> bool:
    """Whether a name can be said between brackets."""
    return bool(name) and not set("[]\n") & set(name)


def _query(text: str) -> str:
    return _plain(text.lower())


def _plain(text: str) -> str:
    """In one line, without brackets."""
    return _UNWANTED.sub(" ", text).strip()


def _argument(action: str) -> str:
    return action.partition("[")[2].removesuffix("]")


def _search(query: str) -> str:
    return f"search[{query}]"


def _click(name: str) -> str:
    return f"click[{name}]"
