"""A name → a model and its tokenizer. Model folders are data: safetensors only, no code, no pickle."""

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
import transformers

from heldout.errors import BadCall, HeldoutError, NotFinite, choose_from, in_one_line
from heldout.model import hub
from heldout.model.chat import template_of
from heldout.model.folder import check_folder, ends_in, weight_files
from heldout.model.head import check_head
from heldout.model.parameters import not_finite
from heldout.store.files import readable_as_its_folder
from heldout.store.runs import last_checkpoints

POCKET = "pocket"

MODELS = (
    POCKET,
    "a folder with config.json",
    "a GGUF file",
    "a Hugging Face name such as Qwen/Qwen2.5-3B-Instruct",
    "oracle",
    "random",
    "random-legal",
)
"""What can be named, as an error says it."""

PLAINER = {
    "ignore_mismatched_sizes": "its weights have other shapes than config.json says",
    "custom code": "it needs code of its own, which heldout never runs: choose a model that transformers knows",
}
"""A word of what transformers says of a model → what its user should hear."""

transformers.utils.logging.disable_progress_bar()


def place_of(name: str) -> Path:
    """Where a model's files lie: in the package, in a folder, or in one GGUF file.

    The folder of a run that made one training is its last checkpoint's; of a name at Hugging Face it is that of the
    copy here, which is brought where there is none.
    """
    if name == POCKET:
        return Path(str(files("heldout"))) / "pocket"
    if is_gguf(Path(name)):
        return Path(name)
    if Path(name).is_dir():
        return Path(name) if weight_files(Path(name)) else _checkpoint_in(Path(name))
    if hub_name_of(name):
        return hub.snapshot(name)
    raise BadCall(f"no model {name!r}: it is no folder ({choose_from(name, MODELS)})")


def hub_name_of(name: str) -> str | None:
    """The name at Hugging Face, with its owner, that a model's name is; None where it is of something here.

    A well-known name without its owner, as papers print it, is that owner's: `Qwen2.5-7B-Instruct`.
    """
    if name == POCKET or Path(name).exists():
        return None
    if full := hub.full_name(name):
        return full
    owner, slash, _ = name.partition("/")
    is_path = not slash or not owner.strip(".") or Path(owner).is_dir() or name.count("/") > 1
    return None if is_path else name


def _checkpoint_in(folder: Path) -> Path:
    """The only checkpoint that a folder of runs can mean; several are named, and where there is none it stays."""
    found = last_checkpoints(folder)
    if len(found) > 1:
        there = choose_from(str(folder), map(str, found))
        raise BadCall(f"{str(folder)!r} holds {len(found)} trainings, and no model itself ({there})")
    return found[0] if found else folder


def is_gguf(place: Path) -> bool:
    """Whether a place is one file that holds a whole model."""
    return place.suffix == ".gguf" and place.is_file()


def load(name: str, device: str = "cpu", chat_template: str = "") -> tuple[Any, Any]:
    """The model, ready to sample in float32 on a CPU and bfloat16 on a GPU, and its tokenizer.

    What would be wrong in silence is refused: weights that the files do not have, or that are no numbers, a
    tokenizer with more words than the model has. `chat_template` takes the place of the tokenizer's own.
    """
    tokenizer = load_tokenizer(name, chat_template)
    place, extra = _source_of(name)
    if extra:  # else its weights stay packed where a package of kernels is, and none of them can be trained
        extra["quantization_config"] = transformers.GgufConfig(dequantize=True)
    dtype = torch.float32 if device == "cpu" else torch.bfloat16
    with _one_line(name, "model"):
        model, loading = transformers.AutoModelForCausalLM.from_pretrained(
            place, trust_remote_code=False, use_safetensors=True, dtype=dtype, output_loading_info=True, **extra
        )
    if extra:
        _forget_packing(model)
    _refuse_missing(name, model, loading)
    _refuse_not_finite(name, model)
    _refuse_unknown_words(name, model, tokenizer)
    model = model.to(device).eval()
    check_head(model)
    return model, tokenizer


def load_tokenizer(name: str, chat_template: str = "") -> Any:
    """A model's tokenizer, with that chat template where one is given."""
    place, extra = _source_of(name)
    with _one_line(name, "tokenizer"):
        tokenizer = transformers.AutoTokenizer.from_pretrained(place, trust_remote_code=False, **extra)
    if not tokenizer.is_fast:
        raise HeldoutError(f"the tokenizer of {name!r} is no fast one (tokenizer.json), which heldout needs")
    if chat_template:
        tokenizer.chat_template = template_of(chat_template)
    return tokenizer


