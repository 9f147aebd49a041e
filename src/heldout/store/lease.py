"""Stub until the lease lands."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Lease:
    """Stub."""

    path: Path

    def check(self) -> None:
        """Stub."""


@contextmanager
def hold(path: Path, *, purpose: str = "") -> Iterator[Lease]:
    """Stub."""
    del purpose
    path.parent.mkdir(parents=True, exist_ok=True)
    yield Lease(path)
