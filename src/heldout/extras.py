"""Packages that come with an extra, and the line that says so to whoever lacks one."""

from collections.abc import Iterator
from contextlib import contextmanager

from heldout.errors import HeldoutError

_EXTRAS = {
    "fastapi": "openenv",
    "inspect_ai": "inspect",
    "openenv": "openenv",
    "uvicorn": "serve",
    "verifiers": "verifiers",
}
"""A package and the extra that brings it."""


class NotInstalled(HeldoutError, ImportError):
    """A package is not there that an extra of ours brings."""


@contextmanager
def name_the_extra() -> Iterator[None]:
    """Around imports: raises `NotInstalled` for a package of an extra; any other missing module is let through."""
    try:
        yield
    except ModuleNotFoundError as missing:
        package = (missing.name or "").partition(".")[0]
        if package not in _EXTRAS:
            raise
        extra = _EXTRAS[package]
        raise NotInstalled(f"{missing.name} is not installed: pip install 'heldout[{extra}]'") from None
