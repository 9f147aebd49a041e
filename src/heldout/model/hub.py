"""A name at Hugging Face → a folder here: looked up once in a process, before anything else begins."""

import sys
from functools import cache
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, snapshot_download
from huggingface_hub.errors import GatedRepoError, OfflineModeIsEnabled, RepositoryNotFoundError

from heldout.errors import HeldoutError, in_one_line

SECONDS = 10.0
"""How long the hub may take to say which revision a name stands for."""

FILES = ("*.json", "*.safetensors", "*.model", "*.txt", "*.jinja")
"""What of a model is fetched: no pickle, and no code."""

OWNERS = {
    "Qwen": "Qwen",
    "SmolLM": "HuggingFaceTB",
    "Llama-": "meta-llama",
    "Meta-Llama-": "meta-llama",
    "gemma-": "google",
    "Mistral-": "mistralai",
    "Ministral-": "mistralai",
    "Phi-": "microsoft",
    "DeepSeek-": "deepseek-ai",
    "OLMo-": "allenai",
    "granite-": "ibm-granite",
}
"""Whose a model is that is named without its owner, by how its name begins."""


def full_name(name: str) -> str | None:
    """The name with its owner, where a name without one can only mean that; else None."""
    owners = [owner for start, owner in OWNERS.items() if name.startswith(start)]
    return f"{owners[0]}/{name}" if owners and "/" not in name else None


@cache
def snapshot(name: str) -> Path:
    """The folder of a model's files, whose name is its revision: brought here where it is not yet.

    A well-known name may be without its owner. Where the hub does not answer it is the copy that is here, and that
    is said; raises HeldoutError, in one line, where there is none.
    """
    if full := full_name(name):
        print(f"heldout: {name} is taken as {full}", file=sys.stderr)
        name = full
    try:
        HfApi().model_info(name, timeout=SECONDS)  # answers, or not, at once: fetching tries for minutes
    except (RepositoryNotFoundError, GatedRepoError) as error:
        kind = "is closed to you" if isinstance(error, GatedRepoError) else "is not there, or not open to you"
        raise HeldoutError(
            f"model {name!r} {kind} at Hugging Face: look at its page there, and log in (hf auth login)"
        ) from None
    except Exception as error:  # the hub's own errors, its web client's, and the system's
        return _copy(name, error)
    return _brought(name)


def _copy(name: str, error: Exception) -> Path:
    reason = "offline mode" if isinstance(error, OfflineModeIsEnabled) else in_one_line(error)
    try:
        folder = _brought(name, local_files_only=True)
    except HeldoutError:
        raise HeldoutError(
            f"model {name!r} is not here, and Hugging Face cannot be reached ({reason}): name a folder that has it"
        ) from None
    print(
        f"heldout: Hugging Face cannot be reached ({reason}); {name} is the copy here, revision {folder.name[:8]}",
        file=sys.stderr,
    )
    return folder


def _brought(name: str, **how: Any) -> Path:
    try:
        return Path(snapshot_download(name, allow_patterns=list(FILES), ignore_patterns=["*/*"], **how))
    except Exception as error:  # as above
        raise HeldoutError(f"model {name!r} could not be fetched: {in_one_line(error)}") from None
