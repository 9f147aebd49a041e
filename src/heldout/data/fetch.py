"""What a source has, brought to the data folder: checked, and put in its place whole."""

import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from heldout.addresses import without_credentials
from heldout.bounds import DEFAULT, Bounds
from heldout.data.archives import take
from heldout.data.catalogue import File, Source
from heldout.data.download import download
from heldout.data.sums import add_to_lock, contents_of, read_lock, sum_of
from heldout.errors import HeldoutError

UNDER_WAY = ".fetch"
"""In the data folder: what is not whole yet."""


LONGEST_DOWNLOAD = 64 << 30
"""Bytes of a file whose length nobody knows."""


class State(StrEnum):
    """How a file of a source stands in the data folder."""

    FETCHED = "fetched"
    THERE = "there"
    """And it is what it should be."""
    UNKNOWN = "there, unchecked"
    """And nothing is known that it could be checked by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A file of a source after a fetch."""

    path: str
    state: State
    sum: str
    first: bool = False
    """Whether its sum was not known before: it is kept, and what is fetched later is held to it."""


def from_mirror(source: Source, mirror: str) -> Source:
    """The source with all its files in one folder elsewhere: a mirror, or what was copied by hand (`file://`).

    They lie there by their names; where several of the source have one name, in the folders that they have here.
    """
    base, names = mirror.rstrip("/"), Counter(map(_name, source.files))
    files = (
        replace(
            file, url=f"{base}/{'/'.join(Path(file.path).parts[-2:]) if names[_name(file)] > 1 else _name(file)}"
        )
        for file in source.files
    )
    return replace(source, files=tuple(files))


def _name(file: File) -> str:
    return Path(urlsplit(file.url).path).name


def fetch(source: Source, file: File, data: Path, tell: Callable[[int], None]) -> Fetched:
    """Brings one file of a source, unless it is there; one that is not what it should be is refused."""
    target, known = data / file.path, read_lock(data).get(file.path, {})
    mend = f"remove it, then: heldout data fetch {source.name}"
    if target.exists():
        return _check_present(target, file, known, mend)
    folder, shown = data / UNDER_WAY / file.path, without_credentials(file.url)
    try:
        got = download(file.url, folder, tell, _most(file))
    except HeldoutError as error:
        kept = f"; what came is kept: heldout data fetch {source.name}" if folder.exists() else ""
        raise HeldoutError(f"{error}{kept}") from None
    if wrong := _mismatch(got, file, known):
        shutil.rmtree(folder)
        raise HeldoutError(f"{shown} is not what it was: {wrong}; nothing was kept")
    try:
        made = _extract(got, file, folder)
    except HeldoutError:
        shutil.rmtree(folder)
        raise
    taken = _sum_of_place(made, file)
    expected = file.contents or known.get("sum", taken) if file.inside else taken
    if taken != expected:
        shutil.rmtree(folder)
        raise HeldoutError(f"{shown} is not what it was: it holds {taken}, not {expected}; nothing was kept")
    entry = {"url": shown, "sum": taken, "download": sum_of(got)}
    target.parent.mkdir(parents=True, exist_ok=True)
    made.replace(target)
    add_to_lock(data, file.path, entry)
    _clear(folder, data / UNDER_WAY)
    is_known = bool(file.sum or file.contents or known)
    return Fetched(path=file.path, state=State.FETCHED, sum=taken, first=not is_known)


def _most(file: File) -> int:
    """How many bytes are downloaded at most."""
    return file.bytes or (0 if file.inside else file.most) or LONGEST_DOWNLOAD


def _check_present(target: Path, file: File, known: Mapping[str, str], mend: str) -> Fetched:
    """A file that is there, held to what is known of it."""
    wanted = (file.contents if file.inside else file.sum) or known.get("sum", "")
    taken = _sum_of_place(target, file, wanted.partition(":")[0] or "sha256")
    if wanted and taken != wanted:
        raise HeldoutError(f"{target} is damaged or another file: {taken}, not {wanted}: {mend}")
    return Fetched(path=file.path, state=State.THERE if wanted else State.UNKNOWN, sum=taken)


def _mismatch(got: Path, file: File, known: Mapping[str, str]) -> str | None:
    """What is wrong with a download, by the catalogue, or by what an earlier fetch of it kept."""
    if file.bytes and got.stat().st_size != file.bytes:
        return f"{got.stat().st_size} bytes, not {file.bytes}"
    wanted = file.sum or ("" if file.inside else known.get("sum", ""))
    taken = sum_of(got, wanted.partition(":")[0]) if wanted else ""
    return None if taken == wanted else f"{taken}, not {wanted}"


def _extract(got: Path, file: File, folder: Path) -> Path:
    """What is put in place: the download itself, or what is kept of it."""
    if not file.inside:
        return got
    made = folder / "made" / Path(file.path).name
    made.parent.mkdir(exist_ok=True)
    take(got, file.inside, made, Bounds(total=file.most) if file.most else DEFAULT)
    return made


def _sum_of_place(path: Path, file: File, kind: str = "sha256") -> str:
    """The sum that tells whether what lies there is right: of a file, or over the files of a folder."""
    if not file.inside:
        return sum_of(path, kind)
    return contents_of(path, Path(file.path).name.partition(".")[0])


def _clear(folder: Path, top: Path) -> None:
    """Removes what was under way, and the folders above it that are empty now."""
    shutil.rmtree(folder)
    for parent in (*folder.relative_to(top).parents,):
        if any((top / parent).iterdir()):
            return
        (top / parent).rmdir()
