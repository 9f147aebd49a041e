"""Folders written whole, with an account of their files: half a folder is never taken for one."""

import os
import re
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from heldout.errors import HeldoutError
from heldout.paths import stays_inside
from heldout.records import Json
from heldout.store import schema
from heldout.store.files import make_folder, partial_of, read_json, refusals, sha256_of, sync_folder
from heldout.store.hosts import host_digits, is_gone

ABANDONED = 3600.0
"""Seconds after which what another host half wrote is taken for abandoned; a lease is over much earlier."""

ACCOUNT = "files.json"
"""What each file of an accounted folder is like, in the folder itself."""


@contextmanager
def replacing(folder: Path, *, accounted: bool = False, check: Callable[[], None] = lambda: None) -> Iterator[Path]:
    """A place for a folder's files; they get the folder's name, all at once, when all are on the disk.

    `check` is called before that, and raises where the place is no longer ours to write in.
    """
    partial = partial_of(folder)
    with refusals(folder, "save"):
        _remove_abandoned(folder.parent.glob(f".{folder.name}.*"))
        make_folder(folder.parent)
        partial.mkdir()
        try:
            yield partial
            if accounted:
                schema.replace(partial / ACCOUNT, {"files": _account(partial)})
            _sync_tree(partial)
            check()
            _put(partial, folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def damage(folder: Path) -> str | None:
    """The first thing that is wrong with an accounted folder, if there is any."""
    try:
        read_json(folder / ACCOUNT)
    except HeldoutError as error:
        return str(error)
    files = schema.read(folder / ACCOUNT).get("files")
    if not isinstance(files, dict):
        return f"{folder / ACCOUNT} is damaged: it accounts for no files"
    for name, known in files.items():
        path = folder / name
        if not stays_inside(name):
            return f"{folder / ACCOUNT} is damaged: {name!r} is no place in its folder"
        if not path.exists():
            return f"{path} is missing"
        if _like(path) != known:
            return f"{path} is damaged: its {path.stat().st_size} bytes are not what was written"
    return None


def sweep(root: Path) -> None:
    """Removes what processes that are gone left half-written, here and in all folders below."""
    _remove_abandoned(root.rglob(".*.partial"))


def _remove_abandoned(paths: Iterable[Path]) -> None:
    for path in list(paths):
        if not _is_abandoned(path):
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _is_abandoned(path: Path) -> bool:
    """Whether it is half-written, and by a process that is gone: an earlier one may have had our number.

    Of a process on another host that cannot be told: what it left is only old.
    """
    found = re.fullmatch(r"\..+\.([0-9a-f]{8})\.(\d+)\.partial", path.name)
    if not found:
        return False
    if found[1] != host_digits():
        return _age(path) > ABANDONED
    process = int(found[2])
    return is_gone(process) or process == os.getpid()


def _age(path: Path) -> float:
    """Seconds since anything in it was last written to; nothing where it has just gone."""
    try:
        written = [each.stat().st_mtime for each in (path, *path.rglob("*"))]
    except FileNotFoundError:
        return 0.0
    return time.time() - max(written)


def _account(folder: Path) -> dict[str, Json]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): _like(path) for path in files}


def _like(path: Path) -> dict[str, Json]:
    with refusals(path, "read"):
        return {"bytes": path.stat().st_size, "sha256": sha256_of(path)}


def _put(partial: Path, folder: Path) -> None:
    """Gives the new folder its name; the one that had it makes way first, and is removed last."""
    old = partial_of(folder.with_name(f"{folder.name}.old"))
    if folder.exists():
        folder.rename(old)
    try:
        partial.rename(folder)
    except OSError:
        old.rename(folder)
        raise
    sync_folder(folder.parent)
    shutil.rmtree(old, ignore_errors=True)


def _sync_tree(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
    sync_folder(folder)
