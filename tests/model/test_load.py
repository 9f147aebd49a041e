import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from heldout.errors import BadCall, HeldoutError
from heldout.model import load


@pytest.fixture
def copy(tiny: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny, tmp_path / "copy"))


def test_a_saved_model_is_the_same_model(tiny: Path, copy: Path) -> None:
    model, tokenizer = load.load(str(tiny))
    load.save(model, tokenizer, copy)
    again, _ = load.load(str(copy))
    assert all(torch.equal(again.state_dict()[name], value) for name, value in model.state_dict().items())
    assert load.end_ids(again) == [tokenizer.eos_token_id]
    assert load.context_of(again) == 4096


def test_a_model_is_written_narrow_and_read_wide(tiny: Path, copy: Path) -> None:
    model, tokenizer = load.load(str(tiny))
    load.save(model, tokenizer, copy, torch.float16)
    assert {value.dtype for value in load_file(copy / "model.safetensors").values()} == {torch.float16}
    assert {p.dtype for p in (*model.parameters(), *load.load(str(copy))[0].parameters())} == {torch.float32}


@pytest.mark.parametrize(("folder_mode", "mode"), [(0o755, 0o644), (0o750, 0o640), (0o700, 0o600)])
def test_weights_can_be_read_by_whoever_may_read_their_folder(copy: Path, folder_mode: int, mode: int) -> None:
    model, tokenizer = load.load(str(copy))
    copy.chmod(folder_mode)
    load.save(model, tokenizer, copy)
    assert (copy / "model.safetensors").stat().st_mode & 0o777 == mode


@pytest.mark.parametrize("name", ["./nowhere", "/no/where", "nowhere", "a/b/c"])
def test_a_name_that_is_nothing_is_refused_with_the_choices(name: str) -> None:
    with pytest.raises(BadCall, match=r"no model .* \(choose from: pocket, a folder"):
        load.place_of(name)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no model")
    with pytest.raises(BadCall, match=r"it has no config.json \(it has: notes.txt\)"):
        load.load(str(tmp_path))


def test_weights_that_are_no_safetensors_are_refused(copy: Path) -> None:
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
    with pytest.raises(BadCall, match="heldout reads safetensors only"):
        load.load(str(copy))


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_damaged_model_is_told_in_one_line(copy: Path, name: str) -> None:
    content = (copy / name).read_bytes()
    (copy / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(HeldoutError) as caught:
        load.load(str(copy))
    assert str(caught.value).startswith(f"'{copy / name}' is damaged (")
    assert str(caught.value).endswith("): copy or make the model again")
    assert "\n" not in str(caught.value)


def test_the_folder_of_a_run_is_its_checkpoint_where_it_made_one_training(tiny: Path, tmp_path: Path) -> None:
    run = tmp_path / "runs" / "mine"
    stages = [run / "stages" / "babyai" / f"seed_{seed}" for seed in (0, 1)]
    for step in (1, 2):
        shutil.copytree(tiny, stages[0] / "checkpoints" / f"step_{step}")
    (stages[0] / "config.json").write_text("{}")  # the stage's own, not a model's
    last = stages[0] / "checkpoints" / "step_2"
    assert [load.place_of(str(each)) for each in (run, stages[0], last)] == [last] * 3
    assert load.place_of(str(tiny)) == tiny
    shutil.copytree(tiny, stages[1] / "checkpoints" / "step_2")
    assert load.place_of(str(stages[1])) == stages[1] / "checkpoints" / "step_2"
    with pytest.raises(
        BadCall, match=r"holds 2 trainings, and no model itself \(choose from: .*step_2, .*step_2\)"
    ):
        load.place_of(str(run))
