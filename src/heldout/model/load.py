"""A name → a model and its tokenizer. Model folders are data: safetensors only, no code, no pickle."""

import copy
import json
import os
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors import SafetensorError, safe_open

from heldout.errors import BadCall, HeldoutError, choose_from
from heldout.model.head import check_head
from heldout.store.files import readable_as_its_folder
from heldout.store.runs import last_checkpoints

POCKET = "pocket"

MODELS = (
    POCKET,
    "a folder with config.json",
    "a Hugging Face name such as Qwen/Qwen2.5-3B-Instruct",
    "oracle",
    "random",
)
"""What can be named, as an error says it."""

transformers.utils.logging.disable_progress_bar()


def place_of(name: str) -> Path | str:
    """Where a model's files lie: inside the package, in a folder, or under a name at Hugging Face.

    The folder of a run that made one training is its last checkpoint's.
    """
    if name == POCKET:
        return Path(str(files("heldout"))) / "pocket"
    if Path(name).is_dir():
        return Path(name) if weight_files(Path(name)) else _checkpoint_in(Path(name))
    owner, slash, _ = name.partition("/")
    if not slash or not owner.strip(".") or Path(owner).is_dir() or name.count("/") > 1:
        raise BadCall(f"no model {name!r}: it is no folder ({choose_from(name, MODELS)})")
    return name


def _checkpoint_in(folder: Path) -> Path:
    """The only checkpoint that a folder of runs can mean; several are named, and where there is none it stays."""
    found = last_checkpoints(folder)
    if len(found) > 1:
        there = choose_from(str(folder), map(str, found))
        raise BadCall(f"{str(folder)!r} holds {len(found)} trainings, and no model itself ({there})")
    return found[0] if found else folder


def load(name: str, device: str = "cpu") -> tuple[Any, Any]:
    """The model, ready to sample in float32 on a CPU and bfloat16 on a GPU, and its tokenizer."""
    place = place_of(name)
    if isinstance(place, Path):
        check_folder(place)
    dtype = torch.float32 if device == "cpu" else torch.bfloat16
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(place, trust_remote_code=False)
        model = transformers.AutoModelForCausalLM.from_pretrained(
            place, trust_remote_code=False, use_safetensors=True, dtype=dtype, attn_implementation="sdpa"
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        first, *_ = str(error).strip().splitlines() or [type(error).__name__]
        raise HeldoutError(f"model {name!r} cannot be loaded: {first}") from None
    model = model.to(device).eval()
    check_head(model)
    return model, tokenizer


def save(model: Any, tokenizer: Any, folder: Path, dtype: torch.dtype | None = None) -> None:
    """Writes a folder that transformers loads; `dtype` narrows what is written, not the model."""
    written = model if dtype is None else copy.deepcopy(model).to(dtype)
    written.save_pretrained(folder, safe_serialization=True)
    for file in weight_files(folder):
        readable_as_its_folder(file)
    tokenizer.save_pretrained(folder)


def end_ids(model: Any) -> list[int]:
    """The tokens at which the model itself ends a reply."""
    ends = model.generation_config.eos_token_id
    return [] if ends is None else [ends] if isinstance(ends, int) else list(ends)


def context_of(model: Any, most: int = 32_768) -> int:
    """How many ids the model can hold, at most `most`."""
    return min(most, int(getattr(model.config, "max_position_embeddings", most)))


def weight_files(folder: Path) -> list[Path]:
    """The files of the model's weights; an optimizer's may lie beside them."""
    return sorted(folder.glob("model*.safetensors"))


def check_folder(folder: Path) -> None:
    """Refuses a folder that is no model, or one whose files are damaged."""
    config = folder / "config.json"
    if not config.is_file():
        inside = ", ".join(sorted(item.name for item in folder.iterdir())[:5]) or "nothing"
        raise BadCall(f"no model in {os.fspath(folder)!r}: it has no config.json (it has: {inside})")
    weights = sorted(folder.glob("*.safetensors"))
    if not weights:
        raise BadCall(f"no weights in {os.fspath(folder)!r}: heldout reads safetensors only")
    for path in (*sorted(folder.glob("*.json")), *weights):
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
    except (ValueError, SafetensorError) as error:
        return str(error)
    return None
