"""What a checkpoint went through, in its folder: whoever goes on from it, or measures it, says the same of it.

A *training* is the JSON object of all that decides a stage's weights: `base`, and `stages` in order, each with its
environments, settings, sources and seed; a stage that another goes on from has its `steps` too.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from heldout.config import Train
from heldout.errors import HeldoutError
from heldout.records import Json, digest, from_json, to_json
from heldout.store import schema

NAME = "lineage.json"

Training = Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """How a checkpoint came about."""

    base: str
    """What people call the model that its chain starts from."""
    chain: str
    """The chain that ends in it."""
    step: int
    """Of the chain's last stage."""
    training: Training = field(hash=False)
    weights: str
    """The digest of the weights' files: a lineage that was copied to other weights is refused."""
    words: str = ""
    """The digest of its tokenizer, chat template and end tokens; empty where an older version wrote it."""
    made_with: Mapping[str, Json] = field(default_factory=dict, hash=False)
    """Versions, machine and processor: recorded, and no part of what the checkpoint is."""

    @property
    def model(self) -> str:
        """Names the checkpoint by what decided its weights."""
        return model_of(self.training, self.step)

    @property
    def stages(self) -> list[Json]:
        """The training's stages, the last one with the steps that it had made."""
        *before, last = self.training["stages"]
        return [*before, {**last, "steps": self.step}]


def write(folder: Path, lineage: Lineage) -> None:
    """Puts it beside the weights."""
    schema.replace(folder / NAME, to_json(lineage))


def is_in(folder: Path) -> bool:
    """Whether a folder, or what is no folder, has one."""
    return (folder / NAME).is_file()


def read(folder: Path, weights: str) -> Lineage | None:
    """What the folder says that its weights, of that digest, went through; None where it says nothing."""
    path = folder / NAME
    if not is_in(folder):
        return None
    value = schema.read(path)
    del value["schema"]
    lineage = from_json(Lineage, value)
    if not _is_whole(lineage.training):
        raise HeldoutError(f"{path} is damaged: its training has no base or no stages")
    if lineage.weights != weights:
        raise HeldoutError(f"{path} tells of other weights than those beside it: remove it, or copy the folder")
    return lineage


def _is_whole(training: Training) -> bool:
    """Whether a training names its base and one stage or more, each with its fields."""
    stages = training.get("stages")
    if not isinstance(training.get("base"), str) or not isinstance(stages, list):
        return False
    return bool(stages) and all(isinstance(stage, dict) for stage in stages)


def model_of(training: Training, step: int) -> str:
    """16 hexadecimal digits that name the checkpoint of a training after a step."""
    return digest({"training": training, "step": step})


def differences(known: Training, asked: Training) -> Iterator[tuple[str, Json, Json]]:
    """The fields in which two trainings differ, by dotted path, with both values.

    A field that one of them does not have yet, since it is newer, is as its default there.
    """
    flat, other = dict(_flat(known)), dict(_flat(asked))
    for path in sorted(flat.keys() | other.keys()):
        was, now = (side.get(path, _default(path)) for side in (flat, other))
        if was != now:
            yield path, was, now


def _flat(value: Json, path: str = "") -> Iterator[tuple[str, Json]]:
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else None
    if items is None:
        yield path, value
        return
    for name, inner in items:
        yield from _flat(inner, f"{path}.{name}" if path else str(name))


def _default(path: str) -> Json:
    _, section, name = ["", "", *path.split(".")][-3:]
    return to_json(getattr(Train(), name, None)) if section == "train" else None
