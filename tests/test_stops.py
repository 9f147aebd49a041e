"""Stopped from outside at any moment: one line, the shell's status, and nothing left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from heldout.__main__ import main
from heldout.errors import HeldoutError
from heldout.starting import without_interrupts
from heldout.stops import STATUSES, WORDS, Stops
from heldout.store.hosts import is_gone

TRAIN = "train --model pocket --env textcraft --set train.tasks=4 train.steps=50 processes=2 --out run"
ENVS = [sys.executable, "-m", "heldout", "envs"]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "tmp").mkdir()
    yield tmp_path
    left = [path.name for path in (tmp_path / "tmp").iterdir()]
    assert [name for name in left if not name.startswith("torchinductor_")] == []  # torch's own cache, of any run


def stopped(words: str, number: signal.Signals, seconds: float, place: Path) -> tuple[int, str]:
    """A command line that a signal ends after so many seconds, as a terminal sends it: to all of its processes."""
    with subprocess.Popen(
        [sys.executable, "-m", "heldout", *words.split()],
        cwd=place,
        env=os.environ | {"TMPDIR": str(place / "tmp")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as running:
        time.sleep(seconds)
        os.killpg(running.pid, number)
        _, err = running.communicate(timeout=60)
        assert have_ended(running.pid)
    return running.returncode, err


def have_ended(group: int, seconds: float = 10) -> bool:
    """Whether no process of a group is left; the last to end are taken away by the system, which may be busy."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.slow
@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("number", STATUSES)
def test_a_training_that_is_stopped_while_its_workers_start_ends_in_one_line(
    number: signal.Signals, place: Path
) -> None:
    for seconds in (0.3, 2.5, 4.0):
        status, err = stopped(TRAIN, number, seconds, place)
        told = [line for line in err.splitlines() if line.startswith("heldout:") or "Traceback" in line]
        assert (status, told) == (STATUSES[number], [f"heldout: {WORDS[number]}"]), err


FIRST = """
import signal
from multiprocessing import get_context

from heldout.starting import without_interrupts


def look(pipe):
    pipe.send(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ()))


if __name__ == "__main__":
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    with without_interrupts():
        context.Process(target=look, args=(theirs,)).start()
    print(ours.recv())
"""


def test_the_first_process_of_a_program_never_hears_ctrl_c(tmp_path: Path) -> None:
    """With it multiprocessing starts its tracker, and unblocks SIGINT on the way."""
    (tmp_path / "first.py").write_text(FIRST)
    ran = subprocess.run([sys.executable, "first.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("True\n", "")


@pytest.mark.parametrize("number", STATUSES)
def test_a_stop_while_a_process_is_started_waits_until_it_is(number: signal.Signals) -> None:
    done = list[str]()

    def start() -> None:
        with without_interrupts():
            stops._stop(number, None)  # as where another thread is given the signal: no mask holds that back
            done.append("started")

    with Stops() as stops:
        with pytest.raises(KeyboardInterrupt):
            start()
        assert (stops.signal, done) == (number, ["started"])


def test_a_stop_while_a_library_evaluates_text_has_its_own_status(tmp_path: Path) -> None:
    """Python would end itself by SIGINT, whatever the signal was."""
    suite = "exec('import os, signal, time; os.kill(os.getpid(), signal.SIGTERM); time.sleep(5)')"
    (tmp_path / "stopping.py").write_text(suite)
    call = [sys.executable, "-m", "heldout", "evaluate", "--model", "random", "--env", "stopping:suite"]
    ran = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (143, "heldout: terminated\n")


@pytest.mark.very_slow
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("interruptible")
def test_whenever_a_training_is_stopped_it_ends_in_one_line(place: Path) -> None:
    chance = Random(0)
    for _ in range(30):
        number, seconds = chance.choice(list(STATUSES)), chance.uniform(0.15, 15)
        holds_a_run = any((place / "run").rglob("config.json"))
        status, err = stopped(f"{TRAIN} --resume" if holds_a_run else TRAIN, number, seconds, place)
        told = [line for line in err.splitlines() if line.startswith("heldout:") or "Traceback" in line]
        assert (status, told) == (STATUSES[number], [f"heldout: {WORDS[number]}"]), (seconds, err)


def test_on_windows_it_says_where_it_runs_and_asks_after_no_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """There os.kill(number, 0) would end the process that is asked after."""
    monkeypatch.setattr(sys, "platform", "win32")
    assert main() == 1
    assert capsys.readouterr().err == "heldout: heldout runs on Linux and macOS; on Windows run it in WSL\n"
    with pytest.raises(HeldoutError, match="on Windows run it in WSL"):
        is_gone(os.getpid())


def test_a_stop_is_told_from_the_failure_that_a_library_makes_of_it() -> None:
    def load() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        except KeyboardInterrupt:
            raise ImportError("some module cannot be loaded") from None

    with Stops() as stops, pytest.raises(ImportError):
        load()
    assert stops.signal == signal.SIGTERM


def test_what_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Stops() as stops:
            signal.raise_signal(signal.SIGINT)
        assert stops.signal is None
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_is_heard_after_a_process_was_started_and_never_by_that_process() -> None:
    begun = []

    def start() -> None:
        with without_interrupts():
            signal.raise_signal(signal.SIGINT)
            child = "import signal; signal.raise_signal(signal.SIGINT); print('alive')"
            done = subprocess.run([sys.executable, "-c", child], capture_output=True, text=True, check=False)
            begun.append(done.stdout)

    with Stops() as stops, pytest.raises(KeyboardInterrupt):
        start()
    assert (begun, stops.signal) == (["alive\n"], signal.SIGINT)


@pytest.mark.parametrize("streams", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(
    "words",
    [
        "envs",
        "play textcraft",
        pytest.param("evaluate --model oracle --envs textcraft --limit 1", marks=pytest.mark.very_slow),
    ],
)
def test_closed_streams_are_no_error(words: str, streams: str, tmp_path: Path) -> None:
    call = f"{sys.executable} -m heldout {words} {streams}"
    done = subprocess.run(["sh", "-c", call], cwd=tmp_path, capture_output=True, text=True, check=False, input="")
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    for file in tmp_path.rglob("*.json"):
        assert file.read_text().startswith("{"), "nothing was printed into a file that took a stream's number"


@pytest.mark.parametrize("encoding", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C"}, {"LC_ALL": "POSIX"}])
def test_a_stream_that_has_only_ascii_shows_other_signs_escaped(encoding: dict[str, str]) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG"))}
    done = subprocess.run(ENVS, env=clean | encoding, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert ("\\u2713" in done.stdout.decode()) == ("PYTHONIOENCODING" in encoding)
