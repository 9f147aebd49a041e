"""The released games, under HELDOUT_DATA: AgentGym's 2,620, and all the others."""

import json
import lzma
import os
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from heldout.envs.alfworld.house import Edition, House
from heldout.envs.alfworld.pddl import edition_of, house_of
from heldout.errors import BadCall, unknown
from heldout.records import Json

FOLDER = "alfworld"
"""Under HELDOUT_DATA."""

FILES = {
    ("2.1.1", "train"): "games_v211_train.jsonl.xz",
    ("2.1.1", "valid_train"): "games_v211_valid_train.jsonl.xz",
    ("2.1.1", "valid_seen"): "games_v211_valid_seen.jsonl.xz",
    ("2.1.1", "valid_unseen"): "games_v211_valid_unseen.jsonl.xz",
    ("2.1.2", "train"): "games_train.jsonl.xz",
    ("2.1.2", "valid_train"): "games_valid_train.jsonl.xz",
    ("2.1.2", "valid_seen"): "games_valid_seen.jsonl.xz",
    ("2.1.2", "valid_unseen"): "games_valid_unseen.jsonl.xz",
}
"""The files of each release and split, a game a line."""

LATER = ("alfred_domain_v212.pddl", "grammar_template_v212_move.twl2")
"""The domain and the grammar of all games of 2.1.2, whose lines do not name them."""


_SENTENCE = re.compile(r'"task":\s*\[\s*\{\s*"rhs":\s*("(?:[^"\\]|\\.)*")')
"""Where a game's own grammar has its goal sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Game:
    """One released game, as its file has it."""

    id: str
    """Its two folders: what is to be done, and the recording that it was made from."""
    sentence: str
    packed: bytes
    """The PDDL problem, compressed: of these texts thousands are kept."""
    edition: Edition
    solvable: bool
    walkthrough: tuple[str, ...] = ()

    def house(self) -> House:
        """The household of the game."""
        return house_of(zlib.decompress(self.packed).decode(), self.sentence, self.edition)


def data_folder() -> Path:
    """The folder of the games."""
    folder = os.environ.get("HELDOUT_DATA")
    if not folder:
        raise BadCall(f"HELDOUT_DATA is not set: it names the folder with {FOLDER}/{FILES['2.1.1', 'train']}")
    return Path(folder, FOLDER)


@lru_cache(maxsize=8)
def games(folder: Path, release: str, split: str) -> Mapping[str, Game]:
    """The games of one release and split, by their ids."""
    if (release, split) not in FILES:
        raise unknown("release and split", f"{release} {split}", map(" ".join, FILES))
    path = folder / FILES[release, split]
    try:
        with lzma.open(path, "rt", encoding="utf-8") as lines:
            found = [_game(json.loads(line), folder) for line in lines]
    except (OSError, EOFError, lzma.LZMAError, ValueError, KeyError, TypeError) as error:
        raise BadCall(f"cannot read {path} ({error}); HELDOUT_DATA has to name a folder that holds it") from None
    return {game.id: game for game in found}


def game_in(text: str, name: str) -> Game:
    """The game in the text of a released `game.tw-pddl`."""
    try:
        value = json.loads(text)
        return Game(
            id=name,
            sentence=json.loads(_SENTENCE.findall(value["grammar"])[0]),
            packed=zlib.compress(value["pddl_problem"].encode(), 1),
            edition=edition_of(value["pddl_domain"], value["grammar"]),
            solvable=bool(value.get("solvable")),
            walkthrough=tuple(value.get("walkthrough") or ()),
        )
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise BadCall(f"{name} is no game.tw-pddl ({error!r})") from None


@lru_cache(maxsize=256)
def house(folder: Path, release: str, split: str, name: str) -> House:
    """The household of a game; the same arguments give the same object, which episodes share."""
    found = games(folder, release, split)
    if name not in found:
        raise unknown(f"game of {release} {split}", name, found)
    return found[name].house()


@cache
def listed(folder: Path) -> Sequence[tuple[str, str]]:
    """AgentGym's games by their index: the split and the id of each."""
    splits = {"agentgym_mappings_train.json": "train", "agentgym_mappings_test.json": "valid_train"}
    return [(split, name) for file, split in splits.items() for name in _mapped(folder / file)]


def number_of(item: str, folder: Path) -> int | None:
    """The index of a published item id, such as `alfworld_2420` or the id's two folders joined by `_` (Q-AW5).

    None where it names no game of AgentGym's.
    """
    number = item.removeprefix("alfworld_")
    if number.isdecimal():
        return int(number) if int(number) < len(listed(folder)) else None
    return _numbers(folder).get(item)


@cache
def _numbers(folder: Path) -> dict[str, int]:
    return {name.replace("/", "_"): number for number, (_, name) in enumerate(listed(folder))}


def _mapped(path: Path) -> list[str]:
    try:
        return [f"{row['task_type']}/{row['task_id']}" for row in json.loads(path.read_text("utf-8"))]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadCall(f"cannot read {path} ({error}); HELDOUT_DATA has to name a folder that holds it") from None


def _game(row: Json, folder: Path) -> Game:
    domain, grammar = LATER
    if "domain" in row:
        domain, grammar = f"alfred_domain_v211_{row['domain']}.pddl", f"grammar_template_v211_{row['grammar']}.twl2"
    return Game(
        id=row["id"],
        sentence=row["task"],
        packed=zlib.compress(row["pddl_problem"].encode(), 1),
        edition=_edition(folder / domain, folder / grammar),
        solvable=bool(row["solvable"]),
        walkthrough=tuple(row.get("walkthrough") or ()),
    )


@cache
def _edition(domain: Path, grammar: Path) -> Edition:
    return edition_of(domain.read_text("utf-8"), grammar.read_text("utf-8"))
