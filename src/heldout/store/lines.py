"""JSON lines: values added at the end of a file, one a line; and files of them that were made elsewhere."""

import lzma
import os
from collections.abc import Iterable, Iterator
from itertools import islice
from json import dumps, loads
from pathlib import Path
from typing import BinaryIO, cast, final

from heldout.bounds import bounded_lines
from heldout.errors import HeldoutError
from heldout.records import Json
from heldout.store.files import append, refusals


@final
class Lines:
    """The values of a JSON-lines file.

    The last line may be torn, by a kill in the middle of a write: readers pass over it, and it is
    cut away before anything is added. A broken line elsewhere is damage, and said.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._mended = False

    def add(self, values: Iterable[Json], *, sync: bool = False) -> None:
        """Adds the values by one write; `sync` waits until they would outlive a loss of power."""
        self._mend()
        append(self.path, b"".join(map(line, values)), sync=sync)

    def __iter__(self) -> Iterator[tuple[int, Json]]:
        """The number of each line, from 1, and its value; a file that is not there has none."""
        if not self.path.exists():
            return
        with refusals(self.path, "read"), self.path.open("rb") as file:
            yield from self._values(file)

    def _values(self, file: BinaryIO) -> Iterator[tuple[int, Json]]:
        for number, text in enumerate(file, start=1):
            whole, value = _read(text)
            if whole:
                yield number, value
            elif file.read(1):
                raise HeldoutError(f"{self.path} is damaged: line {number} is not JSON ({text[:60]!r})")

    @property
    def is_torn(self) -> bool:
        """Whether the end of the file is half a line, which readers pass over."""
        if not self.path.exists():
            return False
        with refusals(self.path, "read"):
            data = self.path.read_bytes()
        return _end_of_whole(data) < len(data)

    def cut_to(self, count: int) -> None:
        """Keeps the first so many values."""
        if not self.path.exists():
            return
        with refusals(self.path, "cut"):
            with self.path.open("rb") as file:
                end = sum(len(text) for text in islice(file, count))
            os.truncate(self.path, end)

    def _mend(self) -> None:
        """Cuts a torn last line away; looked for once, since our own failed writes leave nothing."""
        if self._mended or not self.path.exists():
            return
        with refusals(self.path, "mend"):
            data = self.path.read_bytes()
            if (end := _end_of_whole(data)) < len(data):
                os.truncate(self.path, end)
        self._mended = True


def read_lines(path: Path) -> Iterator[tuple[int, Json]]:
    """The number of each line, from 1, and its value, of a finished file, plain or `.xz`; empty lines hold none."""
    for number, text in _texts(path):
        if text.strip():
            yield number, _value(path, number, text)


def line(value: Json) -> bytes:
    """A value as one line; in ASCII, so that any string can be written, half a surrogate pair too."""
    return dumps(value, separators=(",", ":")).encode() + b"\n"


def _texts(path: Path) -> Iterator[tuple[int, bytes]]:
    opened = lzma.open if path.suffix == ".xz" else open
    number = 0
    try:
        with refusals(path, "read"), opened(path, "rb") as file:
            for number, text in enumerate(bounded_lines(cast(BinaryIO, file), path), start=1):
                yield number, text
    except (lzma.LZMAError, EOFError) as error:
        raise HeldoutError(f"{path} is damaged after line {number}: {error}") from error


def _value(path: Path, number: int, text: bytes) -> Json:
    try:
        return loads(text)
    except (ValueError, RecursionError) as error:
        shown = text[:60].decode(errors="replace").strip()
        raise HeldoutError(f"{path}: line {number} is not JSON ({error}): {shown!r}") from error


def _end_of_whole(data: bytes) -> int:
    """Where the last line ends that was written to its end."""
    end = data.rfind(b"\n") + 1
    last = data[data.rfind(b"\n", 0, max(0, end - 1)) + 1 : end]
    return end if _whole(last) else end - len(last)


def _whole(text: bytes) -> bool:
    """Whether a line was written to its end."""
    return _read(text)[0]


def _read(text: bytes) -> tuple[bool, Json]:
    """Whether a line was written to its end, and its value if it was."""
    if not text.endswith(b"\n"):
        return False, None
    try:
        return True, loads(text)
    except ValueError:
        return False, None
