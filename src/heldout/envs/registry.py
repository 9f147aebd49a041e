"""A name and a source → a suite, loaded when asked for."""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

from heldout.config import Source
from heldout.envs.base import Suite
from heldout.envs.halves import halved
from heldout.envs.variants import can_change, varied
from heldout.errors import BadCall, unknown
from heldout.store.difficulty import read

BUILT_IN = {
    "textcraft": "heldout.envs.textcraft:suite",
    "babyai": "heldout.envs.babyai:suite",
    "searchqa": "heldout.envs.searchqa:suite",
    "webshop": "heldout.envs.webshop:suite",
    "alfworld": "heldout.envs.alfworld:suite",
}

ELSEWHERE = {"agentgym": "heldout.envs.agentgym:suite"}
"""What a name begins with that says where an environment is played: `agentgym:babyai@http://localhost:36001`."""


def names() -> list[str]:
    """Every environment that can be opened: ours, then those of other packages (entry points `heldout.suites`)."""
    return [*BUILT_IN, *sorted(_plugged_in())]


@cache
def open_suite(name: str, source: Source) -> Suite:
    """The suite of that name over that source; the same arguments give the same object.

    The source's variant has changed some of its traits. Where the source names a file of difficulties, easy and
    hard are as it has them.
    """
    suite = varied(_opened(name, source), source, _having)
    return halved(suite, read(source.difficulty), source.difficulty) if source.difficulty else suite


def own_name(name: str) -> str:
    """An environment's own name, wherever it is played: `babyai` of `agentgym:babyai@http://localhost:36001`."""
    scheme, _, rest = name.partition(":")
    return rest.partition("@")[0] if scheme in ELSEWHERE else name


def _having(trait: str) -> list[str]:
    """The environments of which a variant can change that trait."""
    return [name for name in names() if can_change(_opened(name, Source()), trait)]


def _opened(name: str, source: Source) -> Suite:
    scheme, colon, _ = name.partition(":")
    if colon and scheme in ELSEWHERE:
        if source.variant.changes:
            raise BadCall(
                f"{name} is played elsewhere, and a server has no variants: leave {source.variant.name} out"
            )
        return _loaded(ELSEWHERE[scheme])(name, source)
    places = BUILT_IN | _plugged_in()
    if name not in places:
        raise unknown("environment", name, places)
    return _loaded(places[name])(source)


def _loaded(place: str) -> Callable[..., Suite]:
    module, _, function = place.partition(":")
    found: Callable[..., Suite] = getattr(import_module(module), function)
    return found


def _plugged_in() -> dict[str, str]:
    return {point.name: point.value for point in entry_points(group="heldout.suites")}
