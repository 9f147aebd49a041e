import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from heldout.errors import HeldoutError
from heldout.store.folders import damage, replacing, sweep
from heldout.store.hosts import host_digits


def fill(folder: Path, content: str) -> None:
    with replacing(folder, accounted=True) as partial:
        (partial / "model").write_text(content)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


def gone() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_folder_is_replaced_whole_and_accounts_for_its_files(tmp_path: Path) -> None:
    for content in ("old", "new"):
        fill(tmp_path / "runs" / "saved", content)
    assert names(tmp_path) == ["files.json", "model", "runs", "saved"]
    assert (tmp_path / "runs" / "saved" / "model").read_text() == "new"
    assert damage(tmp_path / "runs" / "saved") is None


def test_a_folder_that_could_not_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    fill(tmp_path / "saved", "old")

    def save() -> None:
        with replacing(tmp_path / "saved") as partial:
            (partial / "model").write_text("half")
            raise OSError(28, "No space left on device")

    with pytest.raises(HeldoutError, match=r"could not save .*saved: No space left"):
        save()
    assert names(tmp_path) == ["files.json", "model", "saved"]
    assert damage(tmp_path / "saved") is None


def test_what_a_killed_process_left_of_a_folder_is_removed_when_it_is_written_again(tmp_path: Path) -> None:
    left = tmp_path / f".saved.{host_digits()}.{gone()}.partial"
    left.mkdir()
    (left / "model").write_text("half")
    fill(tmp_path / "saved", "new")
    assert names(tmp_path) == ["files.json", "model", "saved"]


def test_what_killed_processes_left_is_swept_away_and_nothing_else(tmp_path: Path) -> None:
    ended, other = gone(), os.getppid()
    here, elsewhere = host_digits(), "0123abcd"
    kept = [
        f".page.md.{here}.{other}.partial",
        ".config.json.partial",
        "notes.1.partial",
        ".lease",
        "metrics.jsonl",
    ]
    kept += [f".page.md.{elsewhere}.{ended}.partial"]
    for name in (*kept, f".page.md.{here}.{ended}.partial", f".page.md.{here}.{os.getpid()}.partial"):
        (tmp_path / name).write_text("")
    (tmp_path / "stages" / f".step_2.{here}.{ended}.partial").mkdir(parents=True)
    old = tmp_path / f".old.md.{elsewhere}.{other}.partial"
    old.write_text("")
    os.utime(old, (0, 0))
    sweep(tmp_path)
    assert names(tmp_path) == sorted([*kept, "stages"])


def test_an_account_that_names_a_file_elsewhere_is_damaged(tmp_path: Path) -> None:
    fill(tmp_path / "made", "content")
    account = json.loads((tmp_path / "made" / "files.json").read_text())
    (tmp_path / "made" / "files.json").write_text(json.dumps({**account, "files": {"../other": {}}}))
    assert str(damage(tmp_path / "made")).endswith("is damaged: '../other' is no place in its folder")
