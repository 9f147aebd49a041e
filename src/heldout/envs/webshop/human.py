"""WebShop's human goals: what people wrote of its products; most published logs were played on them."""

from collections.abc import Iterator, Sequence
from functools import cache, partial
from json import loads
from pathlib import Path

from heldout.data.check import Check, check_source
from heldout.data.folder import Needs, mending
from heldout.envs.lazy import Lazy, difficulty, refuse_unknown_split
from heldout.envs.webshop.files import NEEDS, catalogue, prices, read_file
from heldout.envs.webshop.goals import Goal, Wish, human_goals_of
from heldout.envs.webshop.players import turns
from heldout.envs.webshop.published import EASY_TURNS
from heldout.envs.webshop.tasks import goal_as_json
from heldout.errors import BadCall
from heldout.records import Task, digest

HUMAN = Path("webshop", "items_human_ins.json")

HUMAN_NEEDS: Needs = (*NEEDS[:2], (str(HUMAN),))
"""What these goals are read from: no published list of AgentGym's is of them."""

TEST, DEVELOPMENT = 500, 1000
"""WebShop's own splits: the first 500 goals to test on, the next 1,000 for development, the others to train on."""


def human_tasks(split: str, data: Path) -> Sequence[Task]:
    """The goals of one split by WebShop's own; those for development are `demonstrations`."""
    refuse_unknown_split(split)
    return Lazy(lambda number: _task(split, number, data), _numbers(split, data))


def human_digest(data: Path) -> str:
    """A digest of the products and the goals."""
    texts = [[product.asin, product.contents] for product in catalogue(data).products]
    return digest(["human", texts, [goal_as_json(goal) for goal in human_goals(data)]])


@cache
def human_goals(data: Path) -> tuple[Goal, ...]:
    """The goals in the original's order; the place of one is its number."""
    return tuple(human_goals_of(catalogue(data).by_asin, _human_wishes(data), prices(data)))


def _human_wishes(data: Path) -> list[Wish]:
    """What people asked of the products there are, in the catalogue's order; without an attribute it is none."""
    try:
        written = loads(read_file(data, HUMAN))
        return [
            Wish(
                asin=asin,
                text=str(wish["instruction"]).strip("."),
                attributes=tuple(wish["instruction_attributes"]),
                options=tuple(wish["instruction_options"]),
            )
            for asin in catalogue(data).by_asin
            for wish in written.get(asin, ())
            if wish["instruction_attributes"]
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadCall(f"{data / HUMAN} holds no instructions ({error!r}); {mending(str(HUMAN))}") from None


def human_checks(data: Path) -> Iterator[Check]:
    """The instructions for products that are there; nothing where people's are not."""
    if (data / HUMAN).exists():
        read = partial(_human_wishes, data)
        yield check_source(data, str(HUMAN), "people's wishes for products", read, lambda wish: bool(wish.text))


@cache
def _numbers(split: str, data: Path) -> list[int]:
    """The goals of a split; one that is in an earlier split word for word is left out of the later."""
    goals = human_goals(data)
    test = min(TEST, len(goals) // 2)
    ends = {
        "test": (0, test),
        "demonstrations": (test, test + DEVELOPMENT),
        "train": (test + DEVELOPMENT, len(goals)),
    }
    if len(goals) <= test + DEVELOPMENT:  # a small shop has too few for three
        ends = {"test": (0, test), "train": (test, len(goals)), "demonstrations": (0, 0)}
    first, end = ends[split]
    before = set(goals[:first])
    return [number for number in range(first, min(end, len(goals))) if goals[number] not in before]


@cache
def _task(split: str, number: int, data: Path) -> Task:
    goal = human_goals(data)[number]
    return Task(
        env="webshop",
        split=split,
        id=f"webshop_{number}",
        difficulty=difficulty(turns(catalogue(data), goal), EASY_TURNS),
        world=goal_as_json(goal) | {"goal": number, "goals": "human"},
    )