def _source_of(name: str) -> tuple[Path, dict[str, Any]]:
    """What transformers loads, after a look at what is there; a GGUF file is named beside its folder."""
    place = place_of(name)
    if not is_gguf(place):
        check_folder(place)
        return place, {}
    if find_spec("gguf") is None:
        raise BadCall(
            f"{name!r} is a GGUF file, and the package that reads it is not here: pip install heldout[gguf]"
        )
    return place.parent, {"gguf_file": place.name}


@contextmanager
def _one_line(name: str, part: str) -> Iterator[None]:
    """Turns what the library says of files that it cannot read into one line; its log, with their words, is off."""
    log, before = transformers.utils.logging, transformers.utils.logging.get_verbosity()
    log.set_verbosity(log.CRITICAL)
    try:
        yield
    except HeldoutError:
        raise
    except Exception as error:  # the library's own, those of the code of a hundred models, and the system's
        said = in_one_line(error)
        ours = (why for hint, why in PLAINER.items() if hint in said)
        raise HeldoutError(f"{part} {name!r} cannot be loaded: {next(ours, said)}") from None
    finally:
        log.set_verbosity(before)


def _forget_packing(model: Any) -> None:
    """The weights of a GGUF file are plain once read: the model is saved, and loaded again, as any other."""
    model.hf_quantizer = None
    vars(model.config).pop("quantization_config", None)


def _refuse_missing(name: str, model: Any, loading: Mapping[str, Any]) -> None:
    """What the files lack would be random, and other in each process; a layer too many would be dropped."""
    if missing := sorted(loading["missing_keys"]):
        raise HeldoutError(
            f"model {name!r} lacks {len(missing)} of its weights, such as {missing[0]!r}: they would be random"
        )
    inside = f"{model.base_model_prefix}."
    if strange := sorted(key for key in loading["unexpected_keys"] if key.startswith(inside)):
        raise HeldoutError(
            f"model {name!r} has {len(strange)} weights that its config.json leaves out, such as {strange[0]!r}"
        )


def _refuse_not_finite(name: str, model: Any) -> None:
    if key := not_finite(model.named_parameters()):
        raise HeldoutError(f"model {name!r} holds NaN or inf in {key!r}: go on from an earlier checkpoint")


def _refuse_unknown_words(name: str, model: Any, tokenizer: Any) -> None:
    """Refuses a tokenizer that can give ids which the model has no embedding for.

    A special token beyond the embedding is let be: no text becomes it (Gemma 3 has one for pictures).
    """
    rows = model.get_input_embeddings().weight.shape[0]
    beyond = {
        id
        for token, id in tokenizer.get_vocab().items()
        if id >= rows and token not in tokenizer.all_special_tokens
    }
    beyond -= {id for id, token in tokenizer.added_tokens_decoder.items() if token.special}
    if beyond:
        raise HeldoutError(
            f"model {name!r} has {rows} embeddings, and its tokenizer ids up to {max(beyond)}: "
            "they do not belong together"
        )


def save(model: Any, tokenizer: Any, folder: Path, dtype: torch.dtype | None = None) -> None:
    """Writes a folder that transformers loads; `dtype` narrows what is written, not the model.

    Weights that are NaN or inf are refused, and nothing is written.
    """
    written = model if dtype is None else copy.deepcopy(model).to(dtype)
    if key := not_finite(written.named_parameters()):
        raise NotFinite(f"the weights hold NaN or inf in {key!r}, so no checkpoint is written")
    written.save_pretrained(folder, safe_serialization=True)
    for file in weight_files(folder):
        readable_as_its_folder(file)
    tokenizer.save_pretrained(folder)


def end_ids(model: Any) -> list[int]:
    """The tokens at which the model itself ends a reply."""
    return ends_in(model.generation_config.eos_token_id)


def context_of(model: Any, most: int = 32_768) -> int:
    """How many ids the model can hold, at most `most`.

    With longrope a model has one set of factors for short rows and one for long ones, and the longest row of a
    batch decides for all of them: it is held to the short ones, so that a row is the same beside any other.
    """
    config = model.config.get_text_config()
    held = [
        most,
        *(getattr(config, name, None) for name in ("max_position_embeddings", "n_positions", "max_seq_len")),
    ]
    rope = getattr(config, "rope_parameters", None) or {}
    if "longrope" in str(rope):
        held.append(
            rope.get("original_max_position_embeddings")
            or getattr(config, "original_max_position_embeddings", None)
        )
    return min(int(each) for each in held if each)
