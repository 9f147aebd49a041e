from random import Random
from typing import Any

import pytest
from minigrid.envs.babyai.core.verifier import SeqInstr

from heldout.envs.babyai.env import BabyAI
from heldout.envs.babyai.moves import Order, Refusal, Verb, Why, table
from heldout.envs.babyai.sight import Cell, Sight, Thing
from heldout.envs.babyai.words import explain_refusal, format_order
from heldout.envs.babyai.world import World
from heldout.records import digest


def key(cell: Cell, number: int, ahead: int, right: int) -> Thing:
    return Thing(kind="key", color="red", number=number, cell=cell, ahead=ahead, right=right)


def test_a_thing_has_one_number_where_the_original_counts_only_those_within_reach() -> None:
    """Of two red keys the nearer is walled in (Q-BA4)."""
    walled_in, free = key((7, 10), 1, 0, -3), key((10, 6), 2, 4, 0)
    walls = {(8, 10), (7, 9)}
    sight = Sight(
        pose=((10, 10), 3),
        carrying=None,
        things=(walled_in, free),
        barrier=None,
        blocked=frozenset(walls | {walled_in.cell, free.cell}),
        blind=False,
    )
    ours, theirs = table(sight, original=False), table(sight, original=True)
    assert [format_order(order) for order in ours.offers if order.name] == ["pickup red key 2", "go to red key 2"]
    assert [format_order(order) for order in theirs.offers if order.name] == ["pickup red key 1", "go to red key 1"]
    assert ours.refusals[Order(Verb.GO_TO, "red key", 1)] == Refusal(Why.NO_WAY)


def test_a_box_straight_ahead_can_be_opened_where_the_original_offers_no_way() -> None:
    """KeyInBox, where the key lies in a box (Q-BA5)."""
    ours, theirs = World(26, 0), World(26, 0, original=True)
    for world in (ours, theirs):
        _walk_to_the_box(world)
    assert Order(Verb.TOGGLE) in ours.table.offers
    assert Order(Verb.TOGGLE) not in theirs.table.offers


def _walk_to_the_box(world: World) -> None:
    while not world.sight.things or world.sight.things[0].kind != "box":
        world.act(world.table.offers[Order(Verb.LEFT)])
    box = world.sight.things[0]
    world.act(world.table.offers[Order(Verb.GO_TO, box.name, box.number)])


def test_a_world_is_the_same_each_time_and_changes_its_digest_as_it_is_played() -> None:
    first, second = World(31, 1003), World(31, 1003)
    assert (first.content, first.digest) == (second.content, second.digest)
    first.act(first.table.offers[Order(Verb.LEFT)])
    assert first.digest != second.digest
    assert first.content != World(31, 1004).content


def test_what_is_spent_or_refused_does_not_change_the_digest() -> None:
    env = BabyAI(World(1, 1002))
    opening = env.start()
    assert env.step("garbage").digest == opening.digest
    assert env.step("turn left").digest != opening.digest
    assert env.step("turn right").digest == opening.digest


def test_refusals_say_why() -> None:
    door = Order(Verb.OPEN_THROUGH, "blue closed door", 1)
    counted = Refusal(Why.NO_WAY_COUNTED, (("blue open door", 1), ("blue closed door", 1)))
    assert format_order(door) == "toggle and go through blue closed door 1"
    assert explain_refusal(door, Refusal(Why.NO_WAY)) == (
        "You cannot toggle and go through blue closed door 1, as there is no path leading to it."
    )
    assert explain_refusal(door, counted) == (
        "You cannot toggle and go through blue closed door {'blue open door': 1, 'blue closed door': 1}, "
        "as there is no path leading to it."
    )


def test_making_a_world_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    for seed in range(1000, 1010):
        World(7, seed)  # minigrid rejects some draws of this level and says so
    assert capsys.readouterr() == ("", "")


def test_the_digest_is_that_of_mission_grid_agent_and_progress_whatever_was_done() -> None:
    for level in (8, 22, 26, 35, 37):
        world, chance, seen = World(level, 3), Random(0), set[str]()
        for _ in range(60):
            assert world.digest == digest([*plainly(world), progress(world.grid.instrs)])
            seen.add(world.digest)
            world.act(chance.choice([move for move in world.table.offers.values() if move.primitives]))
        assert len(seen) > 10


def test_the_content_of_a_world_is_its_mission_grid_and_agent() -> None:
    assert World(31, 1003).content == digest(plainly(World(31, 1003)))


def plainly(world: World) -> list[object]:
    grid, held = world.grid, world.grid.carrying
    cells = [thing and [int(part) for part in thing.encode()] for thing in grid.grid.grid]
    pose = [*map(int, grid.agent_pos), int(grid.agent_dir)]
    return [grid.mission, [grid.width, *cells], *pose, [held.color, held.type] if held else []]


def progress(instruction: Any) -> list[object]:
    if not isinstance(instruction, SeqInstr):
        return []
    done = [str(instruction.a_done), str(instruction.b_done)]
    return [*done, progress(instruction.instr_a), progress(instruction.instr_b)]
