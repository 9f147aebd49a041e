"""Rows of one kind of record: added at the end, never changed."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Generic, Protocol, TypeVar, final

from heldout.errors import BadCall, HeldoutError
from heldout.records import from_json, to_json
from heldout.store.lines import Lines

R = TypeVar("R")


class RowStore(Protocol[R]):
    """Where records of one kind are added and read again."""

    def add(self, record: R) -> None:
        """Adds one; it is there for a reader at once."""
        ...

    def extend(self, records: Iterable[R]) -> None:
        """Adds many, and waits until they are safe."""
        ...

    def __iter__(self) -> Iterator[R]:
        """All of them, in the order that they were added."""
        ...

    def __len__(self) -> int:
        """How many there are."""
        ...


@final
class Rows(Generic[R]):
    """Records of one kind in a JSON-lines file."""

    def __init__(self, path: Path, kind: type[R]) -> None:
        self.path = path
        self._lines = Lines(path)
        self._kind = kind

    def add(self, record: R) -> None:
        """Adds one by one write."""
        self._lines.add([to_json(record)])

    def extend(self, records: Iterable[R]) -> None:
        """Adds many by one write, and waits until the disk has them."""
        self._lines.add(map(to_json, records), sync=True)

    def cut_to(self, count: int) -> None:
        """Keeps the first so many: the others will be made again."""
        self._lines.cut_to(count)

    @property
    def is_torn(self) -> bool:
        """Whether the end of the file is half a line, which readers pass over."""
        return self._lines.is_torn

    def __iter__(self) -> Iterator[R]:
        """The records in the file; a line that holds another kind is refused by its number."""
        for number, value in self._lines:
            try:
                record = from_json(self._kind, value)
            except BadCall as error:
                raise HeldoutError(f"{self.path} is damaged: line {number}: {error}") from error
            yield record

    def __len__(self) -> int:
        """How many there are in the file."""
        return sum(1 for _ in self._lines)


@final
class Memory(Generic[R]):
    """Rows kept in a list: the toy of tests, examples and docs."""

    def __init__(self, records: Iterable[R] = ()) -> None:
        self._records = list(records)

    def add(self, record: R) -> None:
        """Adds one."""
        self._records.append(record)

    def extend(self, records: Iterable[R]) -> None:
        """Adds many."""
        self._records.extend(records)

    def __iter__(self) -> Iterator[R]:
        """All of them, in order."""
        return iter(self._records)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._records)
