"""A checkpoint where people look for it, such as `outputs/webshop_easy_checkpoint`: a copy, and whose it is."""

import os
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile

from heldout.errors import BadCall
from heldout.records import from_json, to_json
from heldout.store import schema
from heldout.store.folders import ACCOUNT, damage, replacing

OPTIMIZER = "optimizer.safetensors"
"""What of a checkpoint only going on needs."""

MARK = "published.json"
"""Tells that the folder is ours, and which training made it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """Which training's checkpoint a folder is a copy of."""

    run: str
    """The folder of the training's run."""
    chain: str
    seed: int
    step: int
    by_another_name: bool = False
    """Whether the checkpoint lies under its own name too: such a copy never replaces one of that name."""

    def __str__(self) -> str:
        """In words."""
        return f"{self.run}, {self.chain}, seed {self.seed}, step {self.step}"


def publish(checkpoint: Path, folder: Path, made_by: Published) -> Published | None:
    """Copies a checkpoint's model, to be read by transformers; what it replaces is returned.

    The folder is never there half written. One with a file that we did not put there is refused, and left as it is,
    and so is one of that name where the copy is by another name.
    """
    there = _mark_of(folder)
    if there and made_by.by_another_name and not there.by_another_name:
        raise BadCall(f"{folder} stays that of {there}")
    with replacing(folder, accounted=True, check=lambda: _refuse_foreign(folder)) as partial:
        for file in sorted(checkpoint.iterdir()):
            if file.name not in (OPTIMIZER, ACCOUNT, MARK):
                (_link if made_by.by_another_name else copyfile)(file, partial / file.name)
        schema.replace(partial / MARK, to_json(made_by))
    return there


def published_in(folder: Path) -> Published | None:
    """Whose copy the folder is, None where there is no folder or an empty one; refused where it is not ours."""
    _refuse_foreign(folder)
    return _mark_of(folder)


def _mark_of(folder: Path) -> Published | None:
    if not (folder / MARK).is_file():
        return None
    value = schema.read(folder / MARK)
    del value["schema"]
    return from_json(Published, value)


def _refuse_foreign(folder: Path) -> None:
    """Refuses a place with anything in it that is not as we put it there."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not folder.is_dir():
        raise BadCall(f"{folder} is a file, and a checkpoint's folder would go there: move it, or choose --out")
    if not (folder / MARK).is_file() or not (folder / ACCOUNT).is_file():
        raise BadCall(f"{folder} is no checkpoint that heldout put there: move it, or choose --out")
    known = schema.read(folder / ACCOUNT).get("files", {})
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not path.is_dir() and name not in known and name != ACCOUNT:
            raise BadCall(f"{path} is not of the checkpoint beside it, and would be lost: move it, or choose --out")
    if wrong := damage(folder):
        raise BadCall(f"{wrong}: what was made of {folder} would be lost; move it, or choose --out")


def _link(source: Path, target: Path) -> None:
    """A second name for a file that nobody writes to; a copy where the disk has no such names."""
    try:
        os.link(source, target)
    except OSError:
        copyfile(source, target)
