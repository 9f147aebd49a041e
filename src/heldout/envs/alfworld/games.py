"""The released games, as files under HELDOUT_DATA have them."""

import json
import lzma
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from zstandard import compress, decompress

from heldout.envs.alfworld.house import Edition, House
from heldout.envs.alfworld.pddl import edition_of, house_of
from heldout.errors import BadCall, unknown
from heldout.records import Json

FOLDER = Path("alfworld")
"""Under HELDOUT_DATA, with all the files below."""

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
        return house_of(decompress(self.packed).decode(), self.sentence, self.edition)


@lru_cache(maxsize=8)
def games(data: Path, release: str, split: str) -> Mapping[str, Game]:
    """The games of one release and split, by their ids."""
    if (release, split) not in FILES:
        raise unknown("release and split", f"{release} {split}", map(" ".join, FILES))
    folder = data / FOLDER
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
            packed=compress(value["pddl_problem"].encode(), level=1),
            edition=edition_of(value["pddl_domain"], value["grammar"]),
            solvable=bool(value.get("solvable")),
            walkthrough=tuple(value.get("walkthrough") or ()),
        )
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise BadCall(f"{name} is no game.tw-pddl ({error!r})") from None


@lru_cache(maxsize=256)
def house(data: Path, release: str, split: str, name: str) -> House:
    """The household of a game; episodes share it while it is among the last that were opened."""
    found = games(data, release, split)
    if name not in found:
        raise unknown(f"game of {release} {split}", name, found)
    return found[name].house()


def _game(row: Json, folder: Path) -> Game:
    domain, grammar = LATER
    if "domain" in row:
        domain, grammar = f"alfred_domain_v211_{row['domain']}.pddl", f"grammar_template_v211_{row['grammar']}.twl2"
    return Game(
        id=row["id"],
        sentence=row["task"],
        packed=compress(row["pddl_problem"].encode(), level=1),
        edition=_edition(folder / domain, folder / grammar),
        solvable=bool(row["solvable"]),
        walkthrough=tuple(row.get("walkthrough") or ()),
    )


@cache
def _edition(domain: Path, grammar: Path) -> Edition:
    return edition_of(domain.read_text("utf-8"), grammar.read_text("utf-8"))
