"""One holder at a time, on machines that only share a disk; who comes too late publishes nothing."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heldout.errors import HeldoutError
from heldout.store.lease import Held, LostLease, hold, holder, unlock
from heldout.store.runs import StageFolder

HOLD = """
import sys, time
from pathlib import Path
from heldout.errors import HeldoutError
from heldout.store.lease import hold
from heldout.store.runs import StageFolder

root, duration = Path(sys.argv[1]), float(sys.argv[2])
with hold(root / ".lease", purpose="train", duration=duration) as lease:
    print("held", flush=True)
    sys.stdin.readline()
    try:
        with StageFolder(root, lease.check).saving(1) as folder:
            (folder / "model").write_text("late")
    except HeldoutError as error:
        print(f"{type(error).__name__}: {error}", flush=True)
    else:
        print("saved", flush=True)
"""

RACE = """
import sys, time
from pathlib import Path
from heldout.store.lease import Held, hold

root = Path(sys.argv[1])
until = time.time() + 20
turns = 0
while turns < 3 and time.time() < until:
    try:
        with hold(root / ".lease", duration=5.0):
            with (root / "log").open("a") as log:
                print("in", sys.argv[2], file=log, flush=True)
                time.sleep(0.01)
                print("out", sys.argv[2], file=log, flush=True)
        turns += 1
    except Held:
        time.sleep(0.005)
