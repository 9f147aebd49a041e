from pathlib import Path

import pytest

from heldout.errors import HeldoutError
from heldout.paths import stays_inside
from heldout.store.runs import StageFolder, StudyFolder, last_checkpoints


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


def test_a_step_that_was_made_twice_has_its_last_row_and_breaks_nothing(tmp_path: Path) -> None:
    """What a process may add that was stopped just before, and woke up after another had taken its place."""
    metrics = StageFolder(tmp_path).metrics
    for step, reward in ((1, 0.1), (2, 0.2), (2, 0.3), (3, 0.4), (4, 0.5)):
        metrics.add({"step": step, "reward": reward})
    assert [(row["step"], row["reward"]) for row in metrics] == [(1, 0.1), (2, 0.3), (3, 0.4), (4, 0.5)]
    assert (metrics.whole(), len(metrics)) == (4, 4)
    metrics.cut_to(2)
    metrics.add({"step": 3, "reward": 0.6})
    assert (metrics.whole(), len(metrics)) == (3, 3)


def test_the_last_checkpoint_of_each_training_is_found_from_any_folder_above_it(tmp_path: Path) -> None:
    study = StudyFolder(tmp_path / "runs" / "mine")
    for chain, seed, step in (("babyai", 0, 5), ("babyai", 0, 10), ("babyai", 1, 10)):
        study.stage(chain, seed).checkpoint(step).mkdir(parents=True)
    first, second = (study.stage("babyai", seed).checkpoint(10) for seed in (0, 1))
    for folder in (tmp_path / "runs", study.root, study.root / "stages", first.parents[2]):
        assert last_checkpoints(folder) == [first, second]
    assert last_checkpoints(first.parents[1]) == [first]
    assert last_checkpoints(tmp_path / "nowhere") == []


@pytest.mark.parametrize(
    "name",
    [
        "../../etc",
        "/etc/passwd",
        "..",
        ".",
        "",
        "a\0b",
        "a\\..\\..\\b",
        "C:\\a",
        "x" * 300,
        "nul",
        "con.easy",
        "COM1",
        "half \ud83d",
        "a\nb",
        "\x1b[2J",
        "aux",
        "~",
        "$HOME",
        "-rf",
        "a:b",
    ],
)
def test_no_name_from_outside_leads_out_of_the_runs_folder(name: str, tmp_path: Path) -> None:
    study = StudyFolder(tmp_path)
    evaluation = study.evaluation(name, step=0, seed=0)
    files = [evaluation.rows(name).path, evaluation.trajectories(name).path, evaluation.lease(name)]
    files += [study.stage(name, seed=0).metrics.path]
    for path in files:
        below = path.relative_to(tmp_path).parts
        assert stays_inside("/".join(below))
        assert len(below) == 4
        assert all(len(part) < 200 for part in below)
        stems = {part.lower().partition(".")[0] for part in below}
        assert not stems & {"nul", "con", "com1", "aux"}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*")} == {"evaluations", "stages"}
