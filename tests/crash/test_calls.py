"""What the command line says where it cannot write, or must not: one line, status 1, and nothing half-written."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from heldout.cli import main
from heldout.store.files import read_json, replace_json

Content = Callable[[Path], dict[str, object]]
Refused = Callable[[str, Path], str]

EVALUATE = "evaluate --model oracle --envs textcraft --metric avg@2 --limit 20 --json"
TRAIN = "train --model pocket --env textcraft --difficulty easy"
CALLS = [EVALUATE, TRAIN, "demo"]
PROGRESS = ("loading ", "train textcraft", "evaluate textcraft")

HOLDER = """
import sys
from pathlib import Path
from heldout.store.lease import hold

with hold(Path(sys.argv[1]) / ".lease"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def refused(capfd: pytest.CaptureFixture[str]) -> Refused:
    """Calls the command line, which fails, and gives the one line that it and all its processes say."""

    def call(words: str, out: Path) -> str:
        capfd.readouterr()
        assert main([*words.split(), "--out", str(out)]) == 1
        captured = capfd.readouterr()
        lines = [line for line in captured.err.splitlines() if not line.startswith(PROGRESS)]
        assert (len(lines), captured.out) == (1, ""), captured.err
        return lines[0]

    return call


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[Path]:
    """A file system of its own, in memory."""
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "none", folder], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def remount(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", folder], check=True)


@pytest.mark.parametrize("call", CALLS)
def test_a_second_process_is_refused_with_the_number_of_the_first_until_that_is_killed(
    call: str, refused: Refused, tmp_path: Path
) -> None:
    holder = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(holder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout
        assert first.stdout.readline() == "held\n"
        said = refused(call, tmp_path)
        assert said.startswith(f"heldout: {tmp_path} is in use by process {first.pid} (since ")
        assert said.endswith("wait for it, choose another folder, or take it away with heldout study unlock")
        first.send_signal(signal.SIGKILL)
    assert main([*EVALUATE.split(), "--out", str(tmp_path)]) == 0


@pytest.mark.parametrize("call", CALLS)
def test_a_folder_that_cannot_be_written_is_told_in_one_line(call: str, refused: Refused, tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "ro") as disk:
        assert refused(call, disk / "run") == f"heldout: could not lock {disk}/run: Read-only file system"


def test_a_run_whose_folder_became_read_only_is_told_in_one_line_and_stays(
    refused: Refused, content: Content, tmp_path: Path
) -> None:
    with mounted(tmp_path / "disk", "size=4m") as disk:
        assert main([*EVALUATE.split(), "--limit", "2", "--out", str(disk / "run")]) == 0
        before = content(disk)
        remount(disk, "ro")
        assert refused(EVALUATE, disk / "run") == f"heldout: could not lock {disk}/run: Read-only file system"
        assert content(disk) == before


@pytest.mark.slow
@pytest.mark.parametrize("size", range(4, 36, 4))
def test_an_evaluation_on_a_full_disk_goes_on_when_there_is_room(
    size: int, refused: Refused, content: Content, tmp_path: Path
) -> None:
    assert main([*EVALUATE.split(), "--out", str(tmp_path / "run")]) == 0
    with mounted(tmp_path / "disk", f"size={size}k") as disk:
        said = refused(EVALUATE, disk / "run")
        assert said.startswith("heldout: could not ")
        assert said.endswith(": No space left on device")
        assert not list(disk.rglob("*.partial"))
        remount(disk, "size=4m")
        assert main([*EVALUATE.split(), "--out", str(disk / "run")]) == 0
        assert content(disk / "run") == content(tmp_path / "run")


@pytest.mark.very_slow
def test_a_checkpoint_on_a_full_disk_is_one_line_and_the_training_goes_on_when_there_is_room(
    tiny: Path, refused: Refused, content: Content, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    call = f"train --model {tiny} --env textcraft --difficulty easy --n-samples 2 --max-turns 1 --set processes=1"
    call += " train.steps=2 train.tasks=2 train.save_every=1 limits.reply_tokens=4"
    assert main([*call.split(), "--out", "run"]) == 0
    with mounted(tmp_path / "disk", "size=100k") as disk:
        said = refused(call, disk / "run")
        assert said.startswith(
            f"heldout: could not write {disk}/run/stages/textcraft.easy/seed_0/checkpoints/.step_1."
        )
        assert "No space left on device" in said
        assert not list(disk.rglob("*.partial"))
        remount(disk, "size=16m")
        assert main([*call.split(), "--resume", "--out", str(disk / "run")]) == 0
        assert content(disk / "run") == content(tmp_path / "run")


@pytest.mark.parametrize(
    ("call", "name"), [(EVALUATE, "study.json"), ("demo", "study.json"), (TRAIN, "config.json")]
)
def test_a_folder_of_a_newer_heldout_is_refused_with_both_numbers(
    call: str, name: str, refused: Refused, tmp_path: Path
) -> None:
    stage = tmp_path / "stages" / "textcraft.easy" / "seed_0"
    path = (stage if name == "config.json" else tmp_path) / name
    replace_json(path, {"schema": 3})
    again = call.replace("train", "train --resume")
    assert refused(again, tmp_path) == (
        f"heldout: {path} has schema 3, and this heldout knows 2: "
        "use the heldout that wrote it, or choose another folder with --out"
    )
    assert read_json(path) == {"schema": 3}


@pytest.mark.parametrize("text", ['{"schema": 1', "[]", "7"])
def test_a_file_of_a_run_that_holds_something_else_is_told_in_one_line(
    text: str, refused: Refused, tmp_path: Path
) -> None:
    (tmp_path / "study.json").write_text(text)
    assert refused(EVALUATE, tmp_path).startswith(f"heldout: {tmp_path}/study.json ")


def test_what_is_printed_to_a_full_disk_is_missed_in_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "heldout", "envs"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("heldout: ")
    assert done.stderr.endswith("No space left on device\n")
