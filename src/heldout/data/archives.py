"""A folder taken out of an archive, safely: nothing lands outside of it, and only plain files do."""

import io
import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from heldout.data.sums import within
from heldout.errors import HeldoutError

Member = tuple[str, bytes]


def take(archive: Path, inside: str, target: Path) -> None:
    """Puts the files of a folder in an archive to a folder, or to a `.tar.xz` of the same bytes each time."""
    try:
        members = _members_of_zip if zipfile.is_zipfile(archive) else _members_of_tar
        count = (_pack if target.suffix == ".xz" else _unpack)(members(archive, inside), target)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
        raise HeldoutError(f"{archive.name} is no whole archive: {error}") from None
    if not count:
        raise HeldoutError(f"{archive.name} has no folder {inside}")


def _unpack(members: Iterator[Member], target: Path) -> int:
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    count = 0
    for name, content in members:
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        count += 1
    return count


def _pack(members: Iterator[Member], target: Path) -> int:
    folder = target.name.partition(".")[0]
    found = sorted(members)
    with tarfile.open(target, "w:xz", format=tarfile.PAX_FORMAT) as tar:
        for name, content in found:
            header = tarfile.TarInfo(f"{folder}/{name}")
            header.size = len(content)
            tar.addfile(header, io.BytesIO(content))
    return len(found)


def _members_of_tar(archive: Path, inside: str) -> Iterator[Member]:
    with tarfile.open(archive) as tar:
        for member in tar:
            name = _place_within(archive, member.name, inside)
            if name is None or member.isdir():
                continue
            file = tar.extractfile(member) if member.isreg() else None
            if file is None:
                raise HeldoutError(f"{archive.name}: {member.name!r} is no plain file; nothing of it was taken")
            yield name, file.read()


def _members_of_zip(archive: Path, inside: str) -> Iterator[Member]:
    with zipfile.ZipFile(archive) as packed:
        for member in packed.infolist():
            name = _place_within(archive, member.filename, inside)
            if name is None or member.is_dir():
                continue
            if (member.external_attr >> 28) not in (0, 0o10):  # what Unix calls it: unknown, or a plain file
                raise HeldoutError(f"{archive.name}: {member.filename!r} is no plain file; nothing of it was taken")
            yield name, packed.read(member)


def _place_within(archive: Path, name: str, inside: str) -> str | None:
    """A member's place below the folder; one that would land outside is refused."""
    path = PurePosixPath(name.replace("\\", "/"))
    below = within(str(path), inside)
    if below is None:
        return None
    if path.is_absolute() or ".." in path.parts:
        raise HeldoutError(f"{archive.name}: {name!r} would land outside of its folder; nothing of it was taken")
    return below
