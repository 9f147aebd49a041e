"""Trajectories on disk: JSON lines in zstandard frames, each write a frame of its own."""

import os
from collections.abc import Iterable, Iterator
from json import loads
from pathlib import Path
from typing import BinaryIO, final

from zstandard import ZstdCompressor, ZstdDecompressor, ZstdError

from heldout.errors import BadCall, HeldoutError
from heldout.records import Trajectory, from_json, to_json
from heldout.store.files import append, refusals, replace_file
from heldout.store.lines import line

CHUNK = 1 << 12
"""Bytes that are unpacked at once: zstandard makes at most 128 MiB of them."""
LONGEST_FRAME = 4 << 30
"""Bytes of what was added by one write."""


@final
class Trajectories:
    """The trajectories of a `.jsonl.zst` file.

    A last frame torn by a kill is passed over by readers, and cut away before anything is added.
    """

    def __init__(self, path: Path, *, longest: int = LONGEST_FRAME) -> None:
        self.path = path
        self._longest = longest
        self._mended = False

    def add(self, trajectory: Trajectory) -> None:
        """Adds one by one write."""
        self._mend()
        append(self.path, _frame([trajectory]))

    def extend(self, trajectories: Iterable[Trajectory]) -> None:
        """Adds many in one frame, and waits until the disk has them."""
        self._mend()
        append(self.path, _frame(trajectories), sync=True)

    def replace(self, trajectories: Iterable[Trajectory]) -> None:
        """Puts these in place of all that were there."""
        replace_file(self.path, _frame(trajectories))

    def __iter__(self) -> Iterator[Trajectory]:
        """All of them, in the order that they were added."""
        for _, content in self._frames():
            for text in content.splitlines():
                yield self._trajectory(text)

    def __len__(self) -> int:
        """How many there are."""
        return sum(content.count(b"\n") for _, content in self._frames())

    def whole(self, most: int) -> int:
        """How many there are in the first additions, as long as these hold at most so many."""
        return self._within(most)[0]

    def cut_to(self, most: int) -> None:
        """Keeps the first additions, as long as these hold at most so many."""
        if self.path.exists():
            with refusals(self.path, "cut"):
                os.truncate(self.path, self._within(most)[1])

    def _within(self, most: int) -> tuple[int, int]:
        """How many the first additions hold, and where they end, as long as they hold at most so many."""
        held, until = 0, 0
        for end, content in self._frames():
            if held + content.count(b"\n") > most:
                break
            held, until = held + content.count(b"\n"), end
        return held, until

    def _trajectory(self, text: bytes) -> Trajectory:
        try:
            return from_json(Trajectory, loads(text))
        except (BadCall, ValueError) as error:
            raise HeldoutError(f"{self.path} is damaged: {error}") from error

    def _frames(self) -> Iterator[tuple[int, bytes]]:
        """Where each whole frame ends in the file, and what it holds."""
        if not self.path.exists():
            return
        with refusals(self.path, "read"), self.path.open("rb") as file:
            end, rest = 0, b""
            while frame := self._next(file, rest):
                content, size, rest = frame
                end += size
                yield end, content

    def _next(self, file: BinaryIO, rest: bytes) -> tuple[bytes, int, bytes] | None:
        """The next frame's content, its size in the file, and what was read after it; None if none is whole."""
        frame, content, size = ZstdDecompressor().decompressobj(), bytearray(), 0
        while not frame.eof:
            chunk = rest or file.read(CHUNK)
            if not chunk:
                return None
            try:
                content += frame.decompress(chunk)
            except ZstdError as error:
                raise HeldoutError(f"{self.path} is damaged: {error}") from error
            if len(content) > self._longest:
                raise HeldoutError(f"{self.path}: what was added at once is more than {self._longest:,} bytes")
            rest = frame.unused_data
            size += len(chunk) - len(rest)
        return bytes(content), size, rest

    def _mend(self) -> None:
        """Cuts a torn last frame away; looked for once, since our own failed writes leave nothing."""
        if self._mended or not self.path.exists():
            return
        whole = max((end for end, _ in self._frames()), default=0)
        with refusals(self.path, "mend"):
            os.truncate(self.path, whole)
        self._mended = True


def _frame(trajectories: Iterable[Trajectory]) -> bytes:
    return ZstdCompressor().compress(b"".join(line(to_json(trajectory)) for trajectory in trajectories))
