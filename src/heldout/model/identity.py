"""What a model is, whatever its folder is called: a digest of all that decides what it says."""

import json
from functools import cache
from pathlib import Path

from heldout.model.chat import chat_of, template_of
from heldout.model.folder import CONFIG, GENERATION, check_folder, ends_in, read_object, weight_files
from heldout.model.load import hub_name_of, is_gguf, load_tokenizer, place_of
from heldout.records import Json, digest, digest_of_text
from heldout.store.files import sha256_of

VOLATILE = ("_name_or_path", "transformers_version", "architectures", "torch_dtype", "dtype", "use_cache")
"""What a model's configuration says that changes nothing in float32."""


def model_digest(name: str, chat_template: str = "") -> str:
    """16 hexadecimal digits for a model that is here; for a name at Hugging Face the name and its revision.

    Weights, shape, tokenizer, the ids that the chat template puts around contents, and the tokens that end a reply:
    two folders with the same digest say the same, wherever they lie.
    """
    place = place_of(name)
    if hub_name := hub_name_of(name):
        check_folder(place)
        other = f"+{digest_of_text(template_of(chat_template))}" if chat_template else ""
        return f"{hub_name}@{place.name}{other}"
    if is_gguf(place):
        weights = _sha256_of(place.resolve(), _stamp(place))
        return digest({"weights": weights, **_words(name, chat_template)})
    check_folder(place)
    return digest(
        {
            "weights": weights_digest(place),
            "shape": _without_volatile(read_object(place / CONFIG)),
            **_words(name, chat_template),
        }
    )


def words_digest(name: str, chat_template: str = "") -> str:
    """16 hexadecimal digits that name how a model's text becomes ids, and at which of them it ends a reply."""
    return digest(_words(name, chat_template))


def weights_digest(folder: Path) -> str:
    """16 hexadecimal digits that name the weights in a model's folder, by the content of their files."""
    return digest(
        {
            file.relative_to(folder).as_posix(): _sha256_of(file.resolve(), _stamp(file))
            for file in weight_files(folder)
        }
    )


@cache
def _sha256_of(file: Path, stamp: tuple[int, int]) -> str:
    """Taken once for a file as long as its stamp stays."""
    del stamp
    return sha256_of(file)


def _stamp(file: Path) -> tuple[int, int]:
    described = file.stat()
    return described.st_size, described.st_mtime_ns


def _words(name: str, chat_template: str) -> dict[str, Json]:
    """How text becomes ids: the tokenizer, its template as pieces, and what ends a reply."""
    place = place_of(name)
    files = sorted(place.glob("*.*")) if place.is_dir() else [place]
    stamps = tuple((str(file.resolve()), *_stamp(file)) for file in files)
    return _words_of(name, chat_template, template_of(chat_template) if chat_template else "", stamps)


@cache
def _words_of(
    name: str, chat_template: str, text: str, stamps: tuple[tuple[str, int, int], ...]
) -> dict[str, Json]:
    """Taken once as long as neither the template's text nor the stamp of a file changes."""
    del text, stamps
    tokenizer = load_tokenizer(name, chat_template)
    place = place_of(name)
    ends = _ends(place) if place.is_dir() else None
    chat = chat_of(tokenizer, ends_in(ends))
    return {
        "ends": ends,
        "tokenizer": digest(json.loads(chat.tokenizer.to_str())),
        "template": [chat.before_opening, chat.before_reply, [chat.end_id], chat.before_observation],
    }


def _ends(folder: Path) -> Json:
    described = folder / GENERATION
    return read_object(described).get("eos_token_id") if described.is_file() else None


def _without_volatile(config: dict[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in config.items() if name not in VOLATILE}
