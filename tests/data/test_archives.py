"""What is taken out of an archive is the folder that is asked for, and nothing lands outside of it."""

import io
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from heldout.bounds import LEAST, Bounds
from heldout.data.archives import contents, take
from heldout.data.sums import contents_of
from heldout.errors import HeldoutError

Maker = Callable[..., Path]


def tar_of(path: Path, files: dict[str, str], *links: str) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, text in files.items():
            header = tarfile.TarInfo(name)
            header.size = len(text)
            tar.addfile(header, io.BytesIO(text.encode()))
        for name in links:
            header = tarfile.TarInfo(name)
            header.type, header.linkname = tarfile.SYMTYPE, "/etc/passwd"
            tar.addfile(header)
    return path


def zip_of(path: Path, files: dict[str, str], *links: str) -> Path:
    with zipfile.ZipFile(path, "w") as packed:
        for name, text in files.items():
            packed.writestr(name, text)
        for name in links:
            header = zipfile.ZipInfo(name)
            header.external_attr = (stat.S_IFLNK | 0o777) << 16
            packed.writestr(header, "/etc/passwd")
    return path


GAMES = {"root/games/a.json": "1", "root/games/deep/b.json": "22", "root/other/c.json": "3"}


@pytest.mark.parametrize(("make", "name"), [(tar_of, "a.tar.gz"), (zip_of, "a.zip")])
def test_a_folder_is_unpacked_wherever_it_lies_in_the_archive(make: type, name: str, tmp_path: Path) -> None:
    target = tmp_path / "games"
    take(make(tmp_path / name, GAMES), "games", target)
    found = {path.relative_to(target).as_posix(): path.read_text() for path in target.rglob("*") if path.is_file()}
    assert found == {"a.json": "1", "deep/b.json": "22"}


def test_what_is_packed_again_has_the_same_bytes_and_contents_each_time(tmp_path: Path) -> None:
    archive = tar_of(tmp_path / "a.tar.gz", GAMES)
    turned = tar_of(tmp_path / "b.tar.gz", dict(reversed(GAMES.items())))
    take(archive, "root/games", tmp_path / "games.tar.xz")
    (tmp_path / "again").mkdir()
    take(turned, "root/games", tmp_path / "again" / "games.tar.xz")
    assert (tmp_path / "games.tar.xz").read_bytes() == (tmp_path / "again" / "games.tar.xz").read_bytes()
    take(archive, "root/games", tmp_path / "games")
    assert contents_of(tmp_path / "games.tar.xz", "games") == contents_of(tmp_path / "games", "games")


