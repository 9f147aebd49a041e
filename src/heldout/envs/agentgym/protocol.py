"""How servers of AgentGym's protocol speak: what a program sends them, and what it reads (spec §0.2 to §5.1).

The server (`integrations/agentgym`) answers in the same words.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from heldout.config import Source
from heldout.envs.base import Suite
from heldout.records import Ending, Json, Task

ABOUT, TASKS = "/heldout", "/heldout/tasks"
"""Paths that only our server has: what it serves, and the tasks of a split."""

STEP, ERROR = "heldout-step", "heldout-error"
"""Headers that only our server sends: a Step's other fields; what a status of 500 of the protocol's is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvProtocol:
    """The words of one environment's server."""

    episode: str
    """What an episode's number is called: `id`, or `env_idx` where errors are a status of 500."""
    item: str
    """What /reset calls a task's number."""
    observation: str = "observation"
    """Where an answer to /step has the text."""
    score: str = ""
    """Where an answer to /step has the score; without it the best reward is the score."""
    created_with: Mapping[str, Json] | None = None
    """What /create is sent."""
    reset_with: Mapping[str, Json] = field(default_factory=dict)
    """What else /reset is sent."""
    preamble: str = ""
    """What ends the original's own instruction within an opening."""
    actions_prefix: str = ""
    """What the original client puts between an opening and the actions that are available."""
    undone: Ending = Ending.FAILED
    """What an episode of an original server is that is done without its reward."""

    @property
    def sends_error_text(self) -> bool:
        """Whether an error is an object with its text and status 200; else it is a status of 500 and no text."""
        return self.episode == "id"

    def opening(self, answer: Json) -> str:
        """The first observation in an answer to /reset; raises KeyError or TypeError where there is none."""
        text = answer["observation"] if isinstance(answer, dict) else answer
        text = text[0] if isinstance(text, list) else text
        if not isinstance(text, str):
            raise TypeError(f"an observation is text, not {text!r:.60}")
        if self.actions_prefix:
            return text + self.actions_prefix + ",".join(answer["available_actions"])
        return text.partition(self.preamble)[2] or text if self.preamble else text


QUESTION = "\n\n "
"""Between the instruction and the question in SearchQA's opening."""

LISTED = "\nAVAILABLE ACTIONS: "
"""Between ALFWorld's first observation and the actions, which only the client shows, and only there (spec §4.2)."""

PLAIN = EnvProtocol(episode="id", item="item", score="score")
"""The words of the server of an environment that AgentGym has none of: only ours serves it."""

ENV_PROTOCOLS = {
    "textcraft": EnvProtocol(episode="id", item="data_idx", created_with={}),
    "babyai": EnvProtocol(episode="id", item="data_idx", score="score"),
    "alfworld": EnvProtocol(
        episode="id",
        item="game",
        reset_with={"world_type": "Text"},
        actions_prefix=LISTED,
        undone=Ending.OUT_OF_TURNS,
    ),
    "webshop": EnvProtocol(episode="env_idx", item="session_id", observation="state"),
    "searchqa": EnvProtocol(episode="env_idx", item="id", created_with={"id": 0}, preamble=QUESTION),
}
"""The words of AgentGym's servers, by the environment's name."""


def wire_of(env: str) -> EnvProtocol:
    """The words of an environment's server."""
    return ENV_PROTOCOLS.get(env, PLAIN)


def rules_served(env: str) -> str:
    """The rules that an environment is served by unless told otherwise: the original's, where there is one."""
    return "agentgym" if env in ENV_PROTOCOLS else "fixed"


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What our server says of itself."""

    env: str
    source: Source
    words: str
    """The source in a line."""
    data: str
    """The source's digest."""
    episodes: int
    """How many are open."""


def not_valid(episode: int) -> str:
    """What is said of an episode that is not there."""
    return f"The id {episode} is not valid."


def numbered_tasks(suite: Suite, split: str) -> Iterator[tuple[int, Task]]:
    """The tasks of `train` or `test` with the numbers that a server knows them by.

    That is the number in `babyai_17`; of tasks with other ids (the real ALFWorld games) it is their place among
    the training tasks and, after these, the test tasks.
    """
    before = len(suite.tasks("train")) if split == "test" else 0
    for place, task in enumerate(suite.tasks(split), start=before):
        found = re.fullmatch(rf"{re.escape(suite.name)}_(\d+)", task.id)
        yield int(found[1]) if found else place, task
