"""Files as other programs write them: every form gives the same values."""

import gzip
import json
import lzma
from pathlib import Path

import pytest
from zstandard import ZstdCompressor

from heldout.errors import HeldoutError
from heldout.store.documents import Document, read_documents

VALUES = [{"id": 1}, {"id": 2, "said": "Ümlaut\nand a line"}]
LINES = "".join(json.dumps(value) + "\n" for value in VALUES)


def values(path: Path) -> list[object]:
    return [each.value for each in read_documents(path)]


def places(path: Path) -> list[str]:
    return [each.place for each in read_documents(path)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (LINES, ["line 1", "line 2"]),
        (LINES.replace("\n", "\r\n") + "\n\n", ["line 1", "line 2"]),
        (json.dumps(VALUES), ["item 1", "item 2"]),
        (json.dumps(VALUES, indent=4), ["item 1", "item 2"]),
        ("\n".join(json.dumps(value, indent=2) for value in VALUES), ["line 1", "line 4"]),
        ("\ufeff" + json.dumps(VALUES, indent=1), ["item 1", "item 2"]),
    ],
)
def test_lines_arrays_and_indented_values_are_the_same_values(text: str, found: list[str], tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    path.write_text(text, encoding="utf-8")
    assert values(path) == VALUES
    assert places(path) == found


@pytest.mark.parametrize("name", ["log.jsonl", "log.jsonl.gz", "log.jsonl.xz", "log.jsonl.zst", "log"])
def test_a_file_is_compressed_as_it_begins_whatever_it_is_called(name: str, tmp_path: Path) -> None:
    path, zstd = tmp_path / name, ZstdCompressor()
    frames = b"".join(zstd.compress(line.encode()) for line in LINES.splitlines(keepends=True))
    for content in (LINES.encode(), gzip.compress(LINES.encode()), lzma.compress(LINES.encode()), frames):
        if content == LINES.encode() and path.suffix in (".gz", ".xz", ".zst"):
            continue
        path.write_bytes(content)
        assert values(path) == VALUES


def test_a_folder_is_its_files_in_the_order_of_their_names(tmp_path: Path) -> None:
    (tmp_path / "step2").mkdir()
    (tmp_path / "step2" / "0.json").write_text(json.dumps(VALUES[1:]))
    (tmp_path / "step1.json").write_text(json.dumps(VALUES[0], indent=4))
    (tmp_path / "readme.txt").write_text("what this is")
    found = list(read_documents(tmp_path))
    assert [each.value for each in found] == VALUES
    assert [(each.file.name, each.place) for each in found] == [("step1.json", "line 1"), ("0.json", "item 1")]


def test_a_folder_without_a_file_of_json_says_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text("Thought: go\n")
    with pytest.raises(HeldoutError, match=r"has no file to read: .*\.json, \.jsonl, \.ndjson.*; there: \.txt$"):
        list(read_documents(tmp_path))


def test_a_broken_line_is_said_and_the_others_are_read(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"id": 1}\n{"id": \n{"id": 3}\n')
    first, broken, last = read_documents(path)
    assert (first.value, last) == ({"id": 1}, Document(file=path, place="line 3", value={"id": 3}))
    assert (broken.place, broken.wrong[:12]) == ("line 2", "is not JSON ")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('[\n  {"id": 1},\n  {"id": \n', "line 4 is not JSON "),
        ("Thought: go\nAction: go\n", "line 1 is not JSON .*: 'Thought: go'"),
    ],
)
def test_what_is_no_json_is_refused_by_its_line(content: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    path.write_text(content)
    with pytest.raises(HeldoutError, match=f"log.json: {told}"):
        list(read_documents(path))


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
def test_a_torn_file_is_damaged(pack: object, tmp_path: Path) -> None:
    assert callable(pack)
    path = tmp_path / "log.jsonl"
    path.write_bytes(pack(LINES.encode())[:-9])
    with pytest.raises(HeldoutError, match=r"log.jsonl is damaged after line \d: "):
        list(read_documents(path))


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(HeldoutError, match=r"^could not read .*: No such file or directory$"):
        list(read_documents(tmp_path / "none.json"))
