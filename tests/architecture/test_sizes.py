"""How large things may be. What is larger is in `ARGUED`, with why; what need not be there is thrown out.

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

FILE, FUNCTION, NESTING, POSITIONS = 400, 50, 3, 5

ARGUED = {
    "src/heldout/cli.py": "the flags of all verbs are read side by side, so that the same thing has the same name",
}
"""`path`, or `path: function` → why it is larger."""

LOADERS = {
    "src/heldout/__init__.py": "a name is loaded when it is first asked for, so that the package loads at once",
    "src/heldout/__main__.py": "Ctrl-C is one line while the command line itself is loaded",
    "src/heldout/extras.py": "a verb is loaded when it is called, so that --help answers at once; Ray with --ray",
    "src/heldout/envs/searchqa/files.py": "pyarrow is for Parquet alone, and takes an eighth of a second to load",
    "src/heldout/study/recipes/loading.py": "a recipe of anybody's is named in a call and loaded when asked for",
    "src/heldout/envs/registry.py": "a suite, ours or a plug-in's, is named in data and loaded when asked for",
}
"""Where `import_module` may stand; nothing else imports while it runs."""


def each(pattern: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(pattern, MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())


def test_what_is_larger_than_it_may_be_is_argued_and_nothing_else_is() -> None:
    larger = {place: what for path in MODULES for place, what in measured(path)}
    assert larger.keys() == ARGUED.keys(), larger


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
        assert "import_module" not in text_of(path)


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(ast.parse(text_of(path))) if isinstance(node, FUNCTIONS))


def measured(path: Path) -> Iterator[tuple[str, str]]:
    """What is too large in a file: where, and how large."""
    name = path.relative_to(ROOT).as_posix()
    lines = len(text_of(path).splitlines())
    if lines > FILE:
        yield name, f"{lines} lines"
    for function in functions(path):
        figures = {
            "lines": (length(function), FUNCTION),
            "blocks deep": (nesting(function), NESTING),
            "positional parameters": (positions(function), POSITIONS),
        }
        for what, (there, most) in figures.items():
            if there > most:
                yield f"{name}: {function.name}", f"{there} {what}"


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def positions(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    return len([name for name in names if name not in ("self", "cls")])


def nesting(node: ast.AST, level: int = 0) -> int:
    """How deep the blocks of a function stand in each other; functions inside count for themselves."""
    inner = [child for child in ast.iter_child_nodes(node) if not isinstance(child, FUNCTIONS | ast.ClassDef)]
    return max([level, *(nesting(child, level + opens_a_level(child, node)) for child in inner)])


def opens_a_level(block: ast.AST, outer: ast.AST) -> bool:
    """Whether a block stands deeper than the one around it; an `elif` does not."""
    is_elif = isinstance(block, ast.If) and isinstance(outer, ast.If) and outer.orelse == [block]
    return isinstance(block, BLOCKS) and not is_elif
