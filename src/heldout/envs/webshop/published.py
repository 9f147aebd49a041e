"""WebShop's real tasks: the 6,910 goals of its 1,000 products, by their published numbers."""

from collections.abc import Iterator, Sequence
from functools import cache, partial
from pathlib import Path

from heldout.data.check import Check, check_source
from heldout.data.folder import ids_path, lacking, published_numbers
from heldout.data.pools import Pools, check_pools, refuse_twins
from heldout.envs.lazy import Lazy, difficulty, refuse_unknown_split
from heldout.envs.webshop.catalogue import Product
from heldout.envs.webshop.files import NEEDS, WISHES, catalogue, goals, products_place, wishes
from heldout.envs.webshop.goals import Goal
from heldout.envs.webshop.players import turns
from heldout.envs.webshop.tasks import goal_as_json
from heldout.errors import BadCall
from heldout.records import Task, digest

EASY_TURNS = 5
"""The most turns that the oracle takes for an easy goal: true of about half of the 6,910."""


LONGEST = 20
"""Turns in which a goal has to be reached: K of every evaluation (paper §3.2)."""


def published_tasks(split: str, data: Path) -> Sequence[Task]:
    """The goals of one split: the published ids of `train` and `test`; `demonstrations` are those in neither."""
    refuse_unknown_split(split)
    return Lazy(lambda number: _task(split, number, data), _numbers(split, data))


def data_digest(data: Path) -> str:
    """A digest of the products, the goals and the ids."""
    texts = [[product.asin, product.contents] for product in catalogue(data).products]
    return digest(
        [texts, [goal_as_json(goal) for goal in goals(data)], _numbers("train", data), _numbers("test", data)]
    )


def checks(data: Path) -> Iterator[Check]:
    """The products, the wishes, and the published ids."""

    def products() -> tuple[Product, ...]:
        return catalogue(data).products

    yield check_source(
        data, str(products_place(data)), "products with a price", products, lambda product: bool(product.pricing)
    )
    yield check_source(
        data, str(WISHES), "wishes for products", partial(wishes, data), lambda wish: bool(wish.attributes)
    )
    for split in ("train", "test"):
        ids, read = ids_path("webshop", split), partial(published_numbers, data, "webshop", split)
        yield check_source(
            data, ids, "ids of goals that the oracle reaches in 20 turns", read, partial(_can_be_found, data)
        )
    yield from check_pools(data, "webshop", partial(_goals, data))


def _can_be_found(data: Path, number: int) -> bool:
    if lacking(data, NEEDS[:2]):
        return False
    return turns(catalogue(data), _goal(number, data)) <= LONGEST


def _goal(number: int, data: Path) -> Goal:
    if number >= len(goals(data)):
        raise BadCall(
            f"there is no webshop_{number} among the {len(goals(data))} goals of {data / products_place(data)}"
        )
    return goals(data)[number]


def _goals(data: Path) -> Pools:
    return {
        split: [(f"webshop_{number}", _goal(number, data)) for number in published_numbers(data, "webshop", split)]
        for split in ("train", "test")
    }


@cache
def _task(split: str, number: int, data: Path) -> Task:
    goal = _goal(number, data)
    taken = turns(catalogue(data), goal)
    return Task(
        env="webshop",
        split=split,
        id=f"webshop_{number}",
        difficulty=difficulty(taken, EASY_TURNS),
        world=goal_as_json(goal) | {"goal": number},
    )


@cache
def _numbers(split: str, data: Path) -> list[int]:
    test, train = (published_numbers(data, "webshop", split) for split in ("test", "train"))
    refuse_twins(data, "webshop", _goals(data))
    left = sorted(set(range(len(goals(data)))) - set(test) - set(train))
    return {"test": test, "train": train, "demonstrations": left}[split]
