"""A model's folder, looked through before anything of it is loaded: it is data, and may be anybody's."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open

from heldout.errors import BadCall, HeldoutError
from heldout.paths import stays_inside
from heldout.records import Json
from heldout.store.files import read_json

CONFIG, GENERATION, INDEX = "config.json", "generation_config.json", "model.safetensors.index.json"

OBJECTS = (CONFIG, GENERATION, "tokenizer.json", "tokenizer_config.json")
"""Files that hold one JSON object each."""

_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model", "tekken.json")
"""Files of which a folder with a tokenizer has one: without any, transformers makes an empty tokenizer."""

_NAMED = "transformers_weights"
"""Where config.json may name the file of the weights, or its index."""

SIZES = (
    *("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads"),
    *("num_key_value_heads", "head_dim", "n_embd", "n_layer", "n_head", "n_inner", "d_model", "ffn_dim"),
    *("num_experts", "num_local_experts", "n_routed_experts", "moe_intermediate_size"),
)
"""Sizes in a config.json of which one more is one weight more, or a whole row of them."""

PAIRS = (("vocab_size", "hidden_size"), ("hidden_size", "intermediate_size"), ("num_hidden_layers", "hidden_size"))
"""Sizes whose product is the size of a matrix, or of what each layer has."""

LENGTHS = ("max_position_embeddings", "n_positions", "max_seq_len")


def weight_files(folder: Path) -> list[Path]:
    """The files that the model's weights are loaded from, as far as they are there; an optimizer's may lie beside.

    Raises `HeldoutError` where an index or config.json names a file outside of the folder, or is no such file.
    """
    named = {path.name for path in folder.glob("model*.safetensors")}
    return [folder / name for name in sorted({*named, *_named_files(folder)}) if (folder / name).is_file()]


def check_folder(folder: Path) -> None:
    """Refuses a folder that is no model, or one whose files are damaged or absurd."""
    if (folder / "adapter_config.json").is_file():
        raise BadCall(
            f"{os.fspath(folder)!r} is an adapter, not a model: merge it into its base first "
            "(peft: merge_and_unload)"
        )
    if not (folder / CONFIG).is_file():
        if gguf := sorted(folder.glob("*.gguf")):
            raise BadCall(f"no model in {os.fspath(folder)!r}: give its GGUF file itself (--model {gguf[0]})")
        inside = ", ".join(sorted(item.name for item in folder.iterdir())[:5]) or "nothing"
        raise BadCall(f"no model in {os.fspath(folder)!r}: it has no config.json (it has: {inside})")
    for path in sorted(folder.glob("*.json")):
        _refuse_damage(path)
    for name in OBJECTS:
        if (folder / name).is_file():
            read_object(folder / name)
    weights = {*folder.glob("*.safetensors"), *weight_files(folder)}
    if not weights:
        raise BadCall(f"no weights in {os.fspath(folder)!r}: heldout reads safetensors only")
    for path in sorted(weights):
        _refuse_damage(path)
    if not any((folder / name).is_file() for name in _TOKENIZERS):
        raise BadCall(
            f"no tokenizer in {os.fspath(folder)!r} (it has none of {', '.join(_TOKENIZERS)}): copy it from the "
            "model that these weights belong to"
        )
    config = read_object(folder / CONFIG)
    _refuse_missing_shards(folder)
    _refuse_quantised(folder, config)
    _refuse_absurd(folder / CONFIG, config, sum(path.stat().st_size for path in weights))
    if (described := folder / GENERATION).is_file():
        ends_in(read_object(described).get("eos_token_id"), described)


def read_object(path: Path) -> dict[str, Json]:
    """The JSON object in a file; anything else is refused."""
    _refuse_damage(path)
    value = read_json(path)
    if not isinstance(value, dict):
        raise HeldoutError(
            f"{os.fspath(path)!r} is damaged (it holds {_brief(value)}, no object): copy or make the model again"
        )
    return value


def ends_in(value: Json, described: Path | str = "the model") -> list[int]:
    """The ids that an `eos_token_id` names, of one or several or none; anything else is refused."""
    ids = [] if value is None else value if isinstance(value, list | tuple) else [value]
    if not all(_is_count(each) for each in ids):
        raise HeldoutError(
            f"{os.fspath(described)!r} has the eos_token_id {_brief(value)}: it is an id, or a list of ids"
        )
    return list(ids)


def _named_files(folder: Path) -> Iterator[str]:
    """The names of weights' files that an index has, or config.json."""
    named = read_object(folder / CONFIG).get(_NAMED) if (folder / CONFIG).is_file() else None
    if named is not None:
        _refuse_name(folder / CONFIG, named)
        if not named.endswith(".index.json"):
            yield named
    for index in {INDEX, named or INDEX}:
        if index.endswith(".index.json") and (folder / index).is_file():
            yield from _shards(folder / index)


