"""With what something was made: recorded beside it, and never a reason to refuse."""

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from heldout.records import Json

PACKAGES = ("heldout", "torch", "transformers", "tokenizers", "numpy")
"""Whose versions decide the last bits."""


def provenance() -> dict[str, Json]:
    """The versions of what ran, and the machine and processor that it ran on."""
    return {
        "versions": {"python": platform.python_version()} | {name: _version(name) for name in PACKAGES},
        "machine": platform.machine(),
        "processor": _processor(),
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # a checkout on the path, or one that reads rows without a learner
        return "not installed"


def _processor() -> str:
    """The processor's own name where the system tells it (Linux), else its family."""
    described = Path("/proc/cpuinfo")
    lines = described.read_text(encoding="utf-8", errors="replace").splitlines() if described.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
