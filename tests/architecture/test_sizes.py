"""How large things may be: a file 400 lines, a function 50, nesting 3.

Of parameters given by position 3 is the aim; more than 5 are refused.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "src").rglob("*.py"))
BLOCKS = ast.If | ast.For | ast.While | ast.With | ast.Try | ast.Match
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef

ARGUED: dict[str, str] = {}
"""`path: function` → why it may be larger."""

LOADERS = {
    "src/heldout/cli.py": "a verb is loaded when it is called, so that --help answers at once",
    "src/heldout/envs/registry.py": "a suite, ours or a plug-in's, is named in data and loaded when asked for",
}
"""Where `import_module` may stand; nothing else imports while it runs."""


def each(pattern: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(pattern, MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())


@each("path")
def test_a_file_is_at_most_400_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


@each("path")
def test_functions_are_short_flat_and_take_few_positions(path: Path) -> None:
    too_much = [
        f"{where}: {what}"
        for function in functions(path)
        for what in measured(function)
        if (where := f"{path.relative_to(ROOT).as_posix()}: {function.name}") not in ARGUED
    ]
    assert not too_much


@each("path")
def test_imports_stand_at_the_top(path: Path) -> None:
    inside = [
        ast.unparse(node)
        for function in functions(path)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert not inside
    if path.relative_to(ROOT).as_posix() not in LOADERS:
        assert "import_module" not in path.read_text(encoding="utf-8")


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return (node for node in ast.walk(tree) if isinstance(node, FUNCTIONS))


def measured(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    if lines > 50:
        yield f"{lines} lines"
    if (deep := nesting(function)) > 3:
        yield f"nested {deep} deep"
    positions = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    taken = len([name for name in positions if name not in ("self", "cls")])
    if taken > 5:
        yield f"{taken} positional parameters"


def nesting(node: ast.AST, level: int = 0) -> int:
    """How deep the blocks of a function stand in each other; functions inside count for themselves."""
    inner = [child for child in ast.iter_child_nodes(node) if not isinstance(child, FUNCTIONS | ast.ClassDef)]
    return max([level, *(nesting(child, level + opens_a_level(child, node)) for child in inner)])


def opens_a_level(block: ast.AST, outer: ast.AST) -> bool:
    """Whether a block stands deeper than the one around it; an `elif` does not."""
    is_elif = isinstance(block, ast.If) and isinstance(outer, ast.If) and outer.orelse == [block]
    return isinstance(block, BLOCKS) and not is_elif
