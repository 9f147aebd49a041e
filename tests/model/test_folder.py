"""A model's folder may be anybody's: what is wrong in it is one line, before memory is taken or anything is run."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from heldout.cli import main
from heldout.errors import HeldoutError
from heldout.model import load
from heldout.model.chat import chat_of
from heldout.model.folder import INDEX, weight_files
from heldout.model.identity import model_digest, weights_digest

Said = Callable[[], tuple[str, str]]


@pytest.fixture
def copy(tiny: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny, tmp_path / "copy"))


def sharded(folder: Path, *names: str) -> Path:
    """The same model, its weights shared among files of those names."""
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    places = {key: names[number % len(names)] for number, key in enumerate(sorted(weights))}
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        save_file({key: weights[key] for key in weights if places[key] == name}, folder / name, {"format": "pt"})
    write_index(folder, places)
    return folder


def write_index(folder: Path, places: object) -> None:
    (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": places}))


def with_fields(name: str, **fields: Any) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        path = folder / name
        value = json.loads(path.read_text()) | fields
        path.write_text(json.dumps({key: each for key, each in value.items() if each is not ...}))

    return change


def with_text(name: str, text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(text)


@pytest.mark.parametrize(
    "name",
    [
        "../x.safetensors",
        "/x.safetensors",
        "a/../../x.safetensors",
        "..\\x.safetensors",
        "C:\\x.safetensors",
        3,
        None,
    ],
)
def test_weights_outside_of_the_folder_are_refused_by_name(name: Any, copy: Path) -> None:
    shutil.copy(copy / "model.safetensors", copy.parent / "x.safetensors")
    write_index(copy, {"a": name})
    for use in (load.load, load.place_of, model_digest):
        with pytest.raises(HeldoutError, match=r"index.json' names weights outside of its folder: "):
            use(str(copy))
    (copy / INDEX).unlink()
    if name is not None:
        with_fields("config.json", transformers_weights=name)(copy)
        with pytest.raises(HeldoutError, match=r"config.json' names weights outside of its folder: "):
            load.load(str(copy))


def test_weights_that_are_no_safetensors_are_refused_by_name(copy: Path) -> None:
    write_index(copy, {"a": "pytorch_model.bin"})
    with pytest.raises(
        HeldoutError, match=r"names the weights 'pytorch_model.bin': heldout reads safetensors only"
    ):
        load.load(str(copy))


def test_links_as_in_hugging_faces_cache_are_followed(tiny: Path, tmp_path: Path) -> None:
    snapshot, blobs = tmp_path / "snapshots" / "0f", tmp_path / "blobs"
    blobs.mkdir()
    snapshot.mkdir(parents=True)
    whole = sharded(Path(shutil.copytree(tiny, tmp_path / "whole")), "model-1.safetensors", "model-2.safetensors")
    for file in whole.iterdir():
        shutil.copy(file, blobs / f"blob-{file.name}")
        (snapshot / file.name).symlink_to(Path("..", "..", "blobs", f"blob-{file.name}"))
    assert load.load(str(snapshot))[0].num_parameters() == load.load(str(tiny))[0].num_parameters()
    assert weights_digest(snapshot) == weights_digest(whole)


@pytest.mark.parametrize(
    "names", [("model-1-of-2.safetensors", "model-2-of-2.safetensors"), ("a.safetensors", "b/a.safetensors")]
)
def test_a_digest_covers_every_shard_and_a_missing_one_is_told(names: tuple[str, str], copy: Path) -> None:
    sharded(copy, *names)
    load.load(str(copy))
    assert [path.relative_to(copy).as_posix() for path in weight_files(copy)] == sorted(names)
    seen = {weights_digest(copy)}
    for name in names:
        weights = load_file(copy / name)
        key = min(weights)
        save_file({**weights, key: weights[key] + 1}, copy / name, {"format": "pt"})
        seen.add(weights_digest(copy))
    assert len(seen) == 3
    (copy / names[1]).unlink()
    with pytest.raises(HeldoutError, match=rf"lacks 1 of the files that its index names, such as '{names[1]}'"):
        load.load(str(copy))


def test_a_digest_covers_the_file_that_the_configuration_names(copy: Path) -> None:
    (copy / "model.safetensors").rename(copy / "other.safetensors")
    with_fields("config.json", transformers_weights="other.safetensors")(copy)
    assert [path.name for path in weight_files(copy)] == ["other.safetensors"]
    load.load(str(copy))


def test_what_lies_beside_and_is_not_loaded_changes_no_digest(copy: Path) -> None:
    before = model_digest(str(copy))
    (copy / "pytorch_model.bin").write_bytes(b"pickled")
    save_file({}, copy / "optimizer.safetensors")
    assert model_digest(str(copy)) == before


ODD: dict[str, tuple[Callable[[Path], object], str]] = {
    "a list": (with_text("config.json", "[1]"), r"config.json' is damaged \(it holds \[1\], no object\)"),
    "null": (with_text("config.json", "null"), r"config.json' is damaged \(it holds None, no object\)"),
    "no JSON": (with_text("config.json", "{"), r"config.json' is damaged \(Expecting property name"),
    "deep": (with_text("config.json", "[" * 100_000), r"config.json' is damaged \(maximum recursion depth"),
    "long number": (with_text("config.json", '{"a": ' + "9" * 5000 + "}"), r"config.json' is damaged \(Exceeds"),
    "no text": (
        lambda folder: (folder / "config.json").write_bytes(b"\xff{}"),
        r"config.json' is damaged \('utf-8'",
    ),
    "no kind": (with_fields("config.json", model_type=...), "has the model_type None: it names a kind of model"),
    "kind is a list": (with_fields("config.json", model_type=["a"]), r"has the model_type \['a'\]: it names"),
    "unknown kind": (with_fields("config.json", model_type="zzz"), "model type `zzz` but Transformers does not"),
    "words": (
        with_fields("config.json", vocab_size=10**12),
        r"has vocab_size 1000000000000: more than the \d+ bytes",
    ),
    "width": (
        with_fields("config.json", hidden_size=10**9),
        r"has hidden_size 1000000000: more than the \d+ bytes",
    ),
    "product": (
        with_fields("config.json", hidden_size=10**4),
        r"has vocab_size \d+ and hidden_size 10000: more than",
    ),
    "layers": (with_fields("config.json", num_hidden_layers=10**9), "has num_hidden_layers 1000000000: more than"),
    "below zero": (
        with_fields("config.json", num_hidden_layers=-1),
        "has num_hidden_layers -1: it is a whole number",
    ),
    "text": (with_fields("config.json", hidden_size="a"), "has hidden_size 'a': it is a whole number from 0 up"),
    "context": (with_fields("config.json", max_position_embeddings="x"), "has max_position_embeddings 'x': it is"),
    "inner": (with_fields("config.json", text_config={"vocab_size": 10**12}), "has vocab_size 1000000000000: more"),
    "no heads": (with_fields("config.json", num_attention_heads=0), "cannot be loaded: integer division or modulo"),
    "rope": (
        with_fields("config.json", rope_parameters=[1]),
        "Validation error for field 'rope_parameters': TypeError",
    ),
    "other shapes": (with_fields("config.json", hidden_size=64), "weights have other shapes than config.json says"),
    "no tokenizer": (with_text("tokenizer.json", "[]"), r"tokenizer.json' is damaged \(it holds \[\], no object\)"),
    "empty tokenizer": (
        with_text("tokenizer.json", "{}"),
        "tokenizer .* cannot be loaded: there is no 'added_tokens'",
    ),
    "tokenizer's list": (with_text("tokenizer_config.json", "[]"), r"tokenizer_config.json' is damaged \(it holds"),
    "tokenizer's class": (
        with_fields("tokenizer_config.json", tokenizer_class=3),
        "tokenizer .* cannot be loaded: ",
    ),
    "end": (
        with_fields("tokenizer_config.json", eos_token={"a": 1}),
        "tokenizer .* cannot be loaded: Special token",
    ),
    "generation": (with_text("generation_config.json", "[]"), r"generation_config.json' is damaged \(it holds"),
    "ends": (
        with_fields("generation_config.json", eos_token_id=["a"]),
        r"has the eos_token_id \['a'\]: it is an id",
    ),
    "index": (with_text(INDEX, "[]"), r"index.json' is damaged \(it holds \[\], no object\)"),
    "no map": (with_text(INDEX, "{}"), "is no index of weights: it has no weight_map"),
    "template": (
        with_text("chat_template.jinja", "{{ nowhere() }}"),
        "the chat template refuses .*: 'nowhere' is und",
    ),
    "no template": (with_text("chat_template.jinja", "{% for"), "the chat template refuses a conversation of user"),
    "refusing": (with_text("chat_template.jinja", "{{ raise_exception('no') }}"), "user and assistant: no$"),
    "long template": (with_text("chat_template.jinja", "{{ 'a' * 10 ** 9 }}"), "takes more than 256 MiB"),
}


def talk_with(folder: Path) -> None:
    model, tokenizer = load.load(str(folder))
    chat_of(tokenizer, load.end_ids(model))


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_folder_is_told_in_one_line(odd: str, copy: Path, said: Said) -> None:
    change, told = ODD[odd]
    change(copy)
    with pytest.raises(HeldoutError, match=told) as caught:
        talk_with(copy)
    assert "\n" not in str(caught.value)
    assert caught.value.status in (1, 2)
    assert said() == ("", "")  # what a library logs holds names of theirs


@pytest.mark.parametrize("odd", ["a list", "context", "ends", "template", "words"])
def test_a_verb_that_is_given_an_odd_folder_ends_with_one_line(odd: str, copy: Path, said: Said) -> None:
    ODD[odd][0](copy)
    assert main(["evaluate", "--model", str(copy), "--envs", "textcraft", "--out", str(copy.parent / "out")]) in (
        1,
        2,
    )
    out, err = said()
    assert out == ""
    assert err.startswith("heldout: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("kind", ["zzz", "qwen2"])
def test_code_in_a_folder_is_never_run(kind: str, copy: Path) -> None:
    trace = copy.parent / "it ran"
    (copy / "evil.py").write_text(f"open({str(trace)!r}, 'w')\nclass C: pass\n")
    own = {"AutoConfig": "evil.C", "AutoModelForCausalLM": "evil.C", "AutoTokenizer": ["evil.C", "evil.C"]}
    with_fields("config.json", model_type=kind, auto_map=own)(copy)
    with_fields("tokenizer_config.json", auto_map=own)(copy)
    if kind == "zzz":
        with pytest.raises(
            HeldoutError, match="it needs code of its own, which heldout never runs: choose a model"
        ):
            load.load(str(copy))
    else:
        load.load(str(copy))  # transformers has code of that kind
    assert not trace.exists()
