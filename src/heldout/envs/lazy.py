"""Tasks that are made when they are asked for: a pool of any size costs nothing to open."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final, overload

from heldout.errors import unknown
from heldout.records import Task

POOLS = {"test": range(200), "train": range(1_000, 2_000), "demonstrations": range(10_000, 30_000)}
"""The numbers of the generated tasks in each pool."""


def numbers_of(pool: str) -> range:
    """The numbers of a pool's generated tasks; a pool that there is not is refused."""
    refuse_unknown_pool(pool)
    return POOLS[pool]


def refuse_unknown_pool(pool: str) -> None:
    """Refuses what is none of the three."""
    if pool not in POOLS:
        raise unknown("pool", pool, POOLS)


def difficulty(turns: int, easy_turns: int) -> str:
    """What a task is that takes the oracle so many turns."""
    return "easy" if turns <= easy_turns else "hard"


@final
@dataclass(frozen=True)
class Lazy(Sequence[Task]):
    """Tasks that are made when asked for."""

    make: Callable[[int], Task]
    numbers: Sequence[int]

    def __len__(self) -> int:
        """How many tasks there are."""
        return len(self.numbers)

    @overload
    def __getitem__(self, place: int) -> Task: ...
    @overload
    def __getitem__(self, place: slice) -> "Lazy": ...
    def __getitem__(self, place: int | slice) -> "Task | Lazy":
        """One task, or some of them, still not made."""
        if isinstance(place, slice):
            return Lazy(self.make, self.numbers[place])
        return self.make(self.numbers[place])
