import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from heldout.errors import HeldoutError
from heldout.store.runs import StageFolder, StudyFolder


def test_paths_are_those_of_the_design() -> None:
    study = StudyFolder(Path("runs/demo"))
    stage = study.stage("babyai.easy > babyai.hard", seed=3)
    evaluation = study.evaluation("base", step=0, seed=3)
    assert study.study == Path("runs/demo/study.json")
    assert study.report == Path("runs/demo/report")
    assert stage.root == Path("runs/demo/stages/babyai.easy--babyai.hard/seed_3")
    assert stage.metrics.path == stage.root / "metrics.jsonl"
    assert stage.rollouts(7).path == stage.root / "rollouts/step_7.jsonl.zst"
    assert stage.checkpoint(10) == stage.root / "checkpoints/step_10"
    assert (stage.config.name, stage.done.name) == ("config.json", "done.json")
    assert evaluation.rows("babyai").path == Path("runs/demo/evaluations/base@0/seed_3/babyai.jsonl")
    assert evaluation.trajectories("babyai").path.parent == evaluation.root
    rows = evaluation.rows("agentgym:babyai@http://localhost:80")
    assert rows.path == evaluation.root / "agentgym-babyai@http-localhost-80~76f9233c.jsonl"


def save(stage: StageFolder, step: int, content: str = "weights") -> None:
    with stage.saving(step) as folder:
        (folder / "model.safetensors").write_text(content)


def test_the_latest_checkpoint_is_by_number(tmp_path: Path) -> None:
    stage = StageFolder(tmp_path)
    assert stage.latest() is None
    for step in (2, 10, 9):
        save(stage, step)
    assert stage.checkpoints() == [2, 9, 10]
    assert stage.latest() == 10


def save_half(stage: StageFolder, step: int) -> None:
    with stage.saving(step) as folder:
        (folder / "model.safetensors").write_text("half")
        raise ZeroDivisionError


def test_a_checkpoint_counts_only_when_all_of_it_is_there(tmp_path: Path) -> None:
    stage = StageFolder(tmp_path)
    save(stage, 1)
    with pytest.raises(ZeroDivisionError):
        save_half(stage, 2)
    (stage.checkpoint(3).parent / ".step_3.1.partial").mkdir()
    assert stage.latest() == 1
    assert {path.name for path in stage.checkpoint(2).parent.iterdir()} == {"step_1", ".step_3.1.partial"}


def test_a_disk_that_refuses_a_checkpoint_is_one_line(tmp_path: Path) -> None:
    with (
        pytest.raises(HeldoutError, match=r"could not save .*step_4: No space left"),
        StageFolder(tmp_path).saving(4),
    ):
        raise OSError(28, "No space left on device")


def test_a_checkpoint_made_again_replaces_the_old_one(tmp_path: Path) -> None:
    stage = StageFolder(tmp_path)
    save(stage, 1, "old")
    save(stage, 1, "new")
    assert (stage.checkpoint(1) / "model.safetensors").read_text() == "new"


HOLDER = """
import sys
from pathlib import Path
from heldout.store.runs import StudyFolder

with StudyFolder(Path(sys.argv[1])).lock():
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def holder(root: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock of a study, until it is killed."""
    call = [sys.executable, "-c", HOLDER, str(root)]
    with subprocess.Popen(call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_process_is_kept_out_until_the_first_is_gone(tmp_path: Path) -> None:
    with holder(tmp_path) as other:
        said = f"{tmp_path} is in use by process {other.pid}: wait for it, or choose another folder"
        with pytest.raises(HeldoutError, match=said), StudyFolder(tmp_path).lock():
            pass
    with StudyFolder(tmp_path).lock():
        assert (tmp_path / ".lock").read_text() == str(os.getpid())


def test_a_lock_is_let_go_of(tmp_path: Path) -> None:
    for _ in range(2):
        with StudyFolder(tmp_path / "new").lock():
            pass
