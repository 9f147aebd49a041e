"""A name and a source → a suite, loaded when asked for."""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

from heldout.config import Source
from heldout.envs.base import Suite
from heldout.envs.halves import halved
from heldout.errors import unknown
from heldout.store.difficulty import read

BUILT_IN = {
    "textcraft": "heldout.envs.textcraft:suite",
    "babyai": "heldout.envs.babyai:suite",
    "searchqa": "heldout.envs.searchqa:suite",
    "webshop": "heldout.envs.webshop:suite",
    "alfworld": "heldout.envs.alfworld:suite",
}


def names() -> list[str]:
    """Every environment that can be opened: ours, then those of other packages (entry points `heldout.suites`)."""
    return [*BUILT_IN, *sorted(_plugged_in())]


@cache
def open_suite(name: str, source: Source) -> Suite:
    """The suite of that name over that source; the same arguments give the same object.

    Where the source names a file of difficulties, easy and hard are as it has them.
    """
    places = BUILT_IN | _plugged_in()
    if name not in places:
        raise unknown("environment", name, places)
    module, _, function = places[name].partition(":")
    make: Callable[[Source], Suite] = getattr(import_module(module), function)
    suite = make(source)
    return halved(suite, read(source.difficulty), source.difficulty) if source.difficulty else suite


def _plugged_in() -> dict[str, str]:
    return {point.name: point.value for point in entry_points(group="heldout.suites")}
