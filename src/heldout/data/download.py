"""One file brought here: what came of it before a stop is kept, and gone on with."""

import logging
import os
import shutil
import sys
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import BinaryIO
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, url2pathname, urlopen

from huggingface_hub import hf_hub_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

from heldout.addresses import split_credentials, without_credentials
from heldout.data.sums import CHUNK
from heldout.errors import BadCall, HeldoutError

TIMEOUT = 60
"""Seconds without a byte."""

Tell = Callable[[int], None]
"""Hears how many bytes are here."""


def download(url: str, folder: Path, tell: Tell, most: int = sys.maxsize) -> Path:
    """The file at an address, whole, in a folder for what is under way; raises `HeldoutError` where it cannot be.

    What has more than `most` bytes is refused, and nothing of it is kept.

    Called again after a stop it goes on, where the source says that the file is still the same.
    """
    folder.mkdir(parents=True, exist_ok=True)
    scheme, shown = urlsplit(url).scheme, without_credentials(url)
    tell = _bounded(tell, shown, folder, most)
    if scheme not in ("hf", "http", "https", "file"):
        raise BadCall(f"{shown!r} is no address such as https://… or file://…")
    try:
        if scheme == "hf":
            return _from_hub(url, folder)
        target = folder / Path(urlsplit(url).path).name
        (_from_disk if scheme == "file" else _from_web)(url, target, tell)
        return target
    except HTTPError as error:
        raise HeldoutError(f"could not fetch {shown}: it answers {error.code} {error.reason}") from None
    except (OSError, HTTPException, HfHubHTTPError, LocalEntryNotFoundError) as error:
        first, *_ = str(getattr(error, "reason", "") or error).strip().splitlines() or [type(error).__name__]
        raise HeldoutError(f"could not fetch {shown}: {without_credentials(first)}") from None


def _bounded(tell: Tell, url: str, folder: Path, most: int) -> Tell:
    """Tells, and ends a download that has become too long."""

    def hear(here: int) -> None:
        if here > most:
            shutil.rmtree(folder)
            raise HeldoutError(f"{url} is longer than the {most:,} bytes that it may have: nothing of it was kept")
        tell(here)

    return hear


def _from_hub(url: str, folder: Path) -> Path:
    """By Hugging Face's own client: HF_ENDPOINT, HF_TOKEN and HF_HUB_OFFLINE are its to know."""
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # what it tells of its tries, we tell in one line
    kind, owner, rest, path = url.removeprefix("hf://").split("/", 3)
    name, _, revision = rest.partition("@")
    got = hf_hub_download(
        f"{owner}/{name}", path, repo_type=kind.removesuffix("s"), revision=revision, local_dir=folder
    )
    return Path(got)


def _from_web(url: str, target: Path, tell: Tell) -> None:
    here, tag = _partial_size(target)
    headers = {"Range": f"bytes={here}-", "If-Range": tag} if here else {}
    try:
        answer = urlopen(_request(url, headers), timeout=TIMEOUT)
    except HTTPError as error:
        if error.code != 416:  # nothing is left to send: the file is another one, or all of it is here
            raise
        target.unlink()
        answer, here = urlopen(_request(url, {}), timeout=TIMEOUT), 0
    with answer:
        here = here if answer.status == 206 else 0
        length = answer.headers["Content-Length"]
        total = here + int(length) if length else None
        _keep(answer, target, here, answer.headers["ETag"] or answer.headers["Last-Modified"] or "", tell)
    if total is not None and target.stat().st_size != total:
        raise HeldoutError(
            f"could not fetch {without_credentials(url)}: it ended after {target.stat().st_size} of {total} bytes"
        )
    _tag_of(target).unlink(missing_ok=True)


def _request(url: str, headers: dict[str, str]) -> Request:
    """A request that says who its address says is calling, and says it to nobody that it is sent on to."""
    address, authorization = split_credentials(url)
    request = Request(address, headers=headers)
    for name, value in authorization.items():
        request.add_unredirected_header(name, value)
    return request


def _from_disk(url: str, target: Path, tell: Tell) -> None:
    here, tag = _partial_size(target)
    with Path(url2pathname(urlsplit(url).path)).open("rb") as source:
        state = os.fstat(source.fileno())
        now = f"{state.st_size}-{state.st_mtime_ns}"
        here = here if tag == now else 0
        source.seek(here)
        _keep(source, target, here, now, tell)
    _tag_of(target).unlink(missing_ok=True)


def _partial_size(target: Path) -> tuple[int, str]:
    """How much of a file is here, and which file it is of; what is of an unknown one is begun anew."""
    tag = _tag_of(target)
    if not (target.exists() and tag.exists()):
        return 0, ""
    return target.stat().st_size, tag.read_text("utf-8")


def _tag_of(target: Path) -> Path:
    """Where is kept which file a part is of; a whole file has none."""
    return target.with_name(f"{target.name}.tag")


def _keep(source: "BinaryIO", target: Path, here: int, tag: str, tell: Tell) -> None:
    """Adds what comes to what is here."""
    if not here:
        target.unlink(missing_ok=True)
        _tag_of(target).unlink(missing_ok=True)
        if tag and not tag.startswith("W/"):  # a weak tag does not promise the same bytes
            _tag_of(target).write_text(tag, "utf-8")
    with target.open("ab") as file:
        while chunk := source.read(CHUNK):
            file.write(chunk)
            here += len(chunk)
            tell(here)
        file.flush()
        os.fsync(file.fileno())
