"""Tasks that are made when they are asked for: a split of any size costs nothing to open."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final, overload

from heldout.errors import unknown
from heldout.records import Task

SPLITS = {"test": range(200), "train": range(1_000, 2_000), "demonstrations": range(10_000, 30_000)}
"""The numbers of the generated tasks in each split."""


def numbers_of(split: str) -> range:
    """The numbers of a split's generated tasks; a split that there is not is refused."""
    refuse_unknown_split(split)
    return SPLITS[split]


def refuse_unknown_split(split: str) -> None:
    """Refuses what is none of the three."""
    if split not in SPLITS:
        raise unknown("split", split, SPLITS)


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
