"""What is public is met outside its file, and a file is named after what it holds."""

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
    for name in ("legal", "mistakes", "thought")
}
"""A public function or class that nobody else names → why it is public."""

EMPTY = {"common", "helper", "helpers", "misc", "util", "utils"}
"""Names that a file may have and say nothing."""

GONE = re.findall(
    r"\w+",
    "Ask Crew Door Halves Line Manner Spoken Team Verdict Wire aimless clumsy halved manner newborn pathless slips "
    "turn_limit twin twin_of useful_groups",
)
"""Words that the field has others for (docs/decisions/0018-the-fields-words.md)."""


def test_what_is_public_is_met_outside_its_file() -> None:
    met = {name for path in READERS for name in names_met(path)} | set(toured())
    assert {name for path in MODULES for name in offered(path)} - met == KEPT.keys()


def test_a_file_is_named_after_what_it_holds() -> None:
    assert not {path.stem for path in MODULES} & EMPTY


def test_the_words_that_went_do_not_come_back_as_names() -> None:
    assert {f"{path.stem}: {name}" for path in MODULES for name in given(path) if name in GONE} == set()


def given(path: Path) -> Iterator[str]:
    """The names that a file gives to functions, classes, arguments, fields and variables."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()):
                yield name


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
