"""Generated households."""

from collections import Counter
from collections.abc import Callable

import pytest

from heldout.config import Source
from heldout.envs.alfworld import INSTRUCTIONS, suite
from heldout.envs.alfworld.furniture import LAMPS, ROOMS, TAKES, THINGS, becomes
from heldout.envs.alfworld.grow import goals, kind_of
from heldout.envs.alfworld.house import Goal
from heldout.envs.alfworld.sentences import kind_of_goal, says
from heldout.envs.alfworld.tasks import EASY_TURNS, MOST_TURNS, generated_tasks
from heldout.envs.base import Env, World
from heldout.errors import BadCall
from heldout.records import Ending, digest, from_json


def test_every_goal_of_the_six_kinds_can_be_had_and_is_said() -> None:
    counted = {kind: len(found) for kind, found in goals().items()}
    assert counted == {"place": 318, "two": 318, "light": 27, "clean": 104, "hot": 44, "cool": 69}
    assert all(kind_of_goal(goal) == kind for kind, found in goals().items() for goal in found)


def test_the_tables_agree_with_each_other() -> None:
    assert {kind for stands in ROOMS.values() for kind in stands} == TAKES.keys()
    found = {thing for things in THINGS.values() for thing in things}
    assert all(becomes(lamp) for lamp in LAMPS)
    for room, things in THINGS.items():
        taken = {thing for kind in ROOMS[room] for thing in TAKES[kind]}
        assert set(things) <= taken
    assert {thing for kind in ("fridge", "microwave") for thing in TAKES[kind]} <= found


@pytest.mark.parametrize("profile", ["pocket", "standard"])
def test_a_household_has_what_its_task_needs_and_is_not_done_already(profile: str) -> None:
    there = suite(Source(profile=profile))
    kinds = Counter[str]()
    for task in generated_tasks("train", 0, profile)[:300]:
        goal = from_json(Goal, task.world["goal"])
        assert says(task.world["sentence"], goal)
        kinds[kind_of_goal(goal)] += 1
        env = there.open(task)
        assert oracle_turns(env, there.players.oracle) <= MOST_TURNS
        lying = [(name, thing) for name, held in task.world["inside"].items() for thing in held]
        assert len({thing for _, thing in lying}) == len(lying)
        assert all(kind_of(thing) in LAMPS or kind_of(thing) in TAKES[kind_of(name)] for name, thing in lying)
    assert min(kinds.values()) >= 20
    assert len(kinds) == 6


def oracle_turns(env: Env, oracle: Callable[[World], str]) -> int:
    """How many turns the oracle takes; every task is solved."""
    step, taken = env.start(), 0
    while step.ending is None and taken < 30:
        step, taken = env.step(oracle(env.world)), taken + 1
    assert step.ending is Ending.SOLVED
    return taken


def test_easy_and_hard_take_turns_and_mean_few_and_many() -> None:
    there = suite(Source())
    for task in generated_tasks("test", 0, "pocket"):
        easy = oracle_turns(there.open(task), there.players.oracle) <= EASY_TURNS
        assert task.difficulty == ("easy" if easy else "hard")
    assert [task.difficulty for task in generated_tasks("test", 0, "pocket")[:4]] == ["easy", "hard"] * 2


def test_splits_share_no_goal_under_any_seed() -> None:
    splits = {
        split: {str(task.world["goal"]) for seed in (0, 1) for task in generated_tasks(split, seed, "pocket")[:150]}
        for split in ("demonstrations", "train", "test")
    }
    assert not splits["test"] & (splits["train"] | splits["demonstrations"])
    assert not splits["train"] & splits["demonstrations"]


def test_no_two_tasks_are_alike_and_a_seed_makes_others() -> None:
    digests = [digest(task.world) for seed in (0, 1) for task in generated_tasks("train", seed, "pocket")[:500]]
    assert len(set(digests)) == 1000


def test_a_pocket_episode_fits_its_context() -> None:
    """Twenty turns of the longest answers, at three characters a token, and 64 tokens a reply."""
    there = suite(Source())
    for task in there.tasks("test")[:100]:
        env = there.open(task)
        opening = len(there.opening(env.start().observation))
        looks = [env.step(f"{verb} {name}") for name in env.world.house.receptacles for verb in ("go to", "open")]
        longest = max(len(step.observation) for step in looks)
        assert (opening + 20 * longest) / 3 + 20 * 64 < 3584


def test_unknown_profiles_rules_and_sources_are_refused() -> None:
    for source in (Source(profile="p"), Source(rules="r"), Source(kind="k")):
        with pytest.raises(BadCall, match="unknown"):
            suite(source)
    with pytest.raises(BadCall, match="unknown split"):
        generated_tasks("all", 0, "pocket")
    assert INSTRUCTIONS.keys() == {"pocket", "standard"}
