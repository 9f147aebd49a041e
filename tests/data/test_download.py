"""A download goes on where it stopped, if the source says that the file is still the same."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from heldout.data.download import download
from heldout.errors import BadCall, HeldoutError

OLD, NEW = b"o" * 3_000_000, b"n" * 2_000_000


@dataclass
class Site:
    """A web server of one file; it hangs up after so many bytes, as often as it is told."""

    content: bytes = OLD
    tag: str = '"1"'
    hang_ups: list[int] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """The ranges that it was asked for."""
    users: list[str | None] = field(default_factory=list)
    """Who asked, as the header says it."""
    url: str = ""


@pytest.fixture
def site() -> Iterator[Site]:
    there = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if not self.path.endswith("file.bin"):
                self.send_error(404)
                return
            span = self.headers.get("Range", "")
            there.asked.append(span)
            there.users.append(self.headers.get("Authorization"))
            first = int(span.removeprefix("bytes=").rstrip("-") or 0)
            goes_on = bool(span) and self.headers.get("If-Range") == there.tag
            if goes_on and first >= len(there.content):
                self.send_error(416)
                return
            self._answer(there.content[first:] if goes_on else there.content, 206 if goes_on else 200)

        def do_HEAD(self) -> None:
            self._head(len(there.content), 200)

        def _head(self, length: int, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(length))
            self.send_header("ETag", there.tag)
            self.send_header("X-Repo-Commit", "c" * 40)
            self.end_headers()

        def _answer(self, content: bytes, status: int) -> None:
            self._head(len(content), status)
            self.wfile.write(content[: there.hang_ups.pop(0) if there.hang_ups else None])

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        there.url = f"http://127.0.0.1:{server.server_port}/file.bin"
        yield there
        server.shutdown()
        thread.join()


def silent(_: int) -> None:
    """Hears nothing."""


def test_a_file_comes_whole_and_the_progress_is_told(site: Site, tmp_path: Path) -> None:
    heard = list[int]()
    got = download(site.url, tmp_path, heard.append)
    assert got == tmp_path / "file.bin"
    assert got.read_bytes() == OLD
    assert heard[-1] == len(OLD)
    assert list(tmp_path.iterdir()) == [got]


def test_after_a_hang_up_only_the_rest_is_asked_for(site: Site, tmp_path: Path) -> None:
    site.hang_ups = [1_500_000]
    with pytest.raises(HeldoutError, match=rf"could not fetch {site.url}: "):
        download(site.url, tmp_path, silent)
    here = (tmp_path / "file.bin").stat().st_size
    assert 0 < here < len(OLD)
    assert download(site.url, tmp_path, silent).read_bytes() == OLD
    assert site.asked == ["", f"bytes={here}-"]


def test_a_file_that_changed_in_between_is_begun_anew(site: Site, tmp_path: Path) -> None:
    site.hang_ups = [1_500_000]
    with pytest.raises(HeldoutError):
        download(site.url, tmp_path, silent)
    site.content, site.tag = NEW, '"2"'
    assert download(site.url, tmp_path, silent).read_bytes() == NEW


def test_a_part_of_a_file_that_the_site_gives_no_name_is_begun_anew(site: Site, tmp_path: Path) -> None:
    site.tag, site.hang_ups = 'W/"1"', [1_500_000]
    with pytest.raises(HeldoutError):
        download(site.url, tmp_path, silent)
    assert download(site.url, tmp_path, silent).read_bytes() == OLD
    assert site.asked == ["", ""]


def test_a_part_that_is_all_there_is_begun_anew(site: Site, tmp_path: Path) -> None:
    (tmp_path / "file.bin").write_bytes(OLD)
    (tmp_path / "file.bin.tag").write_text('"1"')
    assert download(site.url, tmp_path, silent).read_bytes() == OLD
    assert site.asked == [f"bytes={len(OLD)}-", ""]


def test_a_file_on_a_disk_is_gone_on_with_too(tmp_path: Path) -> None:
    source, folder = tmp_path / "file.bin", tmp_path / "under way"
    source.write_bytes(b"oldold")
    folder.mkdir()
    (folder / "file.bin").write_bytes(b"NEW")
    state = source.stat()
    (folder / "file.bin.tag").write_text(f"{state.st_size}-{state.st_mtime_ns}")
    assert download(source.as_uri(), folder, silent).read_bytes() == b"NEWold"
    os.utime(source, ns=(0, 0))
    (folder / "file.bin.tag").write_text(f"{state.st_size}-{state.st_mtime_ns}")
    assert download(source.as_uri(), folder, silent).read_bytes() == b"oldold"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("file:///nowhere/file.bin", "could not fetch file:///nowhere/file.bin: .*No such file"),
        ("http://127.0.0.1:9/file.bin", "could not fetch http://127.0.0.1:9/file.bin: .*refused"),
    ],
)
def test_what_cannot_be_fetched_is_one_line(url: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(HeldoutError, match=said) as caught:
        download(url, tmp_path, silent)
    assert "\n" not in str(caught.value)


def test_a_site_that_has_no_such_file_is_told_by_its_answer(site: Site, tmp_path: Path) -> None:
    url = site.url.replace("file.bin", "other.bin")
    with pytest.raises(HeldoutError, match=r"other\.bin: it answers 404 Not Found"):
        download(url, tmp_path, silent)


def test_an_address_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadCall, match="'ftp://x/y' is no address such as https://"):
        download("ftp://x/y", tmp_path, silent)


def test_a_file_at_hugging_face_comes_by_its_own_client(site: Site, tmp_path: Path) -> None:
    site.tag = f'"{sha256(OLD).hexdigest()}"'
    code = (
        "import sys; from pathlib import Path; from heldout.data.download import download\n"
        "print(download('hf://datasets/owner/name@main/deep/file.bin', Path(sys.argv[1]), lambda _: None))"
    )
    endpoint = site.url.removesuffix("/file.bin")
    given = os.environ | {"HF_ENDPOINT": endpoint, "HF_HUB_DISABLE_XET": "1", "HF_HUB_OFFLINE": "0"}
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], env=given, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).read_bytes() == OLD


def test_who_calls_is_said_to_the_source_and_to_nobody_else(site: Site, tmp_path: Path) -> None:
    whole = site.url.replace("http://", "http://me:secret@")
    assert download(whole, tmp_path, lambda _: None).read_bytes() == OLD
    assert site.users == ["Basic bWU6c2VjcmV0"]
    for wrong in (
        f"{whole}?sig=secret",
        whole.replace("file.bin", "no.bin"),
        "http://me:secret@127.0.0.1:1/file.bin",
        "ftp://me:secret@x/y",
    ):
        with pytest.raises(HeldoutError) as told:
            download(wrong, tmp_path, lambda _: None)
        assert "secret" not in str(told.value)
