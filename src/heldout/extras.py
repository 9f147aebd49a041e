"""Packages that come with an extra, and the line that says so to whoever lacks one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module

from heldout.errors import HeldoutError

_EXTRAS = {
    "fastapi": "openenv",
    "inspect_ai": "inspect",
    "openenv": "openenv",
    "pyarrow": "parquet",
    "ray": "ray",
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
        if _package_of(missing.name or "") not in _EXTRAS:
            raise
        raise NotInstalled(how_to_install(missing.name or "")) from None


def load(place: str) -> Callable[..., object]:
    """The function that `module:function` names; `NotInstalled` where it needs an extra that is not there."""
    module, _, function = place.partition(":")
    with name_the_extra():
        found: Callable[..., object] = getattr(import_module(module), function)
    return found


def how_to_install(module: str) -> str:
    """`pyarrow is not installed: pip install 'heldout[parquet]'`, of a module that comes with an extra."""
    return f"{module} is not installed: pip install 'heldout[{_EXTRAS[_package_of(module)]}]'"


def _package_of(module: str) -> str:
    return module.partition(".")[0]
