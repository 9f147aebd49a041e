"""Writes docs/architecture.md: the layers, and under each its modules with the first line of their docstrings.

`make docs` calls it; tests/architecture/test_tree.py holds that the page is what it writes.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "heldout"
PAGE = ROOT / "docs" / "architecture.md"

INTRODUCTION = """\
# Architecture

The data's road is *task → env → rollout → trajectory → advantage → update → checkpoint → evaluation → row → table
→ report*. Each word is a folder or a file below, and [the tour](tour.md) follows one task along it. The joins are
made in two places only: `training/stage.py` makes a trained model of tasks, `study/perform.py` rows of a study.

A module imports only from layers that come before its own in this page, or from its own; folders of one layer do
not know each other, and no module imports in a circle. torch and transformers are loaded from `learn` on: rows are
read, scored and reported without them, without an environment and without its data. `lint-imports` holds the
layers, as pyproject.toml has them, and tests/architecture the rest.

This page is written by `make docs`, from the first line of each module's docstring.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([INTRODUCTION, *map(_layer, layers())])


def layers() -> list[list[str]]:
    """The layers from the lowest, each with the names of its modules and folders."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    [found] = [each["layers"] for each in contracts["contracts"] if each["type"] == "layers"]
    return [[name for name in re.findall(r"\w+", layer) if _path(name).exists()] for layer in reversed(found)]


def _layer(names: list[str]) -> str:
    title = ", ".join(f"`{name}`" for name in names)
    lines = [line for name in names for line in _lines(_path(name), "")]
    return f"## {title}\n\n" + "\n".join(lines) + "\n"


def _path(name: str) -> Path:
    folder = PACKAGE / name
    return folder if folder.is_dir() else PACKAGE / f"{name}.py"


def _lines(path: Path, margin: str) -> Iterator[str]:
    """A line for a module; for a folder one for itself and, further in, those of what it holds."""
    name = path.relative_to(PACKAGE).as_posix()
    if path.is_file():
        yield f"{margin}- [`{path.name}`](../src/heldout/{name}): {first_line(path)}"
        return
    said = first_line(path / "__init__.py")
    yield f"{margin}- `{path.name}/`" + (f": {said}" if said else "")
    modules = sorted(each for each in path.glob("*.py") if each.name != "__init__.py")
    folders = sorted(each.parent for each in path.glob("*/__init__.py"))
    for each in (*modules, *folders):
        yield from _lines(each, f"{margin}  ")


def first_line(path: Path) -> str:
    """The first sentence of a module's docstring."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0].rstrip(".")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
