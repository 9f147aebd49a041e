"""A small file that unpacks to much is refused by its bound, and never held in memory whole."""

import gzip
import io
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest
from zstandard import ZstdCompressor

from heldout.bounds import LEAST, Bounds, bounded_content, bounded_lines, most_in
from heldout.errors import HeldoutError
from heldout.store.documents import read_documents
from heldout.store.lines import read_lines

BOMB = b" " * (LEAST + (6 << 20))


@pytest.fixture
def small(tmp_path: Path) -> Path:
    (tmp_path / "small").write_bytes(b"x" * 10)
    return tmp_path / "small"


def test_a_file_may_unpack_to_a_thousand_times_its_size_and_to_64_mib(small: Path) -> None:
    assert most_in(small) == 64 << 20
    small.write_bytes(b"x" * 100_000)
    assert most_in(small) == 100_000_000
    assert Bounds(total=7).of(small) == 7


def test_lines_are_read_as_they_are_up_to_the_one_that_is_too_long(small: Path) -> None:
    assert list(bounded_lines(io.BytesIO(b"a\nbb\nc"), small, longest=3)) == [b"a\n", b"bb\n", b"c"]
    lines = bounded_lines(io.BytesIO(b"a\nbbb\n"), small, longest=3)
    assert next(lines) == b"a\n"
    with pytest.raises(HeldoutError, match="small: line 2 has more than the 3 bytes that a line may have"):
        next(lines)


def test_a_content_is_read_whole_or_refused(small: Path) -> None:
    assert bounded_content(io.BytesIO(b"abc"), small, longest=3) == b"abc"
    with pytest.raises(HeldoutError, match="small holds more than the 3 bytes that it may unpack to"):
        bounded_content(io.BytesIO(b"abcd"), small, longest=3)


@pytest.mark.parametrize(
    ("name", "pack"),
    [("a.jsonl.gz", gzip.compress), ("a.jsonl.xz", lzma.compress), ("a.jsonl.zst", ZstdCompressor().compress)],
)
def test_a_log_that_unpacks_to_too_much_is_refused(
    name: str, pack: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(pack(b'{"a": 1}\n{"b": 2}\n' + BOMB))
    found = read_documents(path)
    assert [next(found).value, next(found).value] == [{"a": 1}, {"b": 2}]
    with pytest.raises(HeldoutError, match=rf"{name}: line 3 is beyond the [\d,]+ bytes that it may unpack to"):
        next(found)


def test_a_corpus_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "corpus.jsonl.xz"
    path.write_bytes(lzma.compress(BOMB, preset=0))
    with pytest.raises(HeldoutError, match=r"corpus.jsonl.xz: line 1 is beyond the [\d,]+ bytes"):
        list(read_lines(path))
