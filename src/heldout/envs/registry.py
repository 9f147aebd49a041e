"""A name and a source → a suite, loaded when asked for.

A name is one of ours, an entry point `heldout.suites` of another package, a place `MODULE:SUITE`, or
`agentgym:NAME@ADDRESS`.
"""

import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from types import ModuleType

from heldout.addresses import public_name, without_credentials
from heldout.config import Source, with_options
from heldout.envs.base import Suite
from heldout.envs.difficulty import with_measured_difficulty
from heldout.envs.guard import guard
from heldout.envs.named import under_name
from heldout.envs.variants import apply_variant, can_change
from heldout.errors import BadCall, HeldoutError, choose_from, unknown
from heldout.store.difficulty import read

BUILT_IN = {
    "textcraft": "heldout.envs.textcraft:suite",
    "babyai": "heldout.envs.babyai:suite",
    "searchqa": "heldout.envs.searchqa:suite",
    "webshop": "heldout.envs.webshop:suite",
    "alfworld": "heldout.envs.alfworld:suite",
}

YOURS = "yours is named by an entry point heldout.suites, or as MODULE:SUITE"

ELSEWHERE = {"agentgym": "heldout.envs.agentgym:suite"}
"""What a name begins with that says where an environment is played: `agentgym:babyai@http://localhost:36001`."""


def names() -> list[str]:
    """Every environment that can be opened: ours, then those of other packages (entry points `heldout.suites`)."""
    return [*BUILT_IN, *sorted(_entry_points())]


def able(can: Callable[[Suite], bool]) -> list[str]:
    """Those that can do something, by what their suites say over generated tasks."""
    return [name for name in names() if can(_open(name, Source()))]


@cache
def open_suite(name: str, source: Source) -> Suite:
    """The suite of that name over that source; the same arguments give the same object.

    The source's variant has changed some of its traits. Where the source names a file of difficulties, easy and
    hard are as it has them. Its tasks say that name, so that whoever has a task can open its suite; what opens a
    server's address is no part of it (`addresses.public_name`).
    """
    name = public_name(name)
    suite = under_name(_whole(name, source), name)
    return (
        with_measured_difficulty(suite, read(source.difficulty), source.difficulty) if source.difficulty else suite
    )


def suite_to_judge(name: str, source: Source) -> Suite:
    """The same, but one at a place `MODULE:SUITE` by its own name: laws look at how its tasks are named."""
    return _whole(name, source) if _is_place(name) else open_suite(name, source)


def refuse_unknown_name(name: str) -> None:
    """Refuses what names no environment: none of ours, none of an entry point, and no place."""
    if name not in names() and not _is_place(name):
        raise BadCall(f"{unknown('environment', without_credentials(name), names())}; {YOURS}")


def own_name(name: str) -> str:
    """An environment's own name, wherever it is played: `babyai` of `agentgym:babyai@http://localhost:36001`."""
    scheme, _, rest = name.partition(":")
    return rest.partition("@")[0] if scheme in ELSEWHERE else name


def item_id(text: str) -> str:
    """A published id, however it is spelled, as an environment and a number; any other text as it stands."""
    if text.rpartition("_")[0] in ("", *names()):
        return text
    spelled = (_open(name, Source()).task_id(text) for name in BUILT_IN)
    return next((own for own in spelled if own != text), text)


def _whole(name: str, source: Source) -> Suite:
    """The suite with all that its source changes, its episodes guarded."""
    opened = _open(name, source)
    _refuse_unknown_options(opened, source)
    return guard(apply_variant(opened, source, lambda trait: able(lambda suite: can_change(suite, trait))))


def _is_place(name: str) -> bool:
    scheme, colon, _ = name.partition(":")
    return bool(colon) and scheme not in ELSEWHERE and name not in names()


def _open(name: str, source: Source) -> Suite:
    scheme, colon, _ = name.partition(":")
    if colon and scheme in ELSEWHERE:
        if source.variant.changes:
            raise BadCall(
                f"{name} is played elsewhere, and a server has no variants: leave {source.variant.name} out"
            )
        return _load(ELSEWHERE[scheme])(name, source)
    suite = _found(name, source)
    if suite.rules != source.rules:
        raise BadCall(
            f"{name} has no rules {source.rules!r} ({choose_from(source.rules, suite.rules_known, lead='it has')})"
        )
    return suite


def _found(name: str, source: Source) -> Suite:
    """One of ours, one of another package's, or the one at that place."""
    if name in BUILT_IN:
        return _load(BUILT_IN[name])(source)
    places = _entry_points()
    if name in places:
        return _suite_at(places[name], source)
    refuse_unknown_name(name)
    if "" not in sys.path:
        sys.path.insert(0, "")  # a module in this folder needs no installation
    return _suite_at(name, source)


def _refuse_unknown_options(suite: Suite, source: Source) -> None:
    """Refuses options of what is no environment, options that it does not have, and values that are none."""
    for option in source.options:
        declared = suite.options if option.env == suite.name else _open(option.env, Source()).options
        if declared is None:
            raise BadCall(f"{option.env} has no options, and so no {option.path}")
        with_options(declared, source, option.env)


def _load(place: str) -> Callable[..., Suite]:
    module, _, function = place.partition(":")
    found: Callable[..., Suite] = getattr(import_module(module), function)
    return found


def _suite_at(place: str, source: Source) -> Suite:
    """The suite at a place in anybody's module: a value, or what a function of a source gives."""
    name, _, attribute = place.partition(":")
    module = _import(name)
    if attribute not in vars(module):
        there = [each for each in vars(module) if not each.startswith("_")]
        raise unknown(f"suite in {name}", attribute, there)
    found = vars(module)[attribute]
    suite = _call(found, place, source) if callable(found) else found
    if not isinstance(suite, Suite):
        kind = type(suite).__name__
        raise BadCall(f"{place} is of type {kind}: a Suite is asked for, or a function of a Source that gives one")
    return suite


def _import(name: str) -> ModuleType:
    try:
        return import_module(name)
    except Exception as error:  # anybody's module may raise anything
        raise BadCall(f"module {name!r} cannot be imported: {error!r}") from error


def _call(function: Callable[[Source], Suite], place: str, source: Source) -> Suite:
    try:
        return function(source)
    except HeldoutError:
        raise
    except Exception as error:  # and so may its function
        raise HeldoutError(f"{place} raises {error!r}") from error


def _entry_points() -> dict[str, str]:
    return {point.name: point.value for point in entry_points(group="heldout.suites")}
