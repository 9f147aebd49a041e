"""The sums that tell whether data is what it should be, and which of it was fetched from where."""

import hashlib
import os
import tarfile
from collections.abc import Iterator, Mapping
from json import dumps, loads
from pathlib import Path, PurePosixPath
from typing import IO

from heldout.errors import HeldoutError

LOCK = "fetched.json"
"""In the data folder: of each fetched file its address and its sum."""

CHUNK = 1 << 20


def sum_of(path: Path, kind: str = "sha256") -> str:
    """`sha256:…` of a file, or `git:…`, which git calls it by."""
    taken = hashlib.sha1(usedforsecurity=False) if kind == "git" else hashlib.sha256()
    if kind == "git":
        taken.update(f"blob {path.stat().st_size}\0".encode())
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            taken.update(chunk)
    return f"{kind}:{taken.hexdigest()}"


def contents_of(path: Path, folder: str) -> str:
    """One `sha256:…` over the names and sums of all files of a folder, or of the folder of that name in a tar."""
    listed = sorted(_files_of_tar(path, folder) if path.is_file() else _files_of_folder(path))
    lines = "".join(f"{taken}  {name}\n" for name, taken in listed)
    return f"sha256:{hashlib.sha256(lines.encode()).hexdigest()}"


def read_lock(data: Path) -> dict[str, dict[str, str]]:
    """What was fetched into the data folder, by place."""
    path = data / LOCK
    if not path.exists():
        return {}
    try:
        return dict(loads(path.read_text("utf-8")))
    except (ValueError, TypeError) as error:
        raise HeldoutError(f"{path} is damaged ({error}): remove it, and the next fetch writes it anew") from None


def add_to_lock(data: Path, place: str, entry: Mapping[str, str]) -> None:
    """Keeps what was fetched to a place."""
    known = {**read_lock(data), place: dict(entry)}
    partial = data / f".{LOCK}.partial"
    with partial.open("w", encoding="utf-8") as file:
        file.write(dumps(dict(sorted(known.items())), indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())
    partial.replace(data / LOCK)


def _files_of_folder(path: Path) -> Iterator[tuple[str, str]]:
    for file in path.rglob("*"):
        if file.is_file():
            yield file.relative_to(path).as_posix(), sum_of(file).removeprefix("sha256:")


def _files_of_tar(path: Path, folder: str) -> Iterator[tuple[str, str]]:
    try:
        with tarfile.open(path) as tar:
            found = [(within(member.name, folder), tar.extractfile(member)) for member in tar]
            yield from ((name, _sha256(file)) for name, file in found if name and file)
    except (OSError, EOFError, tarfile.TarError) as error:
        raise HeldoutError(f"{path} is damaged: {error}") from None


def within(name: str, folder: str) -> str | None:
    """A member's name below that folder of an archive, wherever the folder lies; None if it is not below."""
    if folder == ".":
        return name
    _, found, below = f"/{PurePosixPath(name)}".partition(f"/{folder}/")
    return below if found else None


def _sha256(file: IO[bytes]) -> str:
    taken = hashlib.sha256()
    while chunk := file.read(CHUNK):
        taken.update(chunk)
    return taken.hexdigest()
