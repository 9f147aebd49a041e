"""JSON values in files made elsewhere: one a line, in an array or indented; plain or compressed; or a folder."""

import gzip
import lzma
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from itertools import chain
from json import JSONDecodeError, JSONDecoder, loads
from pathlib import Path
from typing import BinaryIO, cast

from zstandard import ZstdDecompressor, ZstdError

from heldout.bounds import bounded_lines
from heldout.errors import HeldoutError
from heldout.records import Json
from heldout.store.files import refusals

MAGIC = {b"\x1f\x8b": ".gz", b"\xfd7zXZ\x00": ".xz", b"\x28\xb5\x2f\xfd": ".zst"}
"""What a compressed file begins with, whatever it is called."""

READ = ("json", "jsonl", "ndjson")
"""What the names of files in a folder end in, before `.gz`, `.xz` or `.zst`."""

_SIGN = re.compile(r"\S")

_Line = tuple[int, bytes]
"""A line by its number, from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A value of a file, and where it stands there."""

    file: Path
    place: str
    """Such as `line 3`, or `item 3` of an array."""
    value: Json = None
    wrong: str = ""
    """Why there is no value where one should be."""


def read_documents(path: Path) -> Iterator[Document]:
    """The values of a file, or of all files in a folder; the values of an array each by itself."""
    for file in _files(path) if path.is_dir() else [path]:
        lines = _numbered(file)
        first = next((line for line in lines if line[1].strip()), None)
        if first is not None:
            read = _of_lines if _is_value(first[1]) else _of_whole
            yield from read(file, chain([first], lines))


def _files(folder: Path) -> list[Path]:
    """The files below a folder whose names say that they hold JSON."""
    with refusals(folder, "read"):
        there = sorted(path for path in folder.rglob("*") if path.is_file())
    found = [path for path in there if _kind(path) in READ]
    if not found:
        ends = sorted({path.suffix or path.name for path in there}) or ["nothing"]
        raise HeldoutError(
            f"{folder} has no file to read: names end in .{', .'.join(READ)}, and then .gz, .xz or .zst if it is "
            f"compressed; there: {', '.join(ends[:5])}"
        )
    return found


def _kind(path: Path) -> str:
    name = path.with_suffix("") if path.suffix in MAGIC.values() else path
    return name.suffix.removeprefix(".").lower()


def _of_lines(file: Path, lines: Iterable[_Line]) -> Iterator[Document]:
    """JSON lines; a line that is broken is said, and the others are read."""
    for number, text in lines:
        if not text.strip():
            continue
        place = f"line {number}"
        try:
            value = loads(text)
        except (ValueError, RecursionError) as error:
            yield Document(file=file, place=place, wrong=f"is not JSON ({error}): {_shown(text)!r}")
        else:
            yield from _each(file, place, value)


def _of_whole(file: Path, lines: Iterable[_Line]) -> Iterator[Document]:
    """Values over several lines: one, or one after the other."""
    numbers, texts = zip(*lines, strict=True)
    before, content = numbers[0], b"".join(texts).decode("utf-8-sig", errors="replace")
    decoder, start, number = JSONDecoder(strict=False), _after_space(content, 0), before
    while start < len(content):
        try:
            value, end = decoder.raw_decode(content, start)
        except (JSONDecodeError, RecursionError) as error:
            at = before + error.lineno - 1 if isinstance(error, JSONDecodeError) else number
            shown = content.split("\n")[at - before]
            found = f"line {at} is not JSON ({error}): {shown[:60].strip()!r}"
            raise HeldoutError(f"{file}: {found}; read are JSON lines, arrays and indented JSON") from error
        yield from _each(file, f"line {number}", value)
        end = _after_space(content, end)
        number += content.count("\n", start, end)
        start = end


def _after_space(text: str, start: int) -> int:
    """The first place from `start` on that is no white space."""
    found = _SIGN.search(text, start)
    return found.start() if found else len(text)


def _each(file: Path, place: str, value: Json) -> Iterator[Document]:
    """The value, or those of an array."""
    if not isinstance(value, list):
        yield Document(file=file, place=place, value=value)
        return
    line = "" if place == "line 1" else f"{place}, "
    for number, item in enumerate(value, start=1):
        yield Document(file=file, place=f"{line}item {number}", value=item)


def _is_value(text: bytes) -> bool:
    """Whether a line holds a whole value."""
    try:
        loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _shown(text: bytes) -> str:
    return text[:60].decode(errors="replace").strip()


def _numbered(path: Path) -> Iterator[_Line]:
    """The lines of a file."""
    number = 0
    try:
        with refusals(path, "read"), _opened(path) as file:
            for number, text in enumerate(bounded_lines(file, path), start=1):
                yield number, text
    except (lzma.LZMAError, gzip.BadGzipFile, ZstdError, EOFError) as error:
        raise HeldoutError(f"{path} is damaged after line {number}: {error}") from error


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """The content of a file, which is compressed as it begins, or else as its name says."""
    with path.open("rb") as file:
        begins = file.read(6)
        file.seek(0)
        known = [kind for magic, kind in MAGIC.items() if begins.startswith(magic)]
        match (known or [path.suffix])[0]:
            case ".gz":
                with gzip.open(file) as unzipped:
                    yield cast(BinaryIO, unzipped)
            case ".xz":
                with lzma.open(file) as unpacked:
                    yield cast(BinaryIO, unpacked)
            case ".zst":
                # Our own files are many frames, one after the other.
                with ZstdDecompressor().stream_reader(file, read_across_frames=True) as frames:
                    yield BufferedReader(frames)
            case _:
                yield file
