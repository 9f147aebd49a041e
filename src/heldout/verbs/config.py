"""`heldout config`: every setting, what it is here, what it can be and where its value comes from."""

import ast
import inspect
import typing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from itertools import pairwise
from json import dumps
from textwrap import fill, indent

from heldout import config as settings_module
from heldout.agents import defaults_of
from heldout.config import Config, with_overrides
from heldout.ranges import ranges_of
from heldout.records import Json

WIDTH = 80
"""Columns of a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Setting:
    """One setting, as `--set path=value` changes it."""

    path: str
    value: Json
    range: str
    """Which values it can have, in words."""
    origin: str
    """Where the value comes from: `default`, `--model` or `--set`."""
    default: Json
    about: str


def config(*, model: str | None, as_json: bool, settings: Sequence[str]) -> None:
    """Prints the settings as a call with this model and these changes would have them."""
    of_model = defaults_of(model) if model else Config()
    found = list(_settings(with_overrides(of_model, settings), of_model, Config()))
    if as_json:
        entries = [{name: getattr(each, name) for name in _Setting.__slots__} for each in found]
        print(dumps(entries, indent=2, ensure_ascii=False))
        return
    print("\n".join(_paragraph(each) for each in found))
    print("\nAn environment's own are set as source.options.ENV.OPTION=value (docs/environments.md).")


def _settings(here: object, of_model: object, default: object, before: str = "") -> Iterator[_Setting]:
    section = type(here)
    about, hints, ranges = _docstrings(section.__name__), typing.get_type_hints(section), ranges_of(section)
    for field in fields(here):  # type: ignore[arg-type]
        value, usual, plain = (getattr(each, field.name) for each in (here, of_model, default))
        if is_dataclass(value):
            yield from _settings(value, usual, plain, f"{before}{field.name}.")
        elif field.name != "options":  # these are their environments' own
            yield _Setting(
                path=before + field.name,
                value=value,
                range=_words(hints[field.name], str(ranges.get(field.name, ""))),
                origin="--set" if value != usual else "--model" if usual != plain else "default",
                default=plain,
                about=about.get(field.name, ""),
            )


def _words(hint: object, numbers: str) -> str:
    kinds = {int: "whole number", float: "number", str: "text", bool: "true or false"}
    told = [kinds[kind] for kind in typing.get_args(hint) or (hint,) if kind in kinds]
    optional = ", or none" if type(None) in typing.get_args(hint) else ""
    return " ".join(filter(None, (*told, numbers))) + optional


def _docstrings(section: str) -> dict[str, str]:
    """What stands below each field of a class of `config.py`."""
    tree = ast.parse(inspect.getsource(settings_module))
    [body] = [each.body for each in tree.body if isinstance(each, ast.ClassDef) and each.name == section]
    found = dict[str, str]()
    for field, below in pairwise(body):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = text
    return found


def _paragraph(setting: _Setting) -> str:
    """A setting in lines of at most 80 columns."""
    shown = {"": "(empty)", None: "none"}.get(setting.value, setting.value)
    first = f"{setting.path} = {shown}   [{setting.range}; {setting.origin}]"
    return f"{first}\n{indent(fill(setting.about, WIDTH - 4), '    ')}"
