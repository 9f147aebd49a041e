"""A folder taken out of an archive, safely: nothing lands outside of it, and only plain files do, within bounds."""

import bz2
import gzip
import lzma
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO, cast, final

from heldout.bounds import DEFAULT, Bounds, bounded_content
from heldout.data.sums import CHUNK, within
from heldout.errors import HeldoutError
from heldout.paths import stays_inside

HEADER = 16 << 20
"""Bytes that are read of a tar at once: a header with a name is the largest thing that it has to hold."""

OPENERS: dict[bytes, Callable[[Path], Any]] = {b"\x1f\x8b": gzip.open, b"\xfd7zXZ\x00": lzma.open, b"BZh": bz2.open}
"""What a compressed tar begins with → what reads it."""

BROKEN = (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile)
"""What is raised for an archive that is none, or is damaged."""


@dataclass(frozen=True, slots=True)
class _Member:
    """A plain file of an archive: its place below the folder that is taken, and its content."""

    name: str
    content: IO[bytes]


def take(archive: Path, inside: str, target: Path, bounds: Bounds = DEFAULT) -> None:
    """Puts the files of a folder in an archive to a folder, or to a `.tar.xz` of the same bytes each time.

    Raises `HeldoutError` for what is no whole archive, would land outside, or is more than its bounds; then nothing
    of it is left.
    """
    folder = target.with_name(f"{target.name}.files") if target.suffix == ".xz" else target
    shutil.rmtree(folder, ignore_errors=True)
    try:
        count = _unpack(archive, inside, folder, bounds)
        if not count:
            raise HeldoutError(f"{archive.name} has no folder {inside}")
        if folder != target:
            _pack(folder, target)
    except BROKEN as error:
        _remove(folder, target)
        raise HeldoutError(f"{archive.name} is no whole archive: {error}") from None
    except BaseException:
        _remove(folder, target)
        raise
    if folder != target:
        shutil.rmtree(folder)


def contents(archive: Path, bounds: Bounds = DEFAULT) -> Iterator[tuple[str, bytes]]:
    """The names and contents of the files in an archive; of what is none, what the library raises."""
    left = bounds.of(archive)
    for member in _members_of(archive, ".", bounds):
        content = bounded_content(member.content, archive, min(bounds.member, left))
        left -= len(content)
        yield member.name, content


