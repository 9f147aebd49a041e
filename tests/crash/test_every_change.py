"""Killed, or refused by a full disk, at every single change that a run makes to the disk: nothing is lost."""

import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, final

import pytest

from heldout.errors import HeldoutError
from heldout.seeds import stream

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")]

Work = Callable[[Path], object]
Content = Callable[[Path], dict[str, object]]
Straight = tuple[Work, dict[str, object]]

CREATES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate"}


@final
class Crash:
    """Sees every change to the disk by Python's audit events; from the n-th on it does what crashes."""

    def __init__(self, at: int, act: Callable[[str], None]) -> None:
        self._left, self._act = at, act

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """An audit hook."""
        if event in CHANGES or (event == "open" and arguments[2] & CREATES):
            self._left -= 1
            if self._left <= 0:
                self._act(event)


def kill(event: str) -> None:
    """The process is gone before the change is made."""
    del event
    os.kill(os.getpid(), signal.SIGKILL)


def refuse(event: str) -> None:
    """The disk takes nothing new; what is there can be moved and removed."""
    if event in ("open", "os.mkdir"):
        raise OSError(28, "No space left on device")


def forked(work: Work, root: Path, prepare: Callable[[], object] = lambda: None) -> tuple[int, str]:
    """Does the work in a fork; its status (0, 1 for a failure, minus the signal that ended it) and what it told."""
    reader, writer = os.pipe()
    if child := os.fork():
        os.close(writer)
        with os.fdopen(reader, encoding="utf-8") as told:
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), told.read()
    status = 3
    try:
        prepare()
        work(root)
        status = 0
    except (HeldoutError, OSError) as error:
        os.write(writer, f"{error}\n".encode())
        status = 1
    except BaseException:
        os.write(writer, traceback.format_exc().encode())
    finally:
        os._exit(status)


def crashing(change: int, act: Callable[[str], None]) -> Callable[[], None]:
    """Prepares a fork for a crash."""
    return partial(sys.addaudithook, Crash(change, act))


@pytest.fixture(params=[pytest.param("training", marks=pytest.mark.very_slow), "evaluation"])
def straight(request: pytest.FixtureRequest, works: dict[str, Work], content: Content, tmp_path: Path) -> Straight:
    """Some work, and the files that it leaves when nobody stops it."""
    work = works[request.param]
    assert forked(work, tmp_path / "straight" / "run") == (0, "")
    return work, content(tmp_path / "straight" / "run")


def test_killed_before_any_change_and_again_while_going_on_the_files_are_those_of_a_run_never_stopped(
    straight: Straight, content: Content, tmp_path: Path
) -> None:
    work, wanted = straight
    again = stream(0, "second kills")
    for change in count(1):
        root = tmp_path / f"{change}" / "run"
        status, _ = forked(work, root, crashing(change, kill))
        if status == 0:
            break
        assert status == -signal.SIGKILL
        forked(work, root, crashing(again.randint(1, 60), kill))
        assert forked(work, root) == (0, "")
        assert content(root) == wanted, f"killed before change {change}"
    assert change > 12


def test_a_disk_that_is_full_from_any_change_on_is_one_line_and_nothing_is_lost(
    straight: Straight, content: Content, tmp_path: Path
) -> None:
    work, wanted = straight
    for change in count(1):
        root = tmp_path / f"{change}" / "run"
        status, told = forked(work, root, crashing(change, refuse))
        if status == 0:
            break
        assert (status, told.count("\n")) == (1, 1), told
        assert told.startswith("could not ")
        assert told.endswith(": No space left on device\n")
        assert forked(work, root) == (0, "")
        assert content(root) == wanted, f"full from change {change} on"
    assert change > 10


def test_a_write_with_room_for_a_part_of_it_only_is_one_line_and_nothing_is_lost(
    straight: Straight, content: Content, tmp_path: Path
) -> None:
    work, wanted = straight
    most = max(len(held) for held in wanted.values() if isinstance(held, bytes))
    for size in range(1, most, most // 12):
        root = tmp_path / f"{size}" / "run"
        status, told = forked(work, root, partial(resource.setrlimit, resource.RLIMIT_FSIZE, (size, size)))
        assert (status, told.count("\n")) == (1, 1), told
        assert told.startswith("could not ")
        assert told.endswith(": File too large\n")
        assert not list(root.rglob("*.partial"))
        assert forked(work, root) == (0, "")
        assert content(root) == wanted, f"room for {size} bytes"
