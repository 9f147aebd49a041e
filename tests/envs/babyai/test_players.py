from collections.abc import Iterator

import pytest

from heldout.envs.babyai.env import BabyAI
from heldout.envs.babyai.levels import PUBLISHED
from heldout.envs.babyai.players import legal, oracle
from heldout.envs.babyai.thoughts import mistakes, thought
from heldout.envs.babyai.world import World
from heldout.records import Ending
from heldout.seeds import stream

MOST_TURNS = 60


def played(env: BabyAI) -> Iterator[str]:
    """The oracle's actions, each before it is done."""
    step = env.start()
    for _ in range(MOST_TURNS):
        if step.ending is not None:
            return
        action = oracle(env.world)
        yield action
        step = env.step(action)


@pytest.mark.slow
@pytest.mark.parametrize("level", PUBLISHED)
def test_the_oracle_solves_every_published_level(level: int) -> None:
    for seed in range(1000, 1006):
        env = BabyAI(World(level, seed))
        turns = list(played(env))
        assert len(turns) < MOST_TURNS, (seed, turns[-3:])


def test_the_oracle_goes_to_what_it_sees_and_looks_for_what_it_does_not() -> None:
    env = BabyAI(World(1, 1002))
    assert list(played(env)) == ["turn right", "go to red ball 1"]


def test_the_oracle_fetches_the_key_of_a_locked_room() -> None:
    actions = list(played(BabyAI(World(7, 1003))))
    assert actions[3] == "pickup green key 1"
    assert actions[-2:] == ["toggle and go through green locked door 1", "go to yellow ball 1"]


def test_the_oracle_opens_the_box_that_hides_the_key() -> None:
    actions = list(played(BabyAI(World(26, 0))))
    assert "toggle" in actions
    assert len(actions) < MOST_TURNS


def test_the_oracle_leaves_the_world_as_it_is() -> None:
    world = World(7, 1003)
    before = (world.digest, world.grid.step_count)
    oracle(world), mistakes(world), legal(world)
    assert (world.digest, world.grid.step_count) == before


def test_the_oracle_recovers_from_mistakes() -> None:
    for level in (1, 6, 8, 11, 31, 36):
        chance = stream(0, "slips", level)
        env = BabyAI(World(level, 1003))
        step = env.start()
        for _ in range(3):
            tempting = mistakes(env.world)
            if step.ending is None and tempting:
                step = env.step(chance.choice(tempting))
        for _ in range(MOST_TURNS):
            if step.ending is None:
                step = env.step(oracle(env.world))
        assert step.ending is Ending.SOLVED, level


def test_thoughts_say_what_is_seen_and_what_follows() -> None:
    env = BabyAI(World(1, 1002))
    thoughts = [thought(env.world, action) for action in played(env)]
    assert thoughts == ["I do not see a red ball, so I turn right.", "I see red ball 1, so I go to it."]


def test_thoughts_are_short_whatever_is_done() -> None:
    for level in PUBLISHED:
        env = BabyAI(World(level, 1001))
        for action in played(env):
            for other in [action, *mistakes(env.world), *legal(env.world)]:
                assert len(thought(env.world, other).split()) <= 16, thought(env.world, other)


def test_slips_are_wrong_things_absent_numbers_turning_away_and_the_wrong_verb() -> None:
    env = BabyAI(World(1, 1002))
    env.start()
    assert mistakes(env.world) == [
        "go to grey key 1",
        "go to grey box 1",
        "go to grey ball 1",
        "go to red ball 1",
    ]
    env.step("turn right")
    assert mistakes(env.world) == [
        "go to grey key 1",
        "go to grey key 2",
        "pickup red ball 1",
        "pickup red ball 2",
        "go to red ball 2",
        "turn left",
        "turn right",
    ]


def test_legal_actions_are_those_on_offer_that_do_something() -> None:
    env = BabyAI(World(1, 1002))
    env.start()
    assert legal(env.world)[:3] == ["turn left", "turn right", "move forward"]
    assert "go to grey key 1" in legal(env.world)
    env.step("go to grey key 1")
    assert "go to grey key 1" not in legal(env.world)
    assert "check available actions" not in legal(env.world)
