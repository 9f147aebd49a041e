"""The released games as tasks: AgentGym's 2,420 and 200, by their index, and others to demonstrate in."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path

from heldout.data.check import Check, check_source
from heldout.data.folder import Needs, bringing, data_folder, ids_needed, ids_path, mending, published_ids
from heldout.data.pools import check_pools, refuse_twins
from heldout.envs.alfworld.games import FILES, FOLDER, TREES, games, house, parse_name, place
from heldout.envs.alfworld.house import House
from heldout.envs.alfworld.sentences import says
from heldout.envs.lazy import Lazy, refuse_unknown_split
from heldout.errors import BadCall
from heldout.records import Task, digest

RELEASE = "2.1.1"
"""Of the games that AgentGym plays."""

LISTS = {"train": "agentgym_mappings_train.json", "valid_train": "agentgym_mappings_test.json"}
"""AgentGym's lists, in the order of its index, and the split of the games in each: its test games are among
those that ALFWorld keeps to validate on the training rooms."""

NEEDS: Needs = (
    *((str(FOLDER / TREES[RELEASE]), str(FOLDER / FILES[RELEASE, split])) for split in LISTS),
    *((str(FOLDER / file),) for file in LISTS.values()),
    *ids_needed("alfworld"),
)
"""What the games of `train` and `test` are read from."""

EASY = ("pick_and_place_simple", "look_at_obj_in_light")
"""What easy games ask for: to find one thing, and no more than to bring it somewhere."""

SPLITS = tuple(split for release, split in FILES if release == RELEASE)

Place = tuple[str, str]
"""A game's split and id."""


def published_tasks(split: str, data: Path) -> Sequence[Task]:
    """The games of a split: `train` and `test` by the published ids, `demonstrations` solvable ones of neither."""
    refuse_unknown_split(split)
    if split == "demonstrations":
        names = _others(data)
        return Lazy(lambda number: _task(split, names[number], ("train", names[number])), range(len(names)))
    pools = _pools(data)
    refuse_twins(data, "alfworld", pools)
    numbers = [number for _, number in pools[split]]
    return Lazy(lambda number: _task(split, f"alfworld_{number}", list_games(data)[number]), numbers)


def open_task(task: Task, data: Path) -> House:
    """The household of a real task."""
    return house(data, RELEASE, task.world["split"], task.world["game"])


def data_digest(data: Path) -> str:
    """A digest of the games that the ids lead to."""
    return digest(
        [RELEASE, list_games(data), *(published_ids(data, "alfworld", split) for split in ("train", "test"))]
    )


@cache
def list_games(data: Path) -> Sequence[Place]:
    """AgentGym's games by their index."""
    return [(split, name) for split, file in LISTS.items() for name in _read_mapping(data / FOLDER / file)]


def number_of(item: str, data: Path) -> int | None:
    """The index of a published item id, `alfworld_2420` or a game's two folders joined by `_` (Q-AW5) or in a path.

    None where it is of no game in AgentGym's lists.
    """
    number = item.removeprefix("alfworld_")
    if number.isdecimal():
        return int(number) if int(number) < len(list_games(data)) else None
    spelled = parse_name(item)
    if spelled is None or spelled.release not in (None, RELEASE):
        return None
    index = _numbers(data).get(spelled.id)
    return index if index is None or spelled.split in (None, list_games(data)[index][0]) else None


def task_id(item: str) -> str:
    """A published id, a game's name among them, as its task's here; what is none as it stands."""
    spelled = parse_name(item)
    number = number_of(item, data_folder()) if spelled else None
    return item if number is None else f"alfworld_{number}"


def _pools(data: Path) -> dict[str, list[tuple[str, int]]]:
    """The published ids of each split, with their index."""
    return {
        split: [
            (f"alfworld_{number}", number)
            for item in published_ids(data, "alfworld", split)
            for number in [_listed(item, data)]
        ]
        for split in ("train", "test")
    }


def _listed(item: str, data: Path) -> int:
    """The index of a published item id; one of no game is refused."""
    if (number := number_of(item, data)) is None:
        raise BadCall(f"{item!r} is none of the {len(list_games(data))} games in AgentGym's lists")
    return number


def checks(data: Path) -> Iterator[Check]:
    """The games of the release that is played, and of another that is there; and the published ids."""
    for release, split in FILES:
        if release == RELEASE or any((data / place(data, release, each)).exists() for each in SPLITS):
            read, loads = partial(games, data, release, split), partial(_loads, data, release, split)
            where = str(place(data, release, split))
            yield check_source(data, where, "games that load, their goal told", read, loads)
    for split in ("train", "test"):
        ids = partial(published_ids, data, "alfworld", split)
        yield check_source(data, ids_path("alfworld", split), "ids with a game", ids, partial(_has_game, data))
    yield from check_pools(data, "alfworld", partial(_pools, data))


def _loads(data: Path, release: str, split: str, name: str) -> bool:
    made = games(data, release, split)[name].house()
    if not says(made.sentence, made.goal):
        raise BadCall(f"the sentence of {name} tells another goal than it has: {made.sentence!r}")
    return True


def _has_game(data: Path, item: str) -> bool:
    split, name = list_games(data)[_listed(item, data)]
    return (data / place(data, RELEASE, split)).exists() and name in games(data, RELEASE, split)


def _task(split: str, name: str, place: Place) -> Task:
    released, game = place
    difficulty = "easy" if game.startswith(EASY) else "hard"
    return Task(
        env="alfworld", split=split, id=name, difficulty=difficulty, world={"split": released, "game": game}
    )


@cache
def _numbers(data: Path) -> Mapping[str, int]:
    return {name: number for number, (_, name) in enumerate(list_games(data))}


@cache
def _others(data: Path) -> list[str]:
    """The solvable games of the training split that AgentGym does not list."""
    taken = {name for _, name in list_games(data)}
    return [name for name, game in games(data, RELEASE, "train").items() if name not in taken and game.solvable]


def _read_mapping(path: Path) -> list[str]:
    listing = str(FOLDER / path.name)
    try:
        return [f"{row['task_type']}/{row['task_id']}" for row in json.loads(path.read_text("utf-8"))]
    except OSError as error:
        raise BadCall(f"cannot read {path} ({error.strerror}); {bringing(listing)}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise BadCall(f"cannot read {path} ({error!r}); {mending(listing)}") from None
