"""A name and a source → a suite, loaded when asked for."""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from types import ModuleType

from heldout.config import Source
from heldout.envs.base import Suite
from heldout.envs.halves import halved
from heldout.envs.variants import can_change, varied
from heldout.errors import BadCall, HeldoutError, unknown
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


def find_suite(name: str, source: Source) -> Suite:
    """The suite of that name, or the one at that place, `module:suite`, whether it is registered or not."""
    scheme, colon, _ = name.partition(":")
    return _suite_at(name, source) if colon and scheme not in ELSEWHERE else open_suite(name, source)


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
    if name in BUILT_IN:
        return _loaded(BUILT_IN[name])(source)
    places = _plugged_in()
    if name not in places:
        raise unknown("environment", name, BUILT_IN | places)
    return _suite_at(places[name], source)


def _loaded(place: str) -> Callable[..., Suite]:
    module, _, function = place.partition(":")
    found: Callable[..., Suite] = getattr(import_module(module), function)
    return found


def _suite_at(place: str, source: Source) -> Suite:
    """The suite at a place in anybody's module: a value, or what a function of a source gives."""
    name, _, attribute = place.partition(":")
    module = _imported(name)
    if attribute not in vars(module):
        there = [each for each in vars(module) if not each.startswith("_")]
        raise unknown(f"suite in {name}", attribute, there)
    found = vars(module)[attribute]
    suite = _called(found, place, source) if callable(found) else found
    if not isinstance(suite, Suite):
        kind = type(suite).__name__
        raise BadCall(f"{place} is of type {kind}: a Suite is asked for, or a function of a Source that gives one")
    return suite


def _imported(name: str) -> ModuleType:
    try:
        return import_module(name)
    except Exception as error:  # anybody's module may raise anything
        raise BadCall(f"module {name!r} cannot be imported: {error!r}") from error


def _called(function: Callable[[Source], Suite], place: str, source: Source) -> Suite:
    try:
        return function(source)
    except HeldoutError:
        raise
    except Exception as error:  # and so may its function
        raise HeldoutError(f"{place} raises {error!r}") from error


def _plugged_in() -> dict[str, str]:
    return {point.name: point.value for point in entry_points(group="heldout.suites")}
