"""A fetch puts a file in its place only when it is what it should be; what is there is held to the same."""

import json
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from heldout.data.catalogue import File, Source
from heldout.data.fetch import Fetched, State, fetch, from_mirror
from heldout.data.sums import LOCK, contents_of, sum_of
from heldout.errors import HeldoutError


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def doors(tmp_path: Path) -> Source:
    """A source of one file, on this disk."""
    there = tmp_path / "doors.json"
    there.write_text('["left"]')
    file = File(path="doors/ids.json", url=there.as_uri(), bytes=8, sum=sum_of(there))
    return Source(name="doors", what="doors", licence="MIT", home="https://doors", reads="doors", files=(file,))


def unknown(source: Source) -> Source:
    """The same source, if nothing were known of its file."""
    [file] = source.files
    return replace(source, files=(replace(file, sum="", bytes=0),))


def fetched(source: Source, data: Path) -> Fetched:
    [file] = source.files
    return fetch(source, file, data, lambda _: None)


def published(source: Source) -> Path:
    return Path(source.files[0].url.removeprefix("file://"))


def files_in(data: Path) -> list[str]:
    return sorted(path.relative_to(data).as_posix() for path in data.rglob("*") if path.is_file())


def test_a_file_is_fetched_once_and_then_is_there(doors: Source, data: Path) -> None:
    assert fetched(doors, data).state is State.FETCHED
    assert (data / "doors" / "ids.json").read_text() == '["left"]'
    assert files_in(data) == ["doors/ids.json", LOCK]
    published(doors).unlink()
    assert fetched(doors, data).state is State.THERE


def test_a_file_whose_sum_nobody_knows_is_kept_with_its_sum_and_later_ones_are_held_to_it(
    doors: Source, data: Path
) -> None:
    source = unknown(doors)
    first = fetched(source, data)
    assert (first.state, first.first) == (State.FETCHED, True)
    assert json.loads((data / LOCK).read_text())["doors/ids.json"]["sum"] == first.sum
    (data / "doors" / "ids.json").unlink()
    assert fetched(source, data).first is False
    (data / "doors" / "ids.json").unlink()
    published(doors).write_text('["right"]')
    with pytest.raises(HeldoutError, match=r"doors\.json is not what it was: sha256:\w+, not sha256:\w+; nothing"):
        fetched(source, data)
    assert files_in(data) == [LOCK]


@pytest.mark.parametrize("text", ['["lef"]', '["LEFT"]'])
def test_a_download_of_another_length_or_sum_is_not_kept(text: str, doors: Source, data: Path) -> None:
    published(doors).write_text(text)
    with pytest.raises(HeldoutError, match="is not what it was"):
        fetched(doors, data)
    assert files_in(data) == []


def test_a_damaged_file_is_named_with_the_command_that_mends_it(doors: Source, data: Path) -> None:
    fetched(doors, data)
    (data / "doors" / "ids.json").write_text("[]")
    with pytest.raises(HeldoutError, match=r"ids\.json is damaged .*: remove it, then: heldout data fetch doors$"):
        fetched(doors, data)


def test_a_file_that_was_put_there_by_hand_is_held_to_the_catalogue_or_said_to_be_unchecked(
    doors: Source, data: Path
) -> None:
    (data / "doors").mkdir()
    (data / "doors" / "ids.json").write_text('["left"]')
    assert fetched(doors, data).state is State.THERE
    assert fetched(unknown(doors), data).state is State.UNKNOWN


def test_a_sum_may_be_the_one_that_git_has(doors: Source, data: Path) -> None:
    [file] = doors.files
    # printf '["left"]' | git hash-object --stdin
    source = replace(doors, files=(replace(file, sum="git:caee92cef031223bccaed28ec66cca30bffa31a5"),))
    assert fetched(source, data).state is State.FETCHED
    assert fetched(source, data).state is State.THERE


