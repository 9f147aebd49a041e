"""Which tasks a step trains on: a function of the seed and the step alone, so resuming changes nothing."""

from collections.abc import Sequence

from heldout.records import Task
from heldout.seeds import stream


def tasks_of_step(pools: Sequence[Sequence[Task]], step: int, count: int, seed: int) -> list[Task]:
    """The step's tasks, drawn equally from each pool; within a pool every task comes once before any comes again.

    Steps are counted from 1. What does not divide evenly goes to the pools in turn.
    """
    first = (step - 1) * count
    taken = [
        len(range(first + (index - first) % len(pools), first + count, len(pools))) for index in range(len(pools))
    ]
    before = [len(range(index, first, len(pools))) for index in range(len(pools))]
    chosen = list[Task]()
    for index, pool in enumerate(pools):
        chosen += [_at(pool, before[index] + offset, seed, index) for offset in range(taken[index])]
    return chosen


def _at(pool: Sequence[Task], position: int, seed: int, index: int) -> Task:
    """The task at a position of the endless order: a fresh shuffle for each round through the pool."""
    around, within = divmod(position, len(pool))
    order = list(range(len(pool)))
    stream(seed, "order", index, around).shuffle(order)
    return pool[order[within]]
