"""README's tree is the real one."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "heldout"


def test_the_tree_in_the_readme_is_the_real_tree() -> None:
    assert sorted(told()) == sorted(real())


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
