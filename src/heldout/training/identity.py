"""What decides a training's weights, as data: a folder goes on only with the same."""

from collections.abc import Iterable, Mapping, Sequence

from heldout.chains import Stage
from heldout.config import REFERENCES, Config
from heldout.envs.base import Suite
from heldout.envs.registry import own_name
from heldout.learn.methods import method_of
from heldout.records import Json, digest, to_json
from heldout.store.lineage import Training, differences

SET_BY_PEOPLE = ("train.", "limits.", "source.", "seed")
"""Fields that people set: of several that differ they are named before what follows from them."""

UNDECIDING = ("steps", "save_every", "max_skipped")
"""Settings of a training that change no weights: where it ends, and what it keeps on the way."""

SOURCE = ("kind", "rules", "seed", "profile")
"""What of a task source is told by name; its options and files are in each environment's digest."""


def training_of(base: str, stages: Iterable[Json]) -> Training:
    """The training that the last of these stages is, from a base of that digest."""
    return {"base": base, "stages": list(stages)}


def stage_facts(stage: Stage, config: Config, suites: Sequence[Suite], *, seed: int) -> dict[str, Json]:
    """What of the settings and tasks decides what a stage makes of the weights that it begins with.

    `config` is as the stage's changes make it. Environments have their own names, wherever they are played, and
    tasks the digests of their sources: nothing here is a place or the name of a folder.
    """
    algorithm = {"algorithm": config.train.algorithm.lower()}
    train = {**to_json(config.train), **to_json(method_of(config.train)), **algorithm}
    if config.train.reference not in REFERENCES:
        train["reference"] = "teacher"  # by what decided its weights, it is told elsewhere
    return {
        "envs": [own_name(env) for env in stage.envs],
        "difficulty": stage.difficulty,
        "weights": list(stage.weights),
        "train": {name: value for name, value in train.items() if name not in UNDECIDING},
        "limits": {
            "response_budget": config.limits.response_budget,
            "reply_tokens": config.limits.reply_tokens,
        },
        "tasks": {own_name(suite.name): _task_facts(suite) for suite in suites},
        "source": {name: getattr(config.source, name) for name in SOURCE},
        "seed": seed,
    }


def with_steps(facts: Mapping[str, Json], steps: int) -> dict[str, Json]:
    """The facts of a stage that another goes on from."""
    return {**facts, "steps": steps}


def apart(known: Training, asked: Training) -> str:
    """The first field in which a folder's training is not the asked one, with both values; or nothing."""
    found = [(_field_name(path, asked), was, now) for path, was, now in differences(known, asked)]
    for field, was, now in sorted(found, key=lambda each: not each[0].startswith(SET_BY_PEOPLE)):
        return f"{field} is {was} there, and {now} was asked"
    return ""


def _field_name(path: str, training: Training) -> str:
    """A field as people set it: of the last stage `train.kl`, of one before it which stage too."""
    if not path.startswith("stages."):
        return path
    _, number, field = path.split(".", 2)
    is_last = int(number) == len(training["stages"]) - 1
    return field if is_last else f"{field} of stage {int(number) + 1}"


def _task_facts(suite: Suite) -> dict[str, Json]:
    return {
        "data": suite.data,
        "difficulty_source": suite.difficulty_source,
        "rules": suite.rules,
        "rules_version": suite.rules_version,
        "prompt": digest(suite.instruction),
        "variant": suite.variant.name,
        "max_turns": suite.max_turns,
    }
