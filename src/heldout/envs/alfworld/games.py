"""The released games, as they lie under HELDOUT_DATA: folders as released, or files with a game a line."""

import json
import lzma
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import BinaryIO, cast, final

from zstandard import compress, decompress

from heldout.bounds import bounded_lines
from heldout.data.folder import bringing, mending
from heldout.envs.alfworld.house import Edition, House
from heldout.envs.alfworld.pddl import edition_of, house_of
from heldout.errors import BadCall, unknown
from heldout.records import Json

FOLDER = Path("alfworld")
"""Under HELDOUT_DATA, with all the folders and files below."""

TREES = {"2.1.1": "json_2.1.1", "2.1.2": "json_2.1.2"}
"""The folder of each release: in it one a split, in that one for what is to be done, in that one a recording."""

GAME = "game.tw-pddl"

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
"""The files of each release and split, a game a line: read where the release itself is not there."""

LATER = ("alfred_domain_v212.pddl", "grammar_template_v212_move.twl2")
"""The domain and the grammar of all games of 2.1.2, whose lines do not name them."""


_SENTENCE = re.compile(r'"task":\s*\[\s*\{\s*"rhs":\s*("(?:[^"\\]|\\.)*")')
"""Where a game's own grammar has its goal sentence."""


_JOINED = re.compile(r"(.+)_(trial_T\d+_\d+_\d+)", re.ASCII)
"""A game's two folders in one name, as AgentGym's lists have them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelled:
    """A game as somebody names it."""

    id: str
    """Its two folders."""
    release: str | None
    split: str | None
    """Where the name is a path that has them."""


def parse_name(text: str) -> Spelled | None:
    """The game that a text names: two folders joined by `/` or `_`, or a path; None if it does not."""
    *folders, last = text.removeprefix("alfworld_").split("/")
    path = folders if last.endswith((".tw-pddl", ".pddl", ".json")) else [*folders, last]
    if path and (joined := _JOINED.fullmatch(path[-1])):
        path[-1:] = joined.groups()
    if len(path) < 2 or not path[-1].startswith("trial_T"):
        return None
    *above, task, trial = path
    return Spelled(
        id=f"{task}/{trial}",
        release=next((release for release, tree in TREES.items() if tree in above), None),
        split=above[-1] if above and above[-1] in {split for _, split in FILES} else None,
    )


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


@final
@dataclass(frozen=True)
class _Tree(Mapping[str, Game]):
    """The games of a folder as released, each read when it is asked for."""

    folder: Path

    def __getitem__(self, name: str) -> Game:
        """One game, by its two folders."""
        if name not in self._names:
            raise KeyError(name)
        path = self.folder / name / GAME
        try:
            return game_in(path.read_text("utf-8"), name)
        except (OSError, UnicodeDecodeError, BadCall) as error:
            raise BadCall(
                f"cannot read {path} ({error}); {mending(str(FOLDER / self.folder.parent.name))}"
            ) from None

    def __contains__(self, name: object) -> bool:
        """Whether there is a game in those folders: it need not be read for that."""
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        """The names, in their order."""
        return iter(self._names)

    def __len__(self) -> int:
        """How many games there are."""
        return len(self._names)

    @cached_property
    def _names(self) -> dict[str, None]:
        found = sorted(f"{path.parent.parent.name}/{path.parent.name}" for path in self.folder.glob(f"*/*/{GAME}"))
        return dict.fromkeys(found)


def place(data: Path, release: str, split: str) -> Path:
    """Where the games of one release and split lie, under HELDOUT_DATA; where they would, if they are not there."""
    if (release, split) not in FILES:
        raise unknown("release and split", f"{release} {split}", map(" ".join, FILES))
    tree, compact = FOLDER / TREES[release] / split, FOLDER / FILES[release, split]
    return compact if (data / compact).exists() and not (data / tree).is_dir() else tree


@lru_cache(maxsize=8)
def games(data: Path, release: str, split: str) -> Mapping[str, Game]:
    """The games of one release and split, by their ids."""
    where = place(data, release, split)
    if (data / where).is_dir():
        return _Tree(data / where)
    try:
        with lzma.open(data / where, "rb") as file:
            lines = bounded_lines(cast(BinaryIO, file), data / where)
            found = [_game(json.loads(line), data / FOLDER) for line in lines]
    except FileNotFoundError:
        raise BadCall(f"there is no {data / where}; {bringing(str(where))}") from None
    except (OSError, EOFError, lzma.LZMAError, ValueError, KeyError, TypeError) as error:
        raise BadCall(f"cannot read {data / where} ({error}); {mending(str(where))}") from None
    return {game.id: game for game in found}


def game_in(text: str, name: str) -> Game:
    """The game in the text of a released `game.tw-pddl`."""
    try:
        value = json.loads(text)
        return Game(
            id=name,
            sentence=json.loads(_SENTENCE.findall(value["grammar"])[0]),
            packed=compress(value["pddl_problem"].encode(), level=1),
            edition=edition_of(value["pddl_domain"], _SENTENCE.sub("", value["grammar"])),
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
