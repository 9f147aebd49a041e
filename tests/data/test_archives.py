"""What is taken out of an archive is the folder that is asked for, and nothing lands outside of it."""

import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from heldout.data.archives import take
from heldout.data.sums import contents_of
from heldout.errors import HeldoutError


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
