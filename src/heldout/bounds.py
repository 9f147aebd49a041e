"""How much is read out of compressed files: so that a small one fills no memory and no disk, and has an end."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from heldout.errors import HeldoutError

RATIO = 1000
"""How many times its own size a compressed file may hold: text comes to 100, and deflate cannot do more."""
LEAST = 64 << 20
"""Bytes that any file may hold, however small it is."""


LONGEST = 1 << 30
"""Bytes of a line, or of a file in an archive: what may be held in memory at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What is taken of an archive at most; bytes are those after unpacking."""

    total: int = 16 << 30
    """Bytes in all."""
    member: int = LONGEST
    """Bytes of a member."""
    members: int = 200_000

    def of(self, path: Path) -> int:
        """Bytes in all that may be taken of this archive, by its own size too."""
        return min(self.total, most_in(path))


DEFAULT = Bounds()


def most_in(path: Path) -> int:
    """Bytes that a file may unpack to, by its own size."""
    return max(LEAST, RATIO * path.stat().st_size)


def bounded_lines(file: BinaryIO, path: Path, longest: int = LONGEST) -> Iterator[bytes]:
    """The lines of what is in a file, compressed or not; raises `HeldoutError` at the line that is too much."""
    left, number = most_in(path), 0
    while text := file.readline(min(left, longest) + 1):
        number += 1
        left -= len(text)
        if len(text) > longest:
            raise HeldoutError(f"{path}: line {number} has more than the {longest:,} bytes that a line may have")
        if left < 0:
            raise HeldoutError(f"{path}: line {number} is beyond the {most_in(path):,} bytes that it may unpack to")
        yield text


def bounded_content(content: IO[bytes], path: Path, longest: int = LONGEST) -> bytes:
    """All that is in a file, or in a member of an archive; raises `HeldoutError` where that is too much."""
    most = min(longest, most_in(path))
    found = content.read(most + 1)
    if len(found) > most:
        raise HeldoutError(f"{path} holds more than the {most:,} bytes that it may unpack to")
    return found
