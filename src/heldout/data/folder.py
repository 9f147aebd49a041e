"""The folder that HELDOUT_DATA names, and the lists of published ids in it."""

import os
from json import loads
from pathlib import Path

from heldout.data.catalogue import fetching, source_bringing
from heldout.errors import BadCall

VARIABLE = "HELDOUT_DATA"
IDS = "agentgym_item_ids"
"""The folder with AgentGym-RL's lists (CC BY-NC: they are read there and never part of this package)."""
FILES = {"train": "train/{env}_train.json", "test": "eval/{env}_test.json"}

Needs = tuple[tuple[str, ...], ...]
"""What an environment's real tasks are read from: places in the folder, in groups of which one is enough."""


def data_folder() -> Path:
    """The folder of the real tasks' data; raises `BadCall` where none is named."""
    named = os.environ.get(VARIABLE)
    if not named:
        raise BadCall(f"{VARIABLE} is not set: it names the folder with the real tasks' data")
    return Path(named)


def bringing(path: str) -> str:
    """What mends that nothing readable lies at that place in the folder, as errors say it."""
    command = fetching(path)
    return f"{VARIABLE} has to name a folder with it" + (f" ({command} brings it)" if command else "")


def mending(path: str) -> str:
    """What mends that something damaged lies at that place in the folder, as errors say it."""
    found = source_bringing(path)
    if found is None:
        return f"{VARIABLE} has to name a folder where it is whole"
    source, own = found
    return f"if it is damaged, remove {own} from {VARIABLE}, then: heldout data fetch {source.name}"


def lacking(data: Path, needs: Needs) -> list[str]:
    """The first place of each group of which nothing is there."""
    return [group[0] for group in needs if not any((data / place).exists() for place in group)]


def refuse_lacking(data: Path, needs: Needs) -> None:
    """Refuses a folder in which something is missing, with the one command that brings it all."""
    if missing := lacking(data, needs):
        command = fetching(*missing)
        brings = f"{command} brings {'it' if len(missing) == 1 else 'them'}" if command else "they are of no source"
        raise BadCall(f"{VARIABLE} names {data}, which has no {', no '.join(missing)}: {brings}")


def ids_path(env: str, split: str) -> str:
    """Where in the folder the ids of an environment's `train` or `test` tasks are listed."""
    return f"{IDS}/{FILES[split]}".format(env=env)


def ids_needed(env: str) -> Needs:
    """The lists of an environment's `train` and `test` ids, as something that has to be there."""
    return tuple((ids_path(env, split),) for split in FILES)


def published_ids(data: Path, env: str, split: str) -> list[str]:
    """The item ids of an environment's `train` or `test` tasks, such as `webshop_5238`, in the list's order."""
    path = data / ids_path(env, split)
    try:
        return [str(item["item_id"]) for item in loads(path.read_text("utf-8"))]
    except OSError as error:
        raise BadCall(f"could not read {path}: {error.strerror}; {bringing(ids_path(env, split))}") from None
    except (ValueError, KeyError, TypeError):
        raise BadCall(f"{path} is no list of objects with an item_id such as {env}_0") from None


def published_numbers(data: Path, env: str, split: str) -> list[int]:
    """The same as numbers, for environments whose ids are their name and a number."""
    numbers = list[int]()
    for item in published_ids(data, env, split):
        name, _, number = item.rpartition("_")
        if name not in (env, "") or not number.isdecimal():
            raise BadCall(f"{data / ids_path(env, split)}: {item!r} is no id such as {env}_0")
        numbers.append(int(number))
    return numbers