@pytest.mark.parametrize("make", [tar_of, zip_of])
@pytest.mark.parametrize("name", ["games/../../escaped.json", "/games/escaped.json", "games/..\\..\\escaped.json"])
def test_a_member_that_would_land_outside_is_refused(make: type, name: str, tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    with pytest.raises(HeldoutError, match="would land outside of its folder"):
        take(make(inside / "archive", {name: "1"}), "games", inside / "games")
    assert not list(tmp_path.rglob("escaped*"))


@pytest.mark.parametrize("make", [tar_of, zip_of])
def test_a_link_is_refused(make: type, tmp_path: Path) -> None:
    with pytest.raises(HeldoutError, match=r"'games/link' is no plain file"):
        take(make(tmp_path / "archive", {"games/a": "1"}, "games/link"), "games", tmp_path / "games")
    assert not (tmp_path / "games" / "link").exists()


def test_an_archive_without_the_folder_or_cut_short_is_refused(tmp_path: Path) -> None:
    archive = tar_of(tmp_path / "a.tar.gz", GAMES)
    with pytest.raises(HeldoutError, match=r"a\.tar\.gz has no folder windows"):
        take(archive, "windows", tmp_path / "windows")
    archive.write_bytes(archive.read_bytes()[:100])
    with pytest.raises(HeldoutError, match=r"a\.tar\.gz is no whole archive"):
        take(archive, "games", tmp_path / "games")


MANY = {f"games/{number}": "1" for number in range(5)}
LONG = {"games/a": "1", "games/b": "1" * 3_000_000, "games/c": "1"}


@pytest.mark.parametrize("make", [tar_of, zip_of])
@pytest.mark.parametrize("target", ["games", "games.tar.xz"])
@pytest.mark.parametrize(
    ("files", "bounds", "told"),
    [
        (MANY, Bounds(members=4), r"archive has more than the 4 members that it may have"),
        (
            LONG,
            Bounds(member=2),
            r"archive: 'b' is more than the 2 bytes that a file in it may have; nothing of it",
        ),
        (
            LONG,
            Bounds(total=2_999_999),
            r"archive: 'b' is more than the 2,999,999 bytes that it may unpack to; noth",
        ),
        (MANY, Bounds(total=4), r"archive: '4' is more than the 4 bytes that it may unpack to; nothing of it was"),
    ],
)
def test_what_is_beyond_a_bound_is_refused_by_its_name_and_nothing_is_left(
    make: Maker, target: str, files: dict[str, str], bounds: Bounds, told: str, tmp_path: Path
) -> None:
    archive = make(tmp_path / "archive", files)
    with pytest.raises(HeldoutError, match=told):
        take(archive, "games", tmp_path / target, bounds)
    assert [path.name for path in tmp_path.iterdir()] == ["archive"]


@pytest.mark.parametrize("make", [tar_of, zip_of])
def test_what_is_within_its_bounds_is_taken(make: Maker, tmp_path: Path) -> None:
    take(make(tmp_path / "archive", MANY), "games", tmp_path / "games", Bounds(total=5, member=1, members=5))
    assert len(list((tmp_path / "games").iterdir())) == 5


@pytest.mark.parametrize(("make", "inside"), [(tar_of, "games"), (zip_of, "games"), (tar_of, "other")])
def test_a_small_archive_of_much_is_refused_by_how_much_it_grows(make: Maker, inside: str, tmp_path: Path) -> None:
    """A thousand times is more than text is compressed: what a tar passes over to get to its folder counts too."""
    archive = make(tmp_path / "archive", {"games/bomb": "0" * (LEAST + (18 << 20)), "other/a": "1"})
    if make is zip_of:  # compressed, as a bomb is
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr("games/bomb", "0" * (LEAST + (18 << 20)))
    with pytest.raises(HeldoutError, match=r"is more than the [\d,]+ bytes that it may unpack to; nothing of it"):
        take(archive, inside, tmp_path / "taken")
    assert [path.name for path in tmp_path.iterdir()] == ["archive"]


def test_a_header_that_says_it_is_huge_is_not_read_into_memory(tmp_path: Path) -> None:
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, 1 << 33
    (tmp_path / "archive.tar").write_bytes(header.tobuf(tarfile.GNU_FORMAT) + b"\0" * 4096)
    with pytest.raises(HeldoutError, match=r"archive.tar has a header of more than 16,777,216 bytes"):
        take(tmp_path / "archive.tar", "games", tmp_path / "games")


def test_a_damaged_member_and_one_with_a_password_are_told_in_one_line(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("games/a", "abc" * 100)
    whole = archive.read_bytes()
    archive.write_bytes(whole[:40] + b"\xff\xff\xff" + whole[43:])
    with pytest.raises(HeldoutError, match=r"a\.zip is no whole archive: "):
        take(archive, "games", tmp_path / "games")
    locked = bytearray(whole)
    locked[6] |= 1
    locked[whole.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(bytes(locked))
    with pytest.raises(HeldoutError, match=r"a\.zip: 'games/a' cannot be read: .*password"):
        take(archive, "games", tmp_path / "games")
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


@pytest.mark.parametrize("make", [tar_of, zip_of])
def test_contents_are_read_within_bounds(make: Maker, tmp_path: Path) -> None:
    archive = make(tmp_path / "archive", MANY)
    assert dict(contents(archive)) == dict.fromkeys(MANY, b"1")
    with pytest.raises(HeldoutError, match=r"archive holds more than the 0 bytes"):
        list(contents(archive, Bounds(total=4)))
