from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from heldout.errors import HeldoutError
from heldout.store.files import append, read_json, replace_file, replace_json

FullDisk = Callable[[int], AbstractContextManager[None]]


def test_a_file_is_replaced_whole_and_its_folders_are_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.txt"
    replace_file(path, "first")
    replace_file(path, b"second")
    assert path.read_text() == "second"
    assert [p.name for p in path.parent.iterdir()] == ["b.txt"]


def test_a_full_disk_is_one_line_and_leaves_the_old_file(full_disk: FullDisk, tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    replace_file(path, "old")
    with pytest.raises(HeldoutError) as said, full_disk(1000):
        replace_file(path, "x" * 5000)
    assert str(said.value) == f"could not write {path}: File too large"
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_addition_that_fails_leaves_the_file_as_it_was(full_disk: FullDisk, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    append(path, b"kept\n")
    with pytest.raises(HeldoutError, match="could not write"), full_disk(1000):
        append(path, b"x" * 5000)
    assert path.read_bytes() == b"kept\n"


def test_a_folder_that_is_a_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    with pytest.raises(HeldoutError, match=r"could not write .*runs/demo\.txt: "):
        replace_file(tmp_path / "runs" / "demo.txt", "")


def test_json_comes_back_as_it_was_written(tmp_path: Path) -> None:
    value = {"name": "Käfer \ud800", "numbers": [1, 2.5, None]}
    replace_json(tmp_path / "study.json", value)
    assert read_json(tmp_path / "study.json") == value


def test_what_no_file_can_hold_does_not_stop_a_page(tmp_path: Path) -> None:
    replace_file(tmp_path / "page.md", "said: \ud800.")
    assert (tmp_path / "page.md").read_text() == "said: ?."


@pytest.mark.parametrize("content", [b'{"a": ', b"\xff\xfe", b""])
def test_damaged_json_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "study.json"
    path.write_bytes(content)
    with pytest.raises(HeldoutError, match=r"study\.json is damaged: not JSON"):
        read_json(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(HeldoutError, match=r"could not read .*done\.json: No such file"):
        read_json(tmp_path / "done.json")
