"""Files cut short, changed, lost, or written by a heldout of another time: named in one line, or replayed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from heldout.errors import HeldoutError
from heldout.store.files import read_json, replace_json
from heldout.store.runs import EvaluationFolder, StageFolder, StudyFolder
from heldout.training.job import Job

Work = Callable[[Path], object]
Content = Callable[[Path], dict[str, object]]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def change(path: Path) -> None:
    path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])


def scribble(path: Path) -> None:
    path.write_bytes(b'{"files": ')


def forget(path: Path) -> None:
    replace_json(path, {"schema": 2})


def newer(path: Path) -> None:
    replace_json(path, {**read_json(path), "schema": 7})


@pytest.fixture
def trained(training: Work, tmp_path: Path, job: Job) -> StageFolder:
    """Four steps, with checkpoints after two and four."""
    training(tmp_path / "run")
    return StudyFolder(tmp_path / "run").stage(job.name, 0)


@pytest.fixture
def measured(evaluation: Work, tmp_path: Path) -> EvaluationFolder:
    """Forty episodes in three rounds."""
    evaluation(tmp_path / "run")
    return StudyFolder(tmp_path / "run").evaluation("base", 0, 0)


@pytest.mark.parametrize(
    ("name", "damage", "said"),
    [
        ("model.json", cut, r"model\.json is damaged: its \d+ bytes are not what was written"),
        ("optimizer.json", change, r"optimizer\.json is damaged: its \d+ bytes are not what was written"),
        ("optimizer.json", Path.unlink, r"optimizer\.json is missing"),
        ("files.json", Path.unlink, r"could not read .*files\.json: No such file or directory"),
        ("files.json", scribble, r"files\.json is damaged: not JSON \(.*\)"),
        ("files.json", forget, r"files\.json is damaged: it accounts for no files"),
    ],
)
def test_a_damaged_checkpoint_is_named_with_what_to_do_and_doing_it_loses_nothing(
    name: str,
    damage: Callable[[Path], None],
    said: str,
    trained: StageFolder,
    training: Work,
    content: Content,
    tmp_path: Path,
) -> None:
    before = content(tmp_path)
    damage(trained.checkpoint(4) / name)
    then = r": remove .*/checkpoints/step_4, and the stage goes on from step 2 when it is run again"
    with pytest.raises(HeldoutError, match=said + then) as caught:
        training(tmp_path / "run")
    assert (caught.value.status, str(caught.value).count("\n")) == (1, 0)
    for path in trained.checkpoint(4).iterdir():
        path.unlink()
    trained.checkpoint(4).rmdir()
    training(tmp_path / "run")
    assert content(tmp_path) == before


def test_where_the_first_checkpoint_is_damaged_the_stage_begins_anew(
    trained: StageFolder, training: Work, tmp_path: Path
) -> None:
    trained.checkpoint(4).rename(tmp_path / "away")
    cut(trained.checkpoint(2) / "model.json")
    with pytest.raises(HeldoutError, match=r"remove .*/step_2, and the stage begins anew when it is run again"):
        training(tmp_path / "run")


@pytest.mark.parametrize("lost", [1, 2, 30, 400, 100_000])
def test_metrics_with_a_torn_end_are_cut_and_the_steps_played_again(
    lost: int, trained: StageFolder, training: Work, content: Content, tmp_path: Path
) -> None:
    before = content(tmp_path)
    path = trained.metrics.path
    path.write_bytes(path.read_bytes()[:-lost])
    training(tmp_path / "run")
    assert content(tmp_path) == before


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"step"\n', "line 3 is not JSON"),
        (b'{"reward": 1}\n', "line 3 is not the row of a step"),
        (b"3\n", "line 3"),
    ],
)
def test_metrics_broken_elsewhere_are_named(
    line: bytes, said: str, trained: StageFolder, training: Work, tmp_path: Path
) -> None:
    path = trained.metrics.path
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], line, lines[3]]))
    with pytest.raises(HeldoutError, match=rf"metrics\.jsonl is damaged: {said}"):
        training(tmp_path / "run")


@pytest.mark.parametrize("lost", [1, 100, 3000, 9000])
def test_rows_with_a_torn_end_are_cut_to_whole_rounds_and_these_played_again(
    lost: int, measured: EvaluationFolder, evaluation: Work, content: Content, tmp_path: Path
) -> None:
    before = content(tmp_path)
    path = measured.rows("corridor").path
    path.write_bytes(path.read_bytes()[:-lost])
    evaluation(tmp_path / "run")
    assert content(tmp_path) == before


def test_rows_whose_trajectories_are_gone_stay(
    measured: EvaluationFolder, evaluation: Work, content: Content, tmp_path: Path
) -> None:
    measured.trajectories("corridor").path.unlink()
    before = content(tmp_path)
    evaluation(tmp_path / "run")
    assert content(tmp_path) == before


def test_rows_that_somebody_took_out_are_played_again_and_no_trajectory_is_lost(
    measured: EvaluationFolder, evaluation: Work, tmp_path: Path
) -> None:
    rows, path = list(measured.rows("corridor")), measured.rows("corridor").path
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[5:]))
    evaluation(tmp_path / "run")
    assert {row.stream for row in measured.rows("corridor")} == {row.stream for row in rows}
    assert len(measured.trajectories("corridor")) == 45


@pytest.mark.parametrize("name", ["config.json", "checkpoints/step_4/files.json"])
def test_a_run_of_a_newer_form_is_refused(
    name: str, trained: StageFolder, training: Work, content: Content, tmp_path: Path
) -> None:
    newer(trained.root / name)
    before = content(tmp_path)
    said = (
        rf"{name} has schema 7, and this heldout knows 2: use the heldout that wrote it, or choose another folder"
    )
    with pytest.raises(HeldoutError, match=said) as caught:
        training(tmp_path / "run")
    assert (caught.value.status, content(tmp_path)) == (1, before)
