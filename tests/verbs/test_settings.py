"""What a call asks for: defaults by the model, then flags, then --set."""

import json
from pathlib import Path

import pytest

from heldout.config import AS_IT_STANDS, Config, Variant, pocket
from heldout.errors import BadCall
from heldout.verbs.settings import base_of, defaults_of, run_folder, settled


def model_folder(folder: Path, context: int) -> Path:
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"max_position_embeddings": context}))
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def test_flags_come_before_settings_and_what_was_not_given_stays() -> None:
    config = settled("pocket", {"train.samples": 4, "train.turns": None}, ["train.samples=2", "train.steps=7"])
    assert (config.train.samples, config.train.steps, config.train.turns) == (2, 7, None)
    assert config.limits == pocket().limits


def test_a_model_trained_from_pocket_has_pockets_defaults(tmp_path: Path) -> None:
    assert defaults_of(str(model_folder(tmp_path / "small", 4096))) == pocket()
    assert defaults_of(str(model_folder(tmp_path / "large", 32_768))) == Config()
    assert defaults_of("Qwen/Qwen2.5-3B-Instruct") == defaults_of("oracle") == Config()


def test_a_folders_name_in_rows_tells_its_weights(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "trained", 4096)
    before = base_of(str(folder))
    (folder / "model.safetensors").write_bytes(b"other weights")
    assert before.startswith("trained-")
    assert base_of(str(folder)).startswith("trained-")
    assert base_of(str(folder)) != before


def test_a_run_has_a_folder_of_its_own() -> None:
    assert run_folder("evaluate", "Qwen/Qwen2.5-3B-Instruct", AS_IT_STANDS) == Path(
        "runs/evaluate-Qwen--Qwen2.5-3B-Instruct"
    )


def test_a_variant_has_a_folder_of_its_own() -> None:
    variant = Variant(reward="binary", actions="hidden")
    assert run_folder("train", "pocket", variant) == Path("runs/train-pocket-actions=hidden,reward=binary")


def test_a_name_that_is_nothing_is_refused() -> None:
    with pytest.raises(BadCall, match="no model 'nowhere'"):
        base_of("nowhere")