def _shards(index: Path) -> set[str]:
    """The files that an index names."""
    files = read_object(index).get("weight_map")
    if not isinstance(files, dict):
        raise HeldoutError(f"{os.fspath(index)!r} is no index of weights: it has no weight_map")
    for name in files.values():
        _refuse_name(index, name)
    return set(files.values())


def _refuse_name(where: Path, name: Json) -> None:
    """Refuses a name of weights that leads out of the folder by its words; where a link leads is not asked.

    The files in Hugging Face's cache are links to others beside their folder.
    """
    if not isinstance(name, str) or not stays_inside(name):
        raise HeldoutError(f"{os.fspath(where)!r} names weights outside of its folder: {_brief(name)}")
    if not name.endswith((".safetensors", ".safetensors.index.json")):
        raise HeldoutError(f"{os.fspath(where)!r} names the weights {_brief(name)}: heldout reads safetensors only")


def _refuse_missing_shards(folder: Path) -> None:
    lacking = sorted(name for name in set(_named_files(folder)) if not (folder / name).is_file())
    if lacking and not (folder / "model.safetensors").is_file():
        raise HeldoutError(
            f"model {os.fspath(folder)!r} lacks {len(lacking)} of the files that its index names, "
            f"such as {lacking[0]!r}"
        )


def _refuse_quantised(folder: Path, config: Mapping[str, Json]) -> None:
    if quantised := config.get("quantization_config"):
        method = quantised.get("quant_method", "some method") if isinstance(quantised, dict) else "some method"
        raise BadCall(
            f"the weights in {os.fspath(folder)!r} are quantised ({method}), and cannot be trained or held "
            "exactly: take the model that they were made from"
        )


def _refuse_absurd(path: Path, config: Mapping[str, Json], most: int) -> None:
    """Refuses sizes that the weights' files, of so many bytes, cannot hold, before memory is taken for them."""
    if not isinstance(kind := config.get("model_type"), str) or not kind:
        raise HeldoutError(
            f"{os.fspath(path)!r} has the model_type {_brief(kind)}: it names a kind of model, such as qwen2"
        )
    for part in (config, config.get("text_config")):
        if not isinstance(part, dict):
            continue
        sizes = {name: part[name] for name in (*SIZES, *LENGTHS) if part.get(name) is not None}
        sizes = {name: max(size) if isinstance(size, list) and size else size for name, size in sizes.items()}
        for name, size in sizes.items():
            _refuse_size(path, name, size, None if name in LENGTHS else most)
        for one, other in PAIRS:
            if sizes.get(one, 0) * sizes.get(other, 0) > most:
                raise HeldoutError(
                    f"{os.fspath(path)!r} has {one} {sizes[one]} and {other} {sizes[other]}: "
                    f"more than the {most} bytes of its weights can hold"
                )


def _refuse_size(path: Path, name: str, size: Json, most: int | None) -> None:
    if not _is_count(size):
        raise HeldoutError(f"{os.fspath(path)!r} has {name} {_brief(size)}: it is a whole number from 0 up")
    if most is not None and size > most:
        raise HeldoutError(
            f"{os.fspath(path)!r} has {name} {size}: more than the {most} bytes of its weights can hold"
        )


def _refuse_damage(path: Path) -> None:
    if wrong := _damage(path):
        raise HeldoutError(f"{os.fspath(path)!r} is damaged ({wrong}): copy or make the model again")


def _damage(path: Path) -> str | None:
    """What is wrong with a file of a model, if a look shows it: JSON is read, of weights the table of contents."""
    try:
        if path.suffix == ".json":
            json.loads(path.read_text(encoding="utf-8"))
        else:
            with safe_open(path, "pt"):
                pass
    except (ValueError, RecursionError, SafetensorError) as error:
        return str(error)
    return None


def _is_count(value: Json) -> bool:
    """Whether a value is a whole number from 0 up."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _brief(value: Json) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:60]}…"