def test_of_an_archive_a_folder_is_kept_and_held_to_what_it_holds(doors: Source, data: Path, tar: Path) -> None:
    file = File(path="doors/rooms.tar.xz", url=tar.as_uri(), inside="deep/rooms")
    source = replace(doors, files=(file,))
    first = fetched(source, data)
    assert first.sum == contents_of(data / "doors" / "rooms.tar.xz", "rooms")
    assert files_in(data) == ["doors/rooms.tar.xz", LOCK]
    assert fetched(source, data).state is State.THERE
    known = replace(source, files=(replace(file, contents=first.sum),))
    assert fetched(known, data).state is State.THERE
    (data / "doors" / "rooms.tar.xz").unlink()
    with pytest.raises(HeldoutError, match=r"is not what it was: it holds sha256:\w+, not sha256:0"):
        fetched(replace(source, files=(replace(file, contents="sha256:0"),)), data)


def test_a_folder_of_an_archive_may_stay_a_folder(doors: Source, data: Path, tar: Path) -> None:
    file = File(path="doors/rooms", url=tar.as_uri(), inside="deep/rooms")
    source = replace(doors, files=(file,))
    assert fetched(source, data).first is True
    assert files_in(data) == ["doors/rooms/a.json", LOCK]
    (data / "doors" / "rooms" / "a.json").write_text("other")
    with pytest.raises(HeldoutError, match="rooms is damaged or another file"):
        fetched(source, data)


def test_a_mirror_has_the_files_by_their_names(doors: Source, data: Path, tmp_path: Path) -> None:
    (tmp_path / "mirror").mkdir()
    published(doors).rename(tmp_path / "mirror" / "doors.json")
    assert fetched(from_mirror(doors, (tmp_path / "mirror").as_uri() + "/"), data).state is State.FETCHED


def test_files_of_one_name_lie_in_their_folders_in_a_mirror(doors: Source) -> None:
    [file] = doors.files
    files = tuple(replace(file, path=f"doors/{each}/ids.json") for each in ("left", "right"))
    assert [each.url for each in from_mirror(replace(doors, files=files), "https://m/").files] == [
        "https://m/left/ids.json",
        "https://m/right/ids.json",
    ]


def test_what_stopped_is_told_with_the_command_that_goes_on(doors: Source, data: Path) -> None:
    published(doors).unlink()
    with pytest.raises(HeldoutError, match=r"No such file .*; what came is kept: heldout data fetch doors$"):
        fetched(doors, data)


@pytest.fixture
def tar(tmp_path: Path) -> Path:
    """An archive with a folder of rooms."""
    rooms = tmp_path / "deep" / "rooms"
    rooms.mkdir(parents=True)
    (rooms / "a.json").write_text("1")
    with tarfile.open(tmp_path / "doors.tar.gz", "w:gz") as packed:
        packed.add(rooms, "doors-1/deep/rooms")
    return tmp_path / "doors.tar.gz"


def test_an_archive_that_holds_too_much_leaves_nothing(doors: Source, data: Path, tar: Path) -> None:
    file = File(path="doors/rooms", url=tar.as_uri(), inside="deep/rooms", most=0)
    (tar.parent / "deep" / "rooms" / "b.json").write_text("2" * 100)
    with tarfile.open(tar, "w:gz") as packed:
        packed.add(tar.parent / "deep" / "rooms", "doors-1/deep/rooms")
    source = replace(doors, files=(replace(file, most=50),))
    with pytest.raises(HeldoutError, match=r"'b.json' is more than the 50 bytes that it may unpack to"):
        fetched(source, data)
    assert files_in(data) == []
    assert fetched(replace(doors, files=(file,)), data).state is State.FETCHED


def test_a_download_that_is_longer_than_it_may_be_is_not_kept(doors: Source, data: Path) -> None:
    [file] = unknown(doors).files
    with pytest.raises(HeldoutError, match=r"doors.json is longer than the 7 bytes .*: nothing of it was kept$"):
        fetched(replace(doors, files=(replace(file, most=7),)), data)
    assert files_in(data) == []
    assert fetched(replace(doors, files=(replace(file, most=8),)), data).state is State.FETCHED


def test_what_was_fetched_from_where_is_kept_without_what_opens_it(doors: Source, data: Path) -> None:
    [file] = doors.files
    fetched(replace(doors, files=(replace(file, url=f"{file.url}?sig=secret"),)), data)
    assert json.loads((data / LOCK).read_text())[file.path]["url"] == file.url
