from collections.abc import Iterator

import pytest

from heldout.envs.babyai.env import BabyAI
from heldout.envs.babyai.levels import NAMES, PUBLISHED
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


UNSOLVED = {
    7: (6, 14, 35),
    20: (36,),
    25: (49,),
    27: (39,),
    34: (16, 38),
    35: (3, 25, 26),
    38: (1, 4, 22, 28, 30),
    39: (27,),
    40: (47,),
}
"""Of the forty levels' seeds 0 to 49 (docs/environments.md says why)."""


def is_solved(level: int, seed: int) -> bool:
    env = BabyAI(World(level, seed))
    step = env.start()
    for _ in range(2 * MOST_TURNS):
        if step.ending is None:
            step = env.step(oracle(env.world))
    return step.ending is Ending.SOLVED


@pytest.mark.slow
@pytest.mark.parametrize("level", NAMES)
def test_of_the_forty_levels_the_oracle_solves_all_but_what_the_quirk_table_names(level: int) -> None:
    assert [seed for seed in range(5) if not is_solved(level, seed)] == [
        seed for seed in UNSOLVED.get(level, ()) if seed < 5
    ]


@pytest.mark.very_slow
@pytest.mark.parametrize("level", NAMES)
def test_of_fifty_worlds_a_level_too(level: int) -> None:
    assert tuple(seed for seed in range(50) if not is_solved(level, seed)) == UNSOLVED.get(level, ())


@pytest.mark.parametrize(("seed", "color"), [(6, "yellow"), (14, "red"), (35, "blue")])
def test_where_the_oracle_does_not_solve_level_7_the_only_key_is_locked_in(seed: int, color: str) -> None:
    grid = World(7, seed).grid
    [locked] = [room for row in grid.room_grid for room in row if room.locked]
    keys = [
        (at % grid.width, at // grid.width)
        for at, thing in enumerate(grid.grid.grid)
        if thing is not None and (thing.type, thing.color) == ("key", color)
    ]
    assert [locked.pos_inside(*key) for key in keys] == [True]


def test_a_key_is_kept_for_the_door_behind_which_the_next_key_lies() -> None:
    assert [action for action in played(BabyAI(World(29, 0))) if "key" in action or "locked" in action] == [
        "pickup green key 1",
        "toggle and go through green locked door 1",
        "pickup purple key 1",
        "toggle and go through purple locked door 1",
    ]


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
