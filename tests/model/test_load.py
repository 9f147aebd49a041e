import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from torch import Tensor

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


def test_a_folder_without_a_tokenizer_is_refused(copy: Path) -> None:
    """transformers would make an empty one, and every episode would be worth nothing."""
    (copy / "tokenizer.json").unlink()
    with pytest.raises(BadCall, match=r"no tokenizer in '.*' \(it has none of tokenizer.json, .*: copy it"):
        load.load(str(copy))


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


def with_weights(folder: Path, change: Callable[[dict[str, Tensor]], object]) -> Path:
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    return folder


def with_config(folder: Path, **fields: Any) -> Path:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))
    return folder


def renamed(weights: dict[str, Tensor]) -> None:
    for key in [key for key in weights if ".layers.1." in key]:
        weights[key.replace(".layers.1.", ".layers.one.")] = weights.pop(key)


def test_weights_that_are_missing_are_refused_by_name(copy: Path) -> None:
    with_weights(copy, renamed)
    with pytest.raises(HeldoutError, match=r"lacks 12 of its weights, such as 'model.layers.1.input_"):
        load.load(str(copy))


def test_a_tied_model_that_says_untied_lacks_its_head(copy: Path) -> None:
    with_config(copy, tie_word_embeddings=False)
    with pytest.raises(HeldoutError, match=r"lacks 1 of its weights, such as 'lm_head.weight': they"):
        load.load(str(copy))


def test_layers_that_a_configuration_leaves_out_are_refused(copy: Path) -> None:
    config = json.loads((copy / "config.json").read_text())
    layers = config["num_hidden_layers"] - 1
    with_config(copy, num_hidden_layers=layers, layer_types=config["layer_types"][:layers])
    with pytest.raises(HeldoutError, match=r"has 12 weights that its config.json leaves out, such as 'mod"):
        load.load(str(copy))


@pytest.mark.parametrize("bad", [float("nan"), float("-inf")])
def test_weights_that_are_no_numbers_are_refused_by_name(copy: Path, bad: float) -> None:
    def spoil(weights: dict[str, Tensor]) -> None:
        weights["model.layers.1.mlp.up_proj.weight"][3, 4] = bad

    with_weights(copy, spoil)
    with pytest.raises(HeldoutError, match=r"holds NaN or inf in 'model.layers.1.mlp.up_proj.weight'"):
        load.load(str(copy))


def test_a_tokenizer_with_more_words_than_embeddings_is_refused(copy: Path) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(copy)
    rows = load.load(str(copy))[0].get_input_embeddings().weight.shape[0]
    spare = rows - len(tokenizer)
    tokenizer.add_tokens([f"word{number}" for number in range(spare + 2)])
    tokenizer.save_pretrained(copy)
    with pytest.raises(HeldoutError, match=rf"has {rows} embeddings, and its tokenizer ids up to {rows + 1}"):
        load.load(str(copy))


def test_a_special_token_beyond_the_embeddings_is_let_be(copy: Path) -> None:
    """Gemma 3 without pictures has one for them: no text becomes it."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(copy)
    rows = load.load(str(copy))[0].get_input_embeddings().weight.shape[0]
    spare = [f"<|spare{number}|>" for number in range(rows - len(tokenizer) + 1)]
    tokenizer.add_special_tokens({"additional_special_tokens": spare})
    tokenizer.save_pretrained(copy)
    assert load.load(str(copy))[1].get_vocab()[spare[-1]] == rows


def test_what_is_no_model_but_near_one_is_told_what_to_do(copy: Path) -> None:
    with_config(copy, quantization_config={"quant_method": "gptq", "bits": 4})
    with pytest.raises(BadCall, match=r"are quantised \(gptq\), .*: take the model that they were made from"):
        load.load(str(copy))
    (copy / "adapter_config.json").write_text("{}")
    with pytest.raises(BadCall, match=r"is an adapter, not a model: merge it into its base first"):
        load.load(str(copy))


def test_a_folder_of_a_gguf_file_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "small.gguf").write_bytes(b"GGUF")
    with pytest.raises(BadCall, match=r"give its GGUF file itself \(--model .*small.gguf\)"):
        load.load(str(tmp_path))
    assert load.place_of(str(tmp_path / "small.gguf")) == tmp_path / "small.gguf"
    assert load.is_gguf(tmp_path / "small.gguf")
    assert not load.is_gguf(tmp_path)


def test_a_gguf_file_needs_a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "small.gguf").write_bytes(b"GGUF")
    monkeypatch.setattr(load, "find_spec", lambda _: None)
    with pytest.raises(BadCall, match=r"pip install heldout\[gguf\]"):
        load.load_tokenizer(str(tmp_path / "small.gguf"))


def test_another_chat_template_takes_the_place_of_the_models_own(tiny: Path, copy: Path) -> None:
    (copy / "own.jinja").write_text("{{ messages[0]['content'] }}")
    assert load.load(str(copy), chat_template=str(copy / "own.jinja"))[1].chat_template.startswith("{{ messages[0]")
    assert "<think>" in load.load_tokenizer(str(copy), "chatml-no-thinking").chat_template
    with pytest.raises(BadCall, match=r"no chat template 'chatm': No such file .*: a file, chatml, chatml-"):
        load.load_tokenizer(str(copy), "chatm")
    assert load.load_tokenizer(str(copy)).chat_template == load.load_tokenizer(str(tiny)).chat_template


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
