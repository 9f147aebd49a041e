"""README's tree is the real one, and its order the order of imports."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "heldout"


def test_the_tree_in_the_readme_is_the_real_tree() -> None:
    assert sorted(told()) == sorted(real())


def test_a_file_imports_only_from_those_above_it_in_the_tree() -> None:
    """Finer than the layers that `lint-imports` holds: within a folder too nothing goes round in a circle."""
    places = {module_of(path): place for path, place in placed(told())}
    wrong = [
        f"{module_of(path)} imports {imported}"
        for path, place in placed(told())
        for imported in imports(PACKAGE / path, set(places))
        if places[imported] > place
    ]
    assert wrong == []


def real() -> list[str]:
    """The package's folders and modules; a folder's `__init__.py` is told by the folder's line."""
    modules = [path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py"]
    folders = [path.parent for path in PACKAGE.rglob("__init__.py") if path.parent != PACKAGE]
    return [path.relative_to(PACKAGE).as_posix() for path in [*modules, *folders]]


def told() -> list[str]:
    """The paths that README's tree names: two blanks deeper is a folder further down."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block = text.split("```text\nsrc/heldout/\n")[1].split("```")[0]
    paths, parents = list[str](), list[str]()
    for line in filter(str.strip, block.splitlines()):
        depth = (len(line) - len(line.lstrip())) // 2 - 1
        name = line.split()[0].rstrip("/")
        parents = [*parents[:depth], name]
        paths.append("/".join(parents))
    return paths


def placed(paths: list[str]) -> Iterator[tuple[str, float]]:
    """Each module's path and its place from the top; what a folder itself holds comes after all that is in it."""
    for place, path in enumerate(paths):
        inside = [other for other, within in enumerate(paths) if within.startswith(f"{path}/")]
        if path.endswith(".py"):
            yield path, place
        else:
            yield f"{path}/__init__.py", inside[-1] + 0.5


def module_of(path: str) -> str:
    return ".".join(["heldout", *path.removesuffix(".py").removesuffix("/__init__").split("/")])


def imports(file: Path, modules: set[str]) -> Iterator[str]:
    """The modules of ours that a file imports, by their whole names."""
    statements = (
        (f"{node.module}." if isinstance(node, ast.ImportFrom) else "", node.names)
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
    )
    for origin, names in statements:
        for alias in names:
            whole = origin + alias.name
            found = whole if whole in modules else whole.rpartition(".")[0]
            yield from {found} & modules
