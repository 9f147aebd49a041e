"""What each server says: its answers' fields, and the paths that only it has (spec §1.1 to §5.1).

Five are as AgentGym's are; every other environment has the plain one.
"""

import struct
import zlib
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from heldout.envs.agentgym.protocol import LISTED
from heldout.envs.base import Suite
from heldout.errors import OriginalError
from heldout.integrations.agentgym.episodes import Episode
from heldout.integrations.agentgym.items import Find, any_world, find_listed, find_wrapping
from heldout.integrations.agentgym.messages import REQUIRED
from heldout.records import Json

Content = Callable[[Suite, Episode], Json]
"""What is said of an episode as it stands."""


def _number(_: Suite, episode: Episode) -> Json:
    return episode.number


def _number_as_id(_: Suite, episode: Episode) -> Json:
    return {"id": episode.number}


def _text(_: Suite, episode: Episode) -> Json:
    return episode.step.observation


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseFormat:
    """How one server answers."""

    greeting: str = ""
    """What GET / says; empty names the environment."""
    highest: int | None = None
    """The highest number of an episode, where numbers are drawn; None counts them from 0."""
    find: Find = find_listed
    """Which task a number is."""
    created_with: Mapping[str, Json] = field(default_factory=dict)
    """The fields that /create reads, each with what it is where it is left out."""
    unnamed: Json = REQUIRED
    """The number of the task of a /reset that names none, where it need not; None is any, or an error."""
    created: Content = _number
    begins: str = ""
    """What /create begins with: the task of the episode's own `number`, `any`, or the one that it names by `id`,
    if there is one."""
    started: Content
    stepped: Content
    observed: Content = _text
    more: Mapping[tuple[str, str], Content] = field(default_factory=dict)
    """Further paths that ask about an episode."""
    broken: tuple[str, ...] = ()
    """Paths that cannot work in the original: a status of 500 (Q-TC1)."""
    plays_on: bool = True
    """Whether the original carries out actions after the end; others say that the task has finished."""
    closes_unstarted: bool = True
    """What closing an episode that was never reset is answered."""
    lists_episodes: bool = False
    """Whether /list_envs tells the numbers of what is open."""


def _textcraft_started(_: Suite, episode: Episode) -> Json:
    return {"id": episode.number, "observation": episode.opening, "done": False, "reward": 0}


def _textcraft_stepped(_: Suite, episode: Episode) -> Json:
    step = episode.step
    return {"observation": step.observation, "reward": int(step.reward), "done": episode.over}


def _textcraft_detail(suite: Suite, episode: Episode) -> Json:
    stepped: dict[str, Json] = _textcraft_stepped(suite, episode)
    return {**stepped, "deleted": False}


def _babyai_started(_: Suite, episode: Episode) -> Json:
    return {"observation": episode.opening, "reward": 0, "score": 0, "deleted": False, "done": False}


def _babyai_stepped(_: Suite, episode: Episode) -> Json:
    step = episode.step
    return {
        "observation": step.observation,
        "reward": step.reward,
        "score": step.score,
        "done": episode.over,
    }


def _babyai_observed(suite: Suite, episode: Episode) -> Json:
    """The goal before the last words, as the original has it; a pocket observation says it by itself."""
    if episode.env is None:
        seen = {"observation": "Environment not initialized", "reward": 0, "score": 0, "done": False}
        return {**seen, "deleted": False}
    stepped: dict[str, Json] = _babyai_stepped(suite, episode)
    goal, newline, _ = episode.opening.partition("\n")
    if goal.startswith("Your goal: ") and not stepped["observation"].startswith(goal):
        stepped["observation"] = goal + newline + stepped["observation"]
    return {**stepped, "deleted": False}


def _babyai_picture(_: Suite, episode: Episode) -> Json:
    grid = _env_of(episode).world.grid
    pixels = grid.get_frame(highlight=grid.highlight, tile_size=grid.tile_size)
    return "data:image/png;base64," + b64encode(_png(pixels)).decode()


