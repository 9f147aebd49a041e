"""A checkpoint's copy: whose it is, and that nothing of anybody else is ever replaced by it."""

from pathlib import Path

import pytest

from heldout.errors import BadCall
from heldout.store.published import Published, publish, published_in

FIRST = Published(run="runs/a", chain="textcraft.easy", seed=0, step=20)
SECOND = Published(run="runs/b", chain="textcraft.easy", seed=1, step=20)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    folder = tmp_path / "step_20"
    folder.mkdir()
    for name in ("config.json", "model.safetensors", "optimizer.safetensors", "files.json"):
        (folder / name).write_text(f'{{"schema": 2, "is": "{name}"}}')
    return folder


def test_a_copy_says_whose_it_is_and_has_what_is_needed_to_load_it(checkpoint: Path, tmp_path: Path) -> None:
    folder = tmp_path / "outputs" / "textcraft_easy_checkpoint"
    assert publish(checkpoint, folder, FIRST) is None
    assert {file.name for file in folder.iterdir()} == {
        "config.json",
        "model.safetensors",
        "files.json",
        "published.json",
    }
    assert published_in(folder) == FIRST
    assert str(FIRST) == "runs/a, textcraft.easy, seed 0, step 20"


def test_another_training_of_that_name_replaces_it_and_that_is_told(checkpoint: Path, tmp_path: Path) -> None:
    publish(checkpoint, tmp_path / "copy", FIRST)
    assert publish(checkpoint, tmp_path / "copy", SECOND) == FIRST
    assert published_in(tmp_path / "copy") == SECOND


def test_a_copy_under_another_name_takes_no_place_on_the_disk(checkpoint: Path, tmp_path: Path) -> None:
    again = Published(run="runs/a", chain="textcraft.easy", seed=0, step=20, by_another_name=True)
    publish(checkpoint, tmp_path / "copy", FIRST)
    publish(tmp_path / "copy", tmp_path / "again", again)
    assert (tmp_path / "again" / "model.safetensors").samefile(tmp_path / "copy" / "model.safetensors")
    assert not (tmp_path / "copy" / "model.safetensors").samefile(checkpoint / "model.safetensors")


def test_a_copy_by_another_name_never_replaces_one_of_that_name(checkpoint: Path, tmp_path: Path) -> None:
    again = Published(run="runs/b", chain="textcraft.easy", seed=1, step=20, by_another_name=True)
    publish(checkpoint, tmp_path / "copy", FIRST)
    with pytest.raises(BadCall, match=r"copy stays that of runs/a, textcraft.easy, seed 0, step 20"):
        publish(checkpoint, tmp_path / "copy", again)
    publish(checkpoint, tmp_path / "again", again)
    assert publish(checkpoint, tmp_path / "again", FIRST) == again


@pytest.mark.parametrize(
    ("do", "told"),
    [
        (lambda folder: (folder / "notes.txt").write_text("mine"), "notes.txt is not of the checkpoint beside it"),
        (lambda folder: (folder / "config.json").write_text("{}"), "config.json is damaged"),
        (lambda folder: (folder / "config.json").unlink(), "config.json is missing"),
        (lambda folder: (folder / "published.json").unlink(), "is no checkpoint that heldout put there"),
    ],
)
def test_what_is_not_ours_is_never_replaced(do: object, told: str, checkpoint: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    publish(checkpoint, folder, FIRST)
    assert callable(do)
    do(folder)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(BadCall, match=told):
        publish(checkpoint, folder, SECOND)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    assert not list(tmp_path.glob(".*.partial"))


def test_a_folder_of_somebody_and_a_file_are_refused_and_an_empty_folder_is_taken(
    checkpoint: Path, tmp_path: Path
) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "thesis.tex").write_text("years of work")
    with pytest.raises(BadCall, match="is no checkpoint that heldout put there"):
        publish(checkpoint, tmp_path / "theirs", FIRST)
    assert (tmp_path / "theirs" / "thesis.tex").read_text() == "years of work"
    (tmp_path / "file").write_text("a file")
    with pytest.raises(BadCall, match="is a file"):
        publish(checkpoint, tmp_path / "file", FIRST)
    (tmp_path / "empty").mkdir()
    publish(checkpoint, tmp_path / "empty", FIRST)
    assert published_in(tmp_path / "empty") == FIRST
