"""What is searched: passages, many of them in little memory, and whoever finds them."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, final


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of text of about a hundred words; the first line of its contents is its title."""

    id: str
    contents: str

    @property
    def title(self) -> str:
        """The first line as it stands: wiki-18 has its titles in double quotes."""
        return self.contents.partition("\n")[0]

    @property
    def name(self) -> str:
        """The title without quotes around it."""
        title = self.title
        return title[1:-1] if len(title) > 2 and title[0] == title[-1] == '"' else title

    @property
    def text(self) -> str:
        """All lines but the title."""
        return self.contents.partition("\n")[2]


def readable(text: str) -> str:
    """A text as bytes can hold it: JSON may hold half a surrogate pair, which no tokenizer reads."""
    return text.encode("utf-8", "replace").decode()


class Retriever(Protocol):
    """Whatever finds passages; it has no state that a search changes, so that all episodes share it."""

    def search(self, query: str, count: int) -> Sequence[Passage]:
        """The best so many passages, the best first; raises `Unavailable` where a service does not answer."""
        ...


@final
@dataclass(frozen=True, slots=True)
class Shelf:
    """The toy retriever: the same passages whatever is asked, as the recorded original had it."""

    passages: tuple[Passage, ...]

    def search(self, query: str, count: int) -> Sequence[Passage]:  # noqa: ARG002
        """The first so many."""
        return self.passages[:count]


@final
@dataclass(frozen=True, slots=True)
class Found:
    """What a recorded retriever found, by what was searched; nothing for anything else."""

    by_query: Mapping[str, tuple[Passage, ...]]

    def search(self, query: str, count: int) -> Sequence[Passage]:
        """The first so many."""
        return self.by_query.get(query, ())[:count]


@final
class Corpus:
    """Passages by number, kept as one string of bytes and made when asked for: 16 bytes more than their text."""

    def __init__(self, passages: Iterable[Passage]) -> None:
        self._bytes = bytearray()
        self._ends = array("Q")
        for passage in passages:
            for part in (passage.id, passage.contents):
                self._bytes += part.encode()
                self._ends.append(len(self._bytes))

    def __len__(self) -> int:
        """How many passages there are."""
        return len(self._ends) // 2

    def __getitem__(self, number: int) -> Passage:
        """One passage; counted from 0."""
        if not 0 <= number < len(self):
            raise IndexError(number)
        return Passage(self._part(2 * number), self._part(2 * number + 1))

    def _part(self, place: int) -> str:
        begin = self._ends[place - 1] if place else 0
        return self._bytes[begin : self._ends[place]].decode()
