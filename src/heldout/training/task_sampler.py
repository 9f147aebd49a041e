"""Which tasks a step trains on: a function of the seed and the step alone, so resuming changes nothing."""

from collections.abc import Iterable, Sequence

from heldout.records import Task
from heldout.seeds import stream


def tasks_of_step(
    pools: Sequence[Sequence[Task]], step: int, count: int, seed: int, weights: Sequence[int] = ()
) -> list[Task]:
    """The step's tasks, drawn from each pool by its weight; within a pool every task comes once before any again.

    Steps are counted from 1. Without weights the shares are equal. What does not divide evenly goes to the pools in
    turn. No step has a task twice, unless a pool is smaller than its share of a step.
    """
    order = pool_order(weights or [1] * len(pools))
    chosen = list[Task]()
    for index, pool in enumerate(pools):
        sizes = [_share(order, index, at * count, count) for at in range(step)]
        chosen += [pool[number] for number in _last_sample(len(pool), sizes, seed, index)]
    return chosen


def pool_order(weights: Sequence[int]) -> list[int]:
    """Whose turn each draw is, over and over: each pool as often as its weight says, as evenly spread as can be.

    At each turn every pool's claim grows by its weight; the largest claim is served, and falls by the sum of all.
    """
    claims, order = [0] * len(weights), list[int]()
    for _ in range(sum(weights)):
        claims = [claim + weight for claim, weight in zip(claims, weights, strict=True)]
        served = claims.index(max(claims))
        claims[served] -= sum(weights)
        order.append(served)
    return order


def _share(order: Sequence[int], index: int, first: int, count: int) -> int:
    """How many of the draws `first` to `first + count` are this pool's."""
    return sum(order[draw % len(order)] == index for draw in range(first, first + count))


def _last_sample(tasks: int, sizes: Iterable[int], seed: int, index: int) -> list[int]:
    """The last of the samples of these sizes that are drawn one after another without replacement.

    When all numbers have been drawn they are shuffled afresh; what the sample in question already holds comes last.
    """
    left, sample, rounds = list[int](), list[int](), 0
    for size in sizes:
        sample = []
        while len(sample) < size:
            if not left:
                left = list(range(tasks))
                stream(seed, "order", index, rounds).shuffle(left)
                left.sort(key=sample.__contains__)
                rounds += 1
            taken = min(size - len(sample), len(left))
            sample, left = sample + left[:taken], left[taken:]
    return sample
