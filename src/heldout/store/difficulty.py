"""The file that says which tasks are easy and which are hard for a reference model."""

from importlib.resources import files
from json import dumps
from pathlib import Path

from heldout.errors import BadCall, HeldoutError, choose_from
from heldout.records import Difficulty, Json, from_json, to_json
from heldout.store import schema
from heldout.store.files import replace_file

NAME = "difficulty.json"
SHIPPED = ("pocket",)
"""Models whose file is part of the package, beside the model: they are asked for by name."""

HOW = "`heldout difficulty --model M --envs E --out DIR` writes DIR/difficulty.json"


def read(name: str) -> Difficulty:
    """What a difficulty file says: a file, or `pocket` for the one that is shipped; a changed one is refused."""
    path = _place(name)
    if not path.is_file():
        raise BadCall(f"no difficulty file {name!r} ({choose_from(name, (*SHIPPED, 'a file'))}; {HOW})")
    value = schema.read(path)
    known = value.pop("hash", None)
    del value["schema"]
    try:
        found = from_json(Difficulty, value)
    except BadCall as error:
        raise HeldoutError(f"{path} is no difficulty file: {error} ({HOW})") from None
    if found.digest != known:
        raise HeldoutError(f"{path} is damaged: it is not what was measured as {known} ({HOW})")
    return found


def write(path: Path, difficulty: Difficulty) -> None:
    """Puts it in the file's place, a task a line, with its hash."""
    value = {"schema": schema.KNOWN, "hash": difficulty.digest, **to_json(difficulty)}
    replace_file(path, _format_json(value) + "\n")


def _place(name: str) -> Path:
    return Path(str(files("heldout"))) / name / NAME if name in SHIPPED else Path(name)


def _format_json(value: Json, margin: str = "") -> str:
    """JSON whose innermost lists and objects stand on one line each."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if not any(isinstance(item, dict | list) for item in inner):
        return dumps(value, ensure_ascii=False)
    deeper = margin + "  "
    if isinstance(value, dict):
        lines = [f"{dumps(key)}: {_format_json(item, deeper)}" for key, item in value.items()]
        begin, end = "{}"
    else:
        lines = [_format_json(item, deeper) for item in value]
        begin, end = "[]"
    return f"{begin}\n{deeper}" + f",\n{deeper}".join(lines) + f"\n{margin}{end}"
