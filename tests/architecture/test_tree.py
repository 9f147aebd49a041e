"""docs/architecture.md is what its script writes, and no module imports in a circle."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
MODULES = sorted((SOURCE / "heldout").rglob("*.py"))


def test_the_page_of_the_architecture_is_what_make_docs_writes() -> None:
    code = "import architecture, sys; sys.stdout.write(architecture.page())"
    call = [sys.executable, "-c", code]
    done = subprocess.run(call, cwd=ROOT / "tools", capture_output=True, text=True, check=True)
    assert (ROOT / "docs" / "architecture.md").read_text("utf-8") == done.stdout, "call make docs"


def test_every_module_says_what_it_is() -> None:
    silent = [path for path in MODULES if path.name != "__init__.py" and not ast.get_docstring(parsed(path))]
    assert not silent


def test_no_module_imports_in_a_circle() -> None:
    names = {module_of(path) for path in MODULES}
    TopologicalSorter({module_of(path): set(imports(path, names)) for path in MODULES}).prepare()


def test_rows_are_read_scored_and_reported_without_a_learner_or_an_environment() -> None:
    code = "import sys, heldout.reporting.chain, heldout.store.runs; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"torch", "transformers", "gymnasium", "minigrid", "heldout.envs.base", "heldout.agents"}


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path, modules: set[str]) -> Iterator[str]:
    """The modules of ours that a file imports when it is loaded, by their whole names."""
    for node in parsed(path).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in modules else node.module for name in whole if node.module in modules)
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
