"""What is public is met outside its file; what is ours is named in whole words, none of them empty."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "src").rglob("*.py"))
READERS = [*MODULES, *sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "examples").glob("*.py"))]
DEFINED = ast.FunctionDef | ast.ClassDef

KEPT = {
    f"heldout.envs.corridor.{name}": "the file is there to be copied, and a players.py offers these"
    for name in ("legal", "slips", "thought")
}
"""A public function or class that nobody else names → why it is public."""

EMPTY = {"common", "handler", "helper", "helpers", "manager", "misc", "util", "utils"}
"""Words that a name may be full of and say nothing."""

SHORT = """
adv arg arr attn attr buf calc cfg cnt conf ctx cur curr desc dir elem emb err fn func hist idx img impl info inst
iter kwargs len lst mgr msg num obj obs param params pos pred prev prob probs ref req res resp ret rew sec seq src
str temp tmp tok traj val
"""
"""Abbreviations; `env`, `id`, `ids`, `kl`, `lr`, `logp` and `rng` are words here."""

GIVEN = {
    "get_seq_length": "transformers asks a cache by this name",
    "num_tasks": "OpenEnv asks an environment by this name",
    "rollout_func": "TRL's GRPOTrainer has an argument of this name",
}
"""A name with one of these words → whose name it is."""


def test_what_is_public_is_met_outside_its_file() -> None:
    met = {name for path in READERS for name in names_met(path)} | set(toured())
    assert {name for path in MODULES for name in offered(path)} - met == KEPT.keys()


def test_names_are_whole_words_that_say_something() -> None:
    refused = EMPTY | set(SHORT.split())
    wrong = {
        name
        for path in MODULES
        for name in (path.stem.strip("_"), *named(ast.parse(path.read_text(encoding="utf-8"))))
        if {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)} & refused
    }
    assert wrong == GIVEN.keys()


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT / "src").with_suffix("").parts).removesuffix(".__init__")


def offered(path: Path) -> Iterator[str]:
    """A module's public functions and classes.

    Not those that others of its public names are made of (a type in a signature, a row of a table), nor what a
    module that is run by its name calls.
    """
    body = ast.parse(path.read_text(encoding="utf-8")).body
    public = [node for node in body if isinstance(node, DEFINED) and not node.name.startswith("_")]
    parts = {name for node in public for hint in hints(node) for name in re.findall(r"\w+", ast.unparse(hint))}
    rest = [node for node in body if not isinstance(node, DEFINED)]
    parts |= {node.id for each in rest for node in ast.walk(each) if isinstance(node, ast.Name)}
    return (f"{module_of(path)}.{node.name}" for node in public if node.name not in parts)


def hints(definition: ast.FunctionDef | ast.ClassDef) -> Iterator[ast.expr]:
    """The types that a definition names."""
    for node in ast.walk(definition):
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation:
            yield node.annotation
        if isinstance(node, ast.FunctionDef) and node.returns:
            yield node.returns


def names_met(path: Path) -> Iterator[str]:
    """The names of ours that a file imports, reaches through a module, or has in a string as `module:name`."""
    known = dict[str, str]()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.ImportFrom(module=str(module), names=names):
                known |= {alias.asname or alias.name: f"{module}.{alias.name}" for alias in names}
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name in known:
                yield f"{known[name]}.{attribute}"
            case ast.Constant(value=str(place)) if re.fullmatch(r"heldout\.[\w.]+:\w+", place):
                yield place.replace(":", ".")
    yield from known.values()


def toured() -> Iterator[str]:
    """The names that the tour leads to: they are public for its reader."""
    text = (ROOT / "docs" / "tour.md").read_text(encoding="utf-8")
    for name, place in re.findall(r"\[`(\w+)[^\]]*`\]\(\.\./src/([\w/]+)\.py\)", text):
        yield f"{place.replace('/', '.').removesuffix('.__init__')}.{name}"


def named(tree: ast.Module) -> Iterator[str]:
    """The names that a module gives: of functions, classes, arguments and values."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) if name.startswith("__"):
                pass
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()):
                yield name
