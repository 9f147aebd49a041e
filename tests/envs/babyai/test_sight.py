"""What is seen, and which ways lead through it, against minigrid's own view and a plain search."""

from collections import deque
from collections.abc import Iterator
from random import Random
from typing import Any

import gymnasium
import pytest

from heldout.envs.babyai.levels import NAMES, game
from heldout.envs.babyai.routes import Routes
from heldout.envs.babyai.sight import (
    FORWARD,
    LEFT,
    RIGHT,
    SIZE,
    Cell,
    Pose,
    Sight,
    ahead_of,
    look,
    move,
    view,
)

PRIMITIVES = (LEFT, RIGHT, FORWARD, FORWARD, FORWARD, 3, 4, 5)
Ways = dict[Cell, tuple[int, ...]]


@pytest.mark.parametrize("level", NAMES)
def test_a_view_has_the_cells_of_minigrid_s_picture(level: int) -> None:
    for grid, image in played(level, seeds=range(3), steps=60):
        theirs = [
            tuple(int(part) for part in image[column, row])
            for row in reversed(range(SIZE))
            for column in range(SIZE)
        ]
        assert list(view(grid)) == theirs


@pytest.mark.parametrize("level", [1, 6, 19, 33, 36, 39])
def test_the_ways_are_those_of_a_search_through_all_that_is_seen(level: int) -> None:
    asked = 0
    for grid, _ in played(level, seeds=range(2), steps=40):
        sight = look(grid, view(grid))
        facing, onto = searched(sight)
        for cell in [thing.cell for thing in sight.things]:
            assert Routes(sight).facing(cell) == facing.get(cell)
            assert Routes(sight).onto(cell) == onto.get(cell)
        ways = Routes(sight)  # asked again and again, the far ones first
        for cell in [thing.cell for thing in reversed(sight.things)]:
            assert (ways.onto(cell), ways.facing(cell)) == (onto.get(cell), facing.get(cell))
            asked += 1
    assert asked > 10


def played(level: int, seeds: range, steps: int) -> Iterator[tuple[Any, Any]]:
    """minigrid itself, played at random: the environment, and the picture that it gave."""
    for seed in seeds:
        grid: Any = gymnasium.make(game(level), disable_env_checker=True).unwrapped
        grid.reset(seed=seed)
        chance = Random(seed)
        yield grid, grid.gen_obs()["image"]
        for _ in range(steps):
            seen, *_ = grid.step(chance.choice(PRIMITIVES))
            yield grid, seen["image"]


def searched(sight: Sight) -> tuple[Ways, Ways]:
    """The ways to face each cell and to stand on it, found as the original finds them: all, breadth first."""
    came: dict[Pose, tuple[int, ...]] = {sight.pose: ()}
    facing: Ways = {}
    onto: Ways = {}
    reached: set[Pose] = set()
    queue = deque([sight.pose])
    while queue:
        pose = queue.popleft()
        if pose not in reached:
            reached.add(pose)
            facing.setdefault(ahead_of(pose), came[pose])
            onto.setdefault(pose[0], came[pose])
        for primitive in (FORWARD, LEFT, RIGHT):
            later = move(pose, primitive)
            if later not in reached and later[0] not in sight.blocked and inside(sight.pose, later[0]):
                came[later] = (*came[pose], primitive)
                queue.append(later)
    return facing, onto


def inside(pose: Pose, cell: Cell) -> bool:
    """Six cells ahead and three to each side, and one more to the west and north."""
    (x, y), heading = pose
    west, east, north, south = ((-1, 6, -3, 3), (-4, 3, -1, 6), (-6, 0, -4, 3), (-3, 3, -6, 0))[heading]
    return west <= cell[0] - x <= east and north <= cell[1] - y <= south
