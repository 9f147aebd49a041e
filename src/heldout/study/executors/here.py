"""Walks a study's graph in this process, one piece after another."""

from collections.abc import Callable, Iterable

from heldout.study.plan import PlannedWork
from heldout.study.work import Work


def walk(graph: Iterable[PlannedWork], do: Callable[[Work], None]) -> None:
    """Does each piece in turn; a plan has each after those that it needs."""
    for piece in graph:
        do(piece.work)
