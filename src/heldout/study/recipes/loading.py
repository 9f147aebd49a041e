"""A recipe by its name: one of ours, `FILE.py:function`, or `module:function`."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from inspect import isfunction
from pathlib import Path
from types import ModuleType

from heldout.errors import BadCall, HeldoutError, choose_from, unknown
from heldout.study.plan import Study
from heldout.study.recipes.asked import Asked, Recipe

YOURS = "yours is named as FILE.py:function or module:function"


def own_recipe(place: str) -> Recipe:
    """The function at a place in anybody's file or module; what it raises is told in one line."""
    where, _, name = place.rpartition(":")
    module = _from_file(Path(where)) if where.endswith(".py") else _imported(where)
    functions = {key: value for key, value in vars(module).items() if isfunction(value) and key[0] != "_"}
    if name not in functions:
        raise unknown(f"recipe in {where}", name, functions)
    function = functions[name]

    def recipe(asked: Asked) -> Study | tuple[Study, ...]:
        try:
            found: Study | tuple[Study, ...] = function(asked)
        except HeldoutError:
            raise
        except Exception as error:  # anybody's function may raise anything
            raise HeldoutError(f"{place} raises {error!r}") from error
        return found

    return recipe


def refuse_unknown_recipe(name: str, known: Mapping[str, Recipe]) -> None:
    """Refuses a name that is neither one of ours nor a place."""
    if name not in known and ":" not in name:
        raise BadCall(f"{unknown('recipe', name, known)}; {YOURS}")


def _from_file(file: Path) -> ModuleType:
    """What a file holds; what lies beside it can be imported by it while it is read, and by nobody after."""
    if not file.is_file():
        there = sorted(str(each) for each in file.parent.glob("*.py"))
        raise BadCall(f"no file {str(file)!r} ({choose_from(str(file), there, lead='beside it lie')})")
    spec = spec_from_file_location(f"heldout_recipe_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    with _importing_beside(str(file.resolve().parent)), _told(str(file)):
        sys.modules[spec.name] = module  # dataclasses look for their module there
        spec.loader.exec_module(module)
    return module


def _imported(name: str) -> ModuleType:
    """A module, such as one in this folder, which needs no installation."""
    with _importing_beside(""), _told(name):
        return import_module(name)


@contextmanager
def _importing_beside(folder: str) -> Iterator[None]:
    """A folder from which is imported meanwhile."""
    before = list(sys.path)
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path[:] = before


@contextmanager
def _told(place: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # anybody's module may raise anything
        raise BadCall(f"{place} cannot be read: {error!r}") from error
