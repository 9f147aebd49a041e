"""Tasks that are made when they are asked for: a pool of any size costs nothing to open."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final, overload

from heldout.records import Task


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
