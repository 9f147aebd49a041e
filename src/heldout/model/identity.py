"""What a model is, whatever its folder is called: a digest of all that decides what it says."""

import json
from functools import cache
from pathlib import Path

import transformers
from huggingface_hub import hf_hub_download

from heldout.errors import HeldoutError
from heldout.model.chat import chat_of
from heldout.model.load import check_folder, place_of, weight_files
from heldout.records import Json, digest
from heldout.store.files import read_json, sha256_of

VOLATILE = ("_name_or_path", "transformers_version", "architectures", "torch_dtype", "dtype", "use_cache")
"""What a model's configuration says that changes nothing in float32."""


def model_digest(name: str) -> str:
    """16 hexadecimal digits for a model that is here; for a name at Hugging Face the name and its revision.

    Weights, shape, tokenizer, the ids that the chat template puts around contents, and the tokens that end a reply:
    two folders with the same digest say the same, wherever they lie.
    """
    place = place_of(name)
    if not isinstance(place, Path):
        return f"{name}@{_revision(place)}"
    check_folder(place)
    files = tuple((file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in sorted(place.glob("*.*")))
    return _digest_of(place.resolve(), files)


def weights_digest(folder: Path) -> str:
    """16 hexadecimal digits that name the weights in a model's folder, by the content of their files."""
    return digest({file.name: sha256_of(file) for file in weight_files(folder)})


@cache
def _digest_of(folder: Path, files: tuple[tuple[str, int, int], ...]) -> str:
    """Taken once for a folder as long as none of its `files` changes."""
    del files
    return digest(
        {
            "weights": weights_digest(folder),
            "shape": _without_volatile(read_json(folder / "config.json")),
            "ends": _ends(folder),
            **_words(folder),
        }
    )


def _words(folder: Path) -> dict[str, Json]:
    """How text becomes ids: the tokenizer, and its template as pieces."""
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    except (OSError, ValueError) as error:
        first, *_ = str(error).strip().splitlines() or [type(error).__name__]
        raise HeldoutError(f"the tokenizer in {folder} cannot be loaded: {first}") from None
    chat = chat_of(tokenizer)
    return {
        "tokenizer": digest(json.loads(chat.tokenizer.to_str())),
        "template": [chat.before_opening, chat.before_reply, [chat.end_id], chat.before_observation],
    }


def _ends(folder: Path) -> Json:
    described = folder / "generation_config.json"
    return read_json(described).get("eos_token_id") if described.is_file() else None


def _without_volatile(config: dict[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in config.items() if name not in VOLATILE}


def _revision(name: str) -> str:
    """The commit that a name at Hugging Face stands for now; offline, the one that is here."""
    try:
        path = Path(hf_hub_download(name, "config.json"))
    except Exception as error:  # the hub's own errors, its web client's, and the system's
        first, *_ = str(error).strip().splitlines() or [type(error).__name__]
        raise HeldoutError(f"model {name!r} is neither at Hugging Face nor in its cache here: {first}") from None
    return path.parent.name