def _remove(folder: Path, target: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if target.is_file():
        target.unlink()


def _unpack(archive: Path, inside: str, folder: Path, bounds: Bounds) -> int:
    folder.mkdir(parents=True)
    count, left = 0, bounds.of(archive)
    for member in _members_of(archive, inside, bounds):
        count += 1
        place = folder / member.name
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("wb") as file:
            written = _copy(member.content, file, min(bounds.member, left))
        if written > bounds.member:
            raise _too_much(archive, member.name, f"the {bounds.member:,} bytes that a file in it may have")
        left -= written
        if left < 0:
            raise _too_much(archive, member.name, f"the {bounds.of(archive):,} bytes that it may unpack to")
    return count


def _copy(content: IO[bytes], file: IO[bytes], most: int) -> int:
    """Writes what a member holds, a piece at a time, and says how much; of too much, one piece more than fits."""
    written = 0
    while written <= most and (chunk := content.read(CHUNK)):
        file.write(chunk)
        written += len(chunk)
    return written


def _too_much(archive: Path, name: str, bound: str) -> HeldoutError:
    return HeldoutError(f"{archive.name}: {name!r} is more than {bound}; nothing of it was taken")


def _pack(folder: Path, target: Path) -> None:
    """Packs the files of a folder in order of their names, with nothing in their headers but name and length."""
    top = target.name.partition(".")[0]
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    with tarfile.open(target, "w:xz", format=tarfile.PAX_FORMAT) as tar:
        for name in names:
            header = tarfile.TarInfo(f"{top}/{name}")
            header.size = (folder / name).stat().st_size
            with (folder / name).open("rb") as file:
                tar.addfile(header, file)


def _members_of(archive: Path, inside: str, bounds: Bounds) -> Iterator[_Member]:
    """The plain files of a folder in an archive; each is read before the next one is asked for."""
    return (_members_of_zip if zipfile.is_zipfile(archive) else _members_of_tar)(archive, inside, bounds)


def _members_of_tar(archive: Path, inside: str, bounds: Bounds) -> Iterator[_Member]:
    with _unpacked(archive) as content, tarfile.open(fileobj=content, mode="r:") as tar:
        for number, member in enumerate(tar, start=1):
            _refuse_many(archive, number, bounds)
            name = _place_within(archive, member.name, inside)
            if name is None or member.isdir():
                continue
            file = tar.extractfile(member) if member.isreg() and not member.issparse() else None
            if file is None:
                raise HeldoutError(f"{archive.name}: {member.name!r} is no plain file; nothing of it was taken")
            yield _Member(name, file)


def _members_of_zip(archive: Path, inside: str, bounds: Bounds) -> Iterator[_Member]:
    with zipfile.ZipFile(archive) as packed:
        _refuse_many(archive, len(packed.infolist()), bounds)
        for member in packed.infolist():
            name = _place_within(archive, member.filename, inside)
            if name is None or member.is_dir():
                continue
            if (member.external_attr >> 28) not in (0, 0o10):  # what Unix calls it: unknown, or a plain file
                raise HeldoutError(f"{archive.name}: {member.filename!r} is no plain file; nothing of it was taken")
            with _member_of_zip(packed, member, archive) as content:
                yield _Member(name, content)


def _member_of_zip(packed: zipfile.ZipFile, member: zipfile.ZipInfo, archive: Path) -> IO[bytes]:
    try:
        return packed.open(member)
    except (RuntimeError, NotImplementedError) as error:  # with a password, or packed in a way that is not known
        raise HeldoutError(f"{archive.name}: {member.filename!r} cannot be read: {error}") from None


def _refuse_many(archive: Path, number: int, bounds: Bounds) -> None:
    if number > bounds.members:
        raise HeldoutError(f"{archive.name} has more than the {bounds.members:,} members that it may have")


def _place_within(archive: Path, name: str, inside: str) -> str | None:
    """A member's place below the folder; one that would land outside is refused."""
    below = within(str(PurePosixPath(name.replace("\\", "/"))), inside)
    if below is None:
        return None
    if not stays_inside(name) or not stays_inside(below):
        raise HeldoutError(f"{archive.name}: {name!r} would land outside of its folder; nothing of it was taken")
    return below


@contextmanager
def _unpacked(archive: Path) -> Iterator[BinaryIO]:
    """A tar without what compresses it."""
    with archive.open("rb") as file:
        begins = file.read(6)
    opener = next((opener for magic, opener in OPENERS.items() if begins.startswith(magic)), None)
    with opener(archive) if opener else archive.open("rb") as content:
        yield cast(BinaryIO, _Stream(content, archive, DEFAULT.of(archive)))


@final
class _Stream:
    """The content of a tar, of which no more is read than it may hold, members that are passed over included."""

    def __init__(self, content: IO[bytes], archive: Path, most: int) -> None:
        self._content, self._archive, self._most = content, archive, most

    def read(self, size: int = -1) -> bytes:
        """So many bytes; a header is no larger than `HEADER`."""
        if not 0 <= size <= HEADER:
            raise HeldoutError(f"{self._archive.name} has a header of more than {HEADER:,} bytes")
        self._refuse_beyond(self._content.tell() + size)
        return self._content.read(size)

    def seek(self, place: int) -> int:
        """Goes to a place, reading what is before it."""
        self._refuse_beyond(place)
        return self._content.seek(place)

    def tell(self) -> int:
        """Where it is."""
        return self._content.tell()

    def _refuse_beyond(self, place: int) -> None:
        if place > self._most + tarfile.RECORDSIZE:
            raise HeldoutError(
                f"{self._archive.name} is more than the {self._most:,} bytes that it may unpack to; "
                "nothing of it was taken"
            )
