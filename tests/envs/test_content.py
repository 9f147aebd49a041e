"""What a task is made of and what it asks: apart from pools, seeds and numbers, in whatever wrapper."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from heldout.config import Source, Variant
from heldout.envs import corridor
from heldout.envs.base import Suite, content_digest
from heldout.envs.guard import guard
from heldout.envs.laws import splits_share_no_task
from heldout.envs.named import under_name
from heldout.envs.registry import open_suite
from heldout.errors import BadCall
from heldout.records import Json, Task

QUESTION = {"question": "Who ruled Alba?", "answers": ["Ewa"], "facts": [["Alba", "ruler", "Ewa"]]}
WISH = {
    "instruction": "Find me soft pillows with color: red, and price lower than 30.00 dollars",
    "attributes": ["soft"],
    "options": {"color": "red"},
    "price_limit": 30.0,
}
POOLS: dict[str, tuple[dict[str, Json], dict[str, Json], dict[str, Json]]] = {
    "searchqa": (
        QUESTION,
        {"corpus": {"seed": 0, "profile": "pocket", "split": "train", "volume": 0}},
        {"corpus": {"seed": 0, "profile": "pocket", "split": "test", "volume": 3}},
    ),
    "webshop": (
        WISH,
        {"asin": "B01", "shop": {"seed": 0, "profile": "pocket", "split": "train", "number": 0}},
        {"asin": "B77", "shop": {"seed": 4, "profile": "pocket", "split": "test", "number": 9}},
    ),
}
"""A task's content, and what two pools name it by."""


def pooled(env: str, **pools: Mapping[str, Json]) -> Suite:
    """The suite with a task in each of these splits."""

    def tasks(split: str) -> Sequence[Task]:
        worlds = [pools[split]] if split in pools else []
        return [Task(env=env, split=split, id=f"{env}_{split}", difficulty="easy", world=world) for world in worlds]

    return replace(open_suite(env, Source()), tasks=tasks)


@pytest.mark.parametrize("env", POOLS)
def test_a_task_of_two_pools_is_found_whatever_names_it(env: str) -> None:
    content, one, other = POOLS[env]
    suite = pooled(env, train=content | one, test=content | other)
    assert list(splits_share_no_task(suite)) == [f"the world of {env}_test (test) is in train too"]


@pytest.mark.parametrize(
    ("env", "change"), [("searchqa", {"answers": ["Ida"]}), ("webshop", {"price_limit": 40.0})]
)
def test_tasks_that_differ_are_two(env: str, change: dict[str, Json]) -> None:
    content, one, other = POOLS[env]
    assert list(splits_share_no_task(pooled(env, train=content | one, test=content | change | other))) == []


def test_two_sets_of_published_questions_may_ask_the_same() -> None:
    asked = {"question": "Who?", "answers": ["Ewa"]}
    suite = pooled("searchqa", train=asked | {"dataset": "nq"}, test=asked | {"dataset": "popqa"})
    assert list(splits_share_no_task(suite)) == ["the world of searchqa_test (test) is in train too"]


def test_two_goals_of_webshop_may_want_the_same() -> None:
    published, people = WISH | {"asin": "B01", "goal": 3}, WISH | {"asin": "B02", "goal": 9, "goals": "human"}
    assert list(splits_share_no_task(pooled("webshop", train=published, test=people)))


def test_two_seeds_of_babyai_may_make_one_world() -> None:
    # As `heldout data check` finds in the published ids: babyai_43 and babyai_1323.
    suite = pooled("babyai", train={"level": 4, "seed": 1}, test={"level": 4, "seed": 33})
    assert list(splits_share_no_task(suite)) == ["the world of babyai_test (test) is in train too"]


def test_wrappers_carry_content_and_goal() -> None:
    suite = replace(
        corridor.suite(Source()),
        content=lambda task: [task.env, task.world["way_out"]],
        goal=lambda observation: observation.partition(".")[0],
    )
    wrapped = guard(under_name(suite, "mine:suite"))
    [task, *_] = wrapped.tasks("test")
    assert task.env == "mine:suite"
    assert wrapped.content(task) == ["corridor", task.world["way_out"]]
    assert wrapped.goal("A door. A note.") == "A door"
    assert len(content_digest(wrapped, task)) == 16


GOALS = {
    "textcraft": lambda world: world["goal"],
    "babyai": None,
    "searchqa": lambda world: world["question"],
    "webshop": lambda world: world["instruction"],
    "alfworld": lambda world: world["sentence"].removeprefix("Your task is to: ").removesuffix("."),
}


@pytest.mark.parametrize("env", GOALS)
@pytest.mark.parametrize(
    "source",
    [
        Source(),
        Source(profile="standard"),
        Source(rules="agentgym"),
        Source(variant=Variant(observations="structured")),
        Source(variant=Variant(observations="plain")),
        Source(variant=Variant(actions="shown")),
        Source(variant=Variant(actions="hidden")),
        Source(variant=Variant(observations="plain", actions="shown")),
    ],
    ids=["pocket", "standard", "agentgym", "structured", "plain", "shown", "hidden", "plain and shown"],
)
def test_the_instruction_is_read_out_of_every_opening(env: str, source: Source) -> None:
    try:
        suite = open_suite(env, source)
    except BadCall:
        pytest.skip("there is no such variant")
    for task in suite.tasks("test")[:20]:
        opened = suite.open(task)
        read = suite.goal(opened.start().observation)
        if source.rules == "agentgym" and env == "babyai":
            assert read == opened.world.mission.replace("then", "and").replace("after you", "and")
        else:
            asked = GOALS[env]
            assert read == (asked(task.world) if asked else opened.world.mission)


@pytest.mark.parametrize("env", GOALS)
def test_in_made_up_words_the_instruction_is_the_same_one_renamed(env: str) -> None:
    plain, renamed = (open_suite(env, Source(variant=variant)) for variant in (Variant(), Variant(words=17)))
    asked = dict[str, str]()
    for task in plain.tasks("test")[:20]:
        said, told = (suite.goal(suite.open(task).start().observation) for suite in (plain, renamed))
        assert len(said.split()) == len(told.split())
        assert asked.setdefault(said, told) == told
        assert plain.content(task) == renamed.content(task)
    assert any(said != told for said, told in asked.items())


def test_an_opening_that_tells_no_instruction_is_one_as_a_whole() -> None:
    assert open_suite("textcraft", Source()).goal("A room.") == "A room."
