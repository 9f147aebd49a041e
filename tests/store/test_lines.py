import lzma
from pathlib import Path

import pytest

from heldout.errors import HeldoutError
from heldout.store.lines import read_lines


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.xz"])
def test_a_finished_file_is_read_plain_or_compressed(name: str, tmp_path: Path) -> None:
    text = b'{"a": 1}\n\n[2]'
    (tmp_path / name).write_bytes(lzma.compress(text) if name.endswith("xz") else text)
    assert list(read_lines(tmp_path / name)) == [(1, {"a": 1}), (3, [2])]


def test_a_line_that_is_not_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n{"a": \n')
    with pytest.raises(HeldoutError, match=r"a\.jsonl: line 2 is not JSON \(.*\): '{\"a\":'"):
        list(read_lines(tmp_path / "a.jsonl"))


def test_bytes_that_are_no_text_are_not_json(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"\xff\xfe{}\x80\n")
    with pytest.raises(HeldoutError, match="line 1 is not JSON"):
        list(read_lines(tmp_path / "a.jsonl"))


def test_a_compressed_file_that_was_cut_off_is_damaged_after_its_last_line(tmp_path: Path) -> None:
    whole = lzma.compress(b"".join(b'{"number": %d}\n' % number for number in range(40_000)))
    (tmp_path / "a.xz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(HeldoutError, match=r"a\.xz is damaged after line \d+: "):
        list(read_lines(tmp_path / "a.xz"))


def test_a_file_that_only_claims_to_be_compressed_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "a.xz").write_text("{}\n")
    with pytest.raises(HeldoutError, match=r"a\.xz is damaged after line 0: "):
        list(read_lines(tmp_path / "a.xz"))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(HeldoutError, match=r"could not read .*a\.xz: No such file"):
        list(read_lines(tmp_path / "a.xz"))
