"""Which tasks a step trains on: a function of the seed and the step alone, so resuming changes nothing."""

from collections.abc import Iterable, Sequence

from heldout.records import Task
from heldout.seeds import stream


def tasks_of_step(pools: Sequence[Sequence[Task]], step: int, count: int, seed: int) -> list[Task]:
    """The step's tasks, drawn equally from each pool; within a pool every task comes once before any comes again.

    Steps are counted from 1. What does not divide evenly goes to the pools in turn. No step has a task
    twice, unless a pool is smaller than its share of a step.
    """
    chosen = list[Task]()
    for index, pool in enumerate(pools):
        hands = [_share(index, len(pools), at * count, count) for at in range(step)]
        chosen += [pool[number] for number in _last_hand(len(pool), hands, seed, index)]
    return chosen


def _share(index: int, pools: int, first: int, count: int) -> int:
    """How many of the draws `first` to `first + count` are this pool's: the pools take turns."""
    return len(range(first + (index - first) % pools, first + count, pools))


def _last_hand(cards: int, hands: Iterable[int], seed: int, index: int) -> list[int]:
    """The last of the hands that are dealt one after another from one deck.

    An empty deck is shuffled afresh; what the hand in question already holds goes to its bottom.
    """
    deck, hand, around = list[int](), list[int](), 0
    for size in hands:
        hand = []
        while len(hand) < size:
            if not deck:
                deck = list(range(cards))
                stream(seed, "order", index, around).shuffle(deck)
                deck.sort(key=hand.__contains__)
                around += 1
            taken = min(size - len(hand), len(deck))
            hand, deck = hand + deck[:taken], deck[taken:]
    return hand
