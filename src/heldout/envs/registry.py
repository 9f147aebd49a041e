"""A name and a source → a suite, loaded when asked for."""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

from heldout.config import Source
from heldout.envs.base import Suite
from heldout.errors import unknown

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
    """The suite of that name over that source; the same arguments give the same object."""
    places = BUILT_IN | _plugged_in()
    if name not in places:
        raise unknown("environment", name, places)
    module, _, function = places[name].partition(":")
    make: Callable[[Source], Suite] = getattr(import_module(module), function)
    return make(source)


def _plugged_in() -> dict[str, str]:
    return {point.name: point.value for point in entry_points(group="heldout.suites")}