"""


@contextmanager
def another(root: Path, duration: float = 5.0) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lease; after a line it tries to save a checkpoint."""
    call = [sys.executable, "-c", HOLD, str(root), str(duration)]
    with subprocess.Popen(call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return process.stdout.readline()


def test_a_second_process_is_kept_out_until_the_first_is_gone(tmp_path: Path) -> None:
    with another(tmp_path) as other:
        match = rf"{tmp_path} is in use by process {other.pid} \(since .*, to train\), whose lease runs out"
        with pytest.raises(Held, match=match), hold(tmp_path / ".lease"):
            pass
        other.send_signal(signal.SIGKILL)
        other.wait()
        with hold(tmp_path / ".lease", purpose="test") as lease:
            found = holder(lease.path)
            assert found is not None
            assert (found.process, found.purpose, found.token) == (os.getpid(), "test", lease.token)
    assert holder(tmp_path / ".lease") is None
    assert [path.name for path in tmp_path.iterdir()] == [".lease.2"]


def test_a_lease_is_given_back_also_where_the_block_fails(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), hold(tmp_path / "new" / ".lease"):
        raise ZeroDivisionError
    with hold(tmp_path / "new" / ".lease"):
        pass


def test_a_lease_is_renewed_while_its_holder_works(tmp_path: Path) -> None:
    with another(tmp_path, duration=0.3) as other:
        time.sleep(1.0)
        with pytest.raises(Held), hold(tmp_path / ".lease"):
            pass
        assert said(other) == "saved\n"


def test_another_host_is_waited_for_until_its_time_is_over(tmp_path: Path) -> None:
    with hold(tmp_path / ".lease", duration=0.2):
        mine = holder(tmp_path / ".lease")
        assert mine is not None
    theirs = replace(mine, host="elsewhere-00000000", process=1, began="", renewed=time.time())
    (tmp_path / ".lease.2").write_text(json.dumps(asdict(theirs)))
    with pytest.raises(Held, match=r"process 1 on elsewhere-00000000"), hold(tmp_path / ".lease"):
        pass
    time.sleep(0.5)
    with hold(tmp_path / ".lease") as lease:
        lease.check()


def test_a_number_that_another_process_has_by_now_holds_nothing(tmp_path: Path) -> None:
    with hold(tmp_path / ".lease") as lease:
        mine = holder(lease.path)
        assert mine is not None
    (tmp_path / ".lease.2").write_text(json.dumps(asdict(replace(mine, began="1"))))
    with hold(tmp_path / ".lease"):
        pass


def test_a_holder_that_slept_too_long_publishes_nothing(tmp_path: Path) -> None:
    with another(tmp_path, duration=0.3) as other:
        other.send_signal(signal.SIGSTOP)
        time.sleep(0.8)
        with hold(tmp_path / ".lease", duration=60) as lease:
            other.send_signal(signal.SIGCONT)
            assert said(other).startswith(f"LostLease: {tmp_path} was taken over by process {os.getpid()}")
            lease.check()
    assert not StageFolder(tmp_path).checkpoints()


def test_a_holder_that_slept_goes_on_where_nobody_came(tmp_path: Path) -> None:
    with another(tmp_path, duration=0.3) as other:
        other.send_signal(signal.SIGSTOP)
        time.sleep(0.8)
        other.send_signal(signal.SIGCONT)
        assert said(other) == "saved\n"
    assert StageFolder(tmp_path).checkpoints() == [1]


def test_people_can_take_a_lease_away(tmp_path: Path) -> None:
    with another(tmp_path) as other:
        found = unlock(tmp_path / ".lease")
        assert found is not None
        assert found.process == other.pid
        assert said(other).startswith(f"LostLease: {tmp_path} was taken over by somebody")
    assert unlock(tmp_path / ".lease") is None


@pytest.mark.slow
def test_of_many_that_race_for_an_expired_lease_one_is_in_at_a_time(tmp_path: Path) -> None:
    with hold(tmp_path / ".lease") as lease:
        mine = holder(lease.path)
        assert mine is not None
    (tmp_path / ".lease.2").write_text(json.dumps(asdict(replace(mine, host="elsewhere-00000000", renewed=0.0))))
    calls = [[sys.executable, "-c", RACE, str(tmp_path), str(number)] for number in range(12)]
    processes = [subprocess.Popen(call) for call in calls]
    assert [process.wait() for process in processes] == [0] * len(calls)
    lines = [line.split() for line in (tmp_path / "log").read_text().splitlines()]
    assert len(lines) >= 2 * len(calls)
    for (came, who), (left, same) in zip(lines[::2], lines[1::2], strict=True):
        assert (came, left, who) == ("in", "out", same)


@given(st.binary(max_size=40))
def test_a_file_that_says_nothing_is_held_by_nobody(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("lease") / ".lease"
    path.with_name(".lease.1").write_bytes(content)
    assert holder(path) is None
    with hold(path) as lease:
        lease.check()


def test_a_folder_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(HeldoutError, match=r"could not lock .*file/run"),
        hold(tmp_path / "file" / "run" / ".lease"),
    ):
        pass


def test_what_is_lost_is_said_to_be_lost(tmp_path: Path) -> None:
    with hold(tmp_path / ".lease") as lease:
        (tmp_path / ".lease.1").unlink()
        with pytest.raises(LostLease, match="nothing more is written here"):
            lease.check()


STOP = """
import json, os, signal, sys, time
from pathlib import Path
from heldout.errors import HeldoutError
from heldout.store.lease import hold
from heldout.store.runs import StageFolder

root, event = Path(sys.argv[1]), sys.argv[2]
seen = []

def stop_once(name, arguments):
    # The process stops in the middle of a renewal: its look is behind it, its rename is not.
    if armed and not seen and name == event and "partial" in str(arguments[0]):
        seen.append(name)
        print("stopped", flush=True)
        os.kill(os.getpid(), signal.SIGSTOP)

armed = []
sys.addaudithook(stop_once)
with hold(root / ".lease", purpose="train", duration=0.3) as lease:
    print("held", flush=True)
    armed.append(True)
    sys.stdin.readline()
    try:
        with StageFolder(root, lease.check).saving(1) as folder:
            (folder / "model").write_text("late")
    except HeldoutError as error:
        print(f"{type(error).__name__}: {error}", flush=True)
    else:
        print("saved", flush=True)
"""


def test_a_holder_that_is_stopped_in_the_middle_of_a_renewal_publishes_nothing(tmp_path: Path) -> None:
    call = [sys.executable, "-c", STOP, str(tmp_path), "os.rename"]
    with subprocess.Popen(call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert [other.stdout.readline() for _ in range(2)] == ["held\n", "stopped\n"]
        time.sleep(0.8)
        with hold(tmp_path / ".lease", duration=60) as lease:
            other.send_signal(signal.SIGCONT)
            time.sleep(0.5)  # its renewal is over by now
            lease.check()
            assert said(other).startswith(f"LostLease: {tmp_path} was taken over by process {os.getpid()}")
            lease.check()
    assert not StageFolder(tmp_path).checkpoints()


def test_a_lease_that_cannot_be_looked_at_is_nobody_s_to_take(tmp_path: Path) -> None:
    """A folder in its place, which no user may read as a file, stands for a disk that is away."""
    (tmp_path / ".lease.1").mkdir()
    with pytest.raises(HeldoutError, match=r"could not lock .*: Is a directory"), hold(tmp_path / ".lease"):
        pass


def test_who_looked_long_ago_makes_no_number_that_counts(tmp_path: Path) -> None:
    """Numbers that were removed since can be made again; a higher one tells."""
    for _ in range(3):
        with hold(tmp_path / ".lease"):
            pass
    assert [path.name for path in tmp_path.iterdir()] == [".lease.3"]
    with hold(tmp_path / ".lease") as lease:
        (tmp_path / ".lease.2").write_text("{}")
        lease.check()
        with pytest.raises(Held, match=r"whose lease runs out in \d+ s unless renewed"), hold(tmp_path / ".lease"):
            pass
