"""Recorded episodes of WebShop: the goal behind one, and what everything cost when it was played."""

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

from heldout.data.folder import data_folder
from heldout.envs.base import Env
from heldout.envs.dialogues import convert_dialogue
from heldout.envs.react import whole_action
from heldout.envs.recorded import Answer, Dialogue, RecordedEpisode
from heldout.envs.webshop.env import WebShop
from heldout.envs.webshop.files import catalogue, goals, prices
from heldout.envs.webshop.goals import ANY_PRICE, Goal
from heldout.envs.webshop.human import HUMAN, human_goals
from heldout.envs.webshop.nouns import every_word, tagger
from heldout.envs.webshop.pages import SEPARATOR, clickable, has_search_box
from heldout.envs.webshop.world import Place, Shop, World
from heldout.errors import BadCall
from heldout.records import Json

_LIMIT = re.compile(r", and price lower than ([\d.]+) dollars$")


def open_recording(episode: RecordedEpisode, *, rules: str) -> Env:
    """The world of a recorded goal, `goal_idx`, with the prices of a server started at the second `price_seed`."""
    data, task = data_folder(), episode.task
    clock = _whole("price_seed", task["price_seed"]) if task.get("price_seed") is not None else None
    number = _whole("goal_idx", task.get("goal_idx"))
    there = human_goals(data) if task.get("goals") == "human" else goals(data, clock)
    if number >= len(there):
        raise BadCall(f"goal_idx {number} is past the {len(there)} goals")
    goal = there[number]
    if isinstance(instruction := task.get("instruction_text"), str):
        goal = _with_limit_of(goal, instruction)
    # Recordings made without a tagger say so where something was bought.
    purchases = [step.answer.purchase or {} for step in episode.steps]
    nouns = every_word if any("standin_r_type" in purchase for purchase in purchases) else tagger().nouns
    shop = Shop(catalogue(data), prices(data, clock), nouns)
    return WebShop(World(shop=shop, goal=goal, chosen={}, exact_original=rules == "agentgym"))


def episode_of(dialogue: Dialogue) -> RecordedEpisode:
    """The episode behind a dialogue; its goal is the one with the words of the opening.

    The recorder took an item's place in its list as its number, and a limit that its server's clock had drawn.
    """
    instruction = dialogue.opening.split(SEPARATOR)[2] if dialogue.opening.count(SEPARATOR) > 2 else ""
    found = _by_text(data_folder()).get(_LIMIT.sub("", instruction))
    if found is None:
        raise BadCall(f"no goal is {instruction!r:.120}")
    kind, number = found
    task: dict[str, Json] = {"goal_idx": number, "instruction_text": instruction}
    task |= {"goals": kind} if kind == "human" else {}
    return convert_dialogue(dialogue, task, whole_action, paid="reward")


def beside(world: World) -> Answer:
    """What can be clicked, and what was bought with the parts of its reward."""
    available = ("search",) if has_search_box(world) else tuple(clickable(world))
    purchase = _parts(world) if world.page.place is Place.DONE else None
    return Answer(available=available, purchase=purchase)


def _parts(world: World) -> dict[str, Json]:
    """A purchase by the names of the original's scorer."""
    assert world.purchase is not None
    bought, goal = world.purchase, world.purchase.goal
    told_by = "standin_" if world.shop.nouns is every_word else ""
    parts: dict[str, Json] = {
        "asin": bought.asin,
        "options": dict(bought.options),
        "price": bought.price,
        "reward_without_type": bought.share,
        f"{told_by}r_type": bought.kind.factor,
        f"{told_by}title_score": bought.kind.title,
        "query_match": bought.kind.same_query,
        "category_match": bought.kind.same_category,
        "r_att": bought.attributes / len(goal.attributes),
        "w_att": len(goal.attributes) / bought.wanted,
        "r_price": bought.in_price,
        "w_price": 1 / bought.wanted,
    }
    if goal.options:
        share, weight = bought.right_options / len(goal.options), len(goal.options) / bought.wanted
        parts |= {"r_option": share, "w_option": weight}
    return parts


def _with_limit_of(goal: Goal, instruction: str) -> Goal:
    """A goal with the price limit of an instruction."""
    if _LIMIT.sub("", goal.instruction) != _LIMIT.sub("", instruction):
        raise BadCall(f"the goal is {goal.instruction!r}, not {instruction!r}")
    limit = _LIMIT.search(instruction)
    return replace(goal, instruction=instruction, price_limit=float(limit[1]) if limit else ANY_PRICE)


@cache
def _by_text(data: Path) -> dict[str, tuple[str, int]]:
    """The kind and the number of each goal by its words, the price aside; the first of equal ones.

    Goals that people wrote are among them where their file is.
    """
    found: dict[str, tuple[str, int]] = {}
    human = human_goals(data) if (data / HUMAN).exists() else ()
    for kind, there in (("synthetic", goals(data)), ("human", human)):
        for number, goal in enumerate(there):
            found.setdefault(_LIMIT.sub("", goal.instruction), (kind, number))
    return found


def _whole(name: str, value: Json) -> int:
    if type(value) is not int or value < 0:
        raise BadCall(f"a task of WebShop has {name}, a whole number from 0, not {value!r}")
    return value