def _png(pixels: Any) -> bytes:
    """A picture of height × width × 3 bytes as a PNG file."""
    height, width, _ = pixels.shape

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    rows = b"".join(b"\0" + pixels[row].astype("uint8").tobytes() for row in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def _env_of(episode: Episode) -> Any:
    """The environment of an episode; before the first reset the originals' table has no entry."""
    if episode.env is None:
        raise OriginalError(str(episode.number))
    return episode.env


def _alfworld_actions(suite: Suite, episode: Episode) -> Json:
    return suite.players.legal(_env_of(episode).world)


def _alfworld_text(_: Suite, episode: Episode) -> Json:
    """The observation without the list of actions, which is the client's part (spec §4.2)."""
    return episode.step.observation.partition(LISTED)[0]


def _alfworld_started(suite: Suite, episode: Episode) -> Json:
    return {
        "id": episode.number,
        "observation": _alfworld_text(suite, episode),
        "available_actions": _alfworld_actions(suite, episode),
        "task_type": _task_type(episode),
    }


def _alfworld_stepped(suite: Suite, episode: Episode) -> Json:
    step = episode.step
    return {
        "observation": step.observation,
        "reward": step.reward,
        "available_actions": _alfworld_actions(suite, episode),
        "done": episode.over,
    }


def _alfworld_detail(suite: Suite, episode: Episode) -> Json:
    if episode.env is None:
        return {"done": False, "reward": 0, "deleted": False}
    stepped: dict[str, Json] = _alfworld_stepped(suite, episode)
    return {"world_type": "Text", **stepped, "deleted": False}


def _task_type(episode: Episode) -> str:
    """`<task folder>/<trial folder>` of a real game, else the task's id."""
    assert episode.task is not None
    return str(episode.task.world.get("game", episode.task.id))


def _webshop_started(_: Suite, episode: Episode) -> Json:
    return [episode.opening, None]


def _webshop_stepped(_: Suite, episode: Episode) -> Json:
    step = episode.step
    return {"state": step.observation, "reward": step.reward, "done": episode.over, "info": None}


def _webshop_actions(suite: Suite, episode: Episode) -> Json:
    """What of the page can be clicked; `search` is named there though clicking it does nothing (spec §1.3)."""
    if episode.over or suite.recordings is None:
        return {"has_search_bar": False, "clickables": []}
    clickables = suite.recordings.beside(_env_of(episode).world).available or ()
    return {"has_search_bar": "search" in clickables, "clickables": list(clickables)}


def _webshop_instruction(_: Suite, episode: Episode) -> Json:
    return "Instruction: " + episode.opening.partition("Instruction: [SEP] ")[2].partition(" [SEP] ")[0]


def _webshop_state(_: Suite, __: Episode) -> Json:
    """The original takes a table apart as if it were a tuple, and sends its keys (Q-WS1)."""
    return {"url": "url", "html": "html", "instruction_text": "instruction_text"}


def _searchqa_opening(suite: Suite, episode: Episode) -> Json:
    """The protocol of tags, in our words, then the question: whatever was played since (spec §2.3)."""
    _env_of(episode)
    return f"{suite.instruction}\n\n {episode.opening}"


def _searchqa_stepped(_: Suite, episode: Episode) -> Json:
    step = episode.step
    return {"observation": step.observation, "reward": step.reward, "done": episode.over, "info": None}


def _plain_answer(_: Suite, episode: Episode) -> Json:
    step = episode.step
    return {"observation": step.observation, "reward": step.reward, "score": step.score, "done": episode.over}


def _plain_actions(suite: Suite, episode: Episode) -> Json:
    return [] if episode.over else suite.players.legal(_env_of(episode).world)


PLAIN = ResponseFormat(
    created=_number_as_id,
    started=_plain_answer,
    stepped=_plain_answer,
    more={("GET", "/available_actions"): _plain_actions},
)
"""The manner of an environment that AgentGym has none of."""

ORIGINALS = {
    "textcraft": ResponseFormat(
        greeting="This is environment TextCraft.",
        begins="number",
        find=find_wrapping,
        created_with={"commands": None, "goal": None},
        unnamed=0,
        created=_textcraft_started,
        started=_textcraft_started,
        stepped=_textcraft_stepped,
        more={("GET", "/detail"): _textcraft_detail},
        broken=("/commands", "/goal"),
    ),
    "babyai": ResponseFormat(
        greeting="This is environment BabyAI.",
        find=any_world,
        created=_number_as_id,
        started=_babyai_started,
        stepped=_babyai_stepped,
        observed=_babyai_observed,
        more={("POST", "/render"): _babyai_picture},
        plays_on=False,
        closes_unstarted=False,
    ),
    "alfworld": ResponseFormat(
        greeting="This is environment AlfWorld.",
        created=_number_as_id,
        started=_alfworld_started,
        stepped=_alfworld_stepped,
        observed=_alfworld_text,
        more={("GET", "/available_actions"): _alfworld_actions, ("GET", "/detail"): _alfworld_detail},
        plays_on=False,
    ),
    "webshop": ResponseFormat(
        greeting="ok",
        begins="any",
        highest=48_950_076,
        unnamed=None,
        lists_episodes=True,
        started=_webshop_started,
        stepped=_webshop_stepped,
        more={
            ("GET", "/available_actions"): _webshop_actions,
            ("GET", "/instruction_text"): _webshop_instruction,
            ("GET", "/state"): _webshop_state,
        },
    ),
    "searchqa": ResponseFormat(
        greeting="ok",
        begins="id",
        created_with={"id": REQUIRED},
        unnamed=None,
        started=_searchqa_opening,
        stepped=_searchqa_stepped,
        observed=_searchqa_opening,
    ),
}
"""By the environment's name."""


def manner_of(env: str) -> ResponseFormat:
    """How the server of an environment answers."""
    return ORIGINALS.get(env, PLAIN)
