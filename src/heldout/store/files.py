"""Files replaced whole or added to at their end: a run that is killed leaves nothing half-written."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import file_digest
from io import FileIO
from json import dumps, loads
from pathlib import Path

from heldout.errors import HeldoutError
from heldout.records import Json
from heldout.store.hosts import host_digits


@contextmanager
def refusals(path: Path, doing: str) -> Iterator[None]:
    """Turns a refusal of the operating system (disk full, read-only) into one line that names the file."""
    try:
        yield
    except OSError as error:
        raise HeldoutError(f"could not {doing} {path}: {error.strerror or error}") from error


def replace_file(path: Path, content: str | bytes, check: Callable[[], None] = lambda: None) -> None:
    """Puts the whole content in the file's place at once: a reader sees the old file or the new one.

    What a model said may hold half a surrogate pair, which no file can: it is written as a question mark. `check`
    raises where the place is no longer ours to write in.
    """
    data = content.encode(errors="replace") if isinstance(content, str) else content
    partial = partial_of(path)
    with refusals(path, "write"):
        make_folder(path.parent)
        try:
            with FileIO(partial, "w") as file:
                _write(file, data)
                os.fsync(file.fileno())
            check()
            partial.replace(path)
        finally:
            with suppress(OSError):
                partial.unlink()
        sync_folder(path.parent)


def partial_of(path: Path) -> Path:
    """Where this process writes what is to be put in the path's place."""
    return path.with_name(f".{path.name}.{host_digits()}.{os.getpid()}.partial")


def replace_json(path: Path, value: Json, check: Callable[[], None] = lambda: None) -> None:
    """Puts a JSON value in the file's place, indented for people."""
    replace_file(path, dumps(value, indent=2) + "\n", check)


def read_json(path: Path) -> Json:
    """The JSON value in a file."""
    with refusals(path, "read"):
        data = path.read_bytes()
    try:
        return loads(data)
    except (ValueError, RecursionError) as error:  # not JSON, no text, too long a number, too deep
        raise HeldoutError(f"{path} is damaged: not JSON ({error})") from error


def readable_as_its_folder(path: Path) -> None:
    """Lets those read a file who may read its folder: safetensors writes files for their owner alone."""
    with refusals(path, "write"):
        path.chmod(path.stat().st_mode | path.parent.stat().st_mode & 0o444)


def sha256_of(path: Path) -> str:
    """The SHA-256 of what is in a file, in hexadecimal digits."""
    with refusals(path, "read"), path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def append(path: Path, data: bytes, *, sync: bool = False) -> None:
    """Adds bytes to the end of a file; where that fails the file is left as it was."""
    with refusals(path, "write"):
        make_folder(path.parent)
        is_new = not path.exists()
        with FileIO(path, "a") as file:
            size = file.tell()
            try:
                _write(file, data)
            except OSError:
                os.ftruncate(file.fileno(), size)
                raise
            if sync:
                os.fsync(file.fileno())
        if sync and is_new:
            sync_folder(path.parent)


def make_folder(path: Path) -> None:
    """Makes a folder and those above it that are not there, so that they last through a loss of power."""
    new = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for folder in new:
        sync_folder(folder.parent)


def sync_folder(path: Path) -> None:
    """Makes the names in a folder last through a loss of power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write(file: FileIO, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]
