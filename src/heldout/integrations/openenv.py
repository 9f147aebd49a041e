"""Any suite as an OpenEnv environment: a session is a connection, an episode follows each reset."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from random import SystemRandom
from typing import Any, final
from uuid import uuid4

from heldout.envs.base import Suite, find_task
from heldout.errors import BadCall, unknown
from heldout.extras import name_the_extra
from heldout.records import Ending, Step, Task
from heldout.rollout.episode import answer, carry_out
from heldout.rollout.limits import TurnLimit
from heldout.seeds import stream
from heldout.version import __version__

with name_the_extra():
    from fastapi import FastAPI, Request
    from fastapi.responses import JSONResponse
    from openenv.core.env_server.http_server import create_app
    from openenv.core.env_server.interfaces import Environment
    from openenv.core.env_server.types import Action, ConcurrencyConfig, EnvironmentMetadata, Observation, State
    from pydantic import Field, create_model

SPLITS = ("train", "test")

SEEDS = 2**31
"""A reset without a seed draws one below this."""


class TextAction(Action):  # type: ignore[misc]  # OpenEnv is not there where types are checked
    """What the agent does."""

    action: str = Field(description="an action, or a whole reply where the reset asked for replies")


class TextObservation(Observation):  # type: ignore[misc]
    """What the environment answers, beside the reward and whether the episode is done."""

    text: str = Field(description="what the agent is told; at first its instruction too")
    action: str = Field(default="", description="the action that was carried out, or read from the reply")
    ending: str = Field(description="solved, failed or out_of_turns; empty while the episode lasts")


SHOWABLE: Mapping[str, tuple[Any, str]] = {
    "admissible_actions": (list[str], "actions that would be carried out now"),
    "score": (float, "what the episode is worth so far, from 0 to 1"),
    "success": (bool, "whether the task is done"),
    "task": (str, "the id of the task"),
}
"""What an observation has only where it is asked for: of which type, and what it is.

Programs show a model all that is in an observation, and one that sees these plays another game.
"""


def _observation_with(shown: Iterable[str]) -> type[TextObservation]:
    """The observation that has these fields of `SHOWABLE` too; raises `BadCall` where there is no such field."""
    for name in shown:
        if name not in SHOWABLE:
            raise unknown("field to show", name, SHOWABLE)
    more: dict[str, Any] = {
        name: (SHOWABLE[name][0], Field(description=SHOWABLE[name][1])) for name in SHOWABLE if name in shown
    }
    made: type[TextObservation] = create_model("TextObservation", __base__=TextObservation, **more)
    return made


class EpisodeState(State):  # type: ignore[misc]
    """Where a session's episode stands; beside it its id, and how many turns it had."""

    task: str = Field(default="", description="the id of the task; empty before the first reset")
    score: float = Field(default=0.0, description="what the episode is worth so far, from 0 to 1")
    ending: str = Field(default="", description="empty while the episode lasts")


@final
class Tasks:
    """A suite's training and test tasks, by their place and by their id; all sessions share them."""

    def __init__(self, suite: Suite) -> None:
        self.suite = suite
        self._splits = {split: list(suite.tasks(split)) for split in SPLITS}
        self._named = {task.id: task for tasks in self._splits.values() for task in tasks}

    def of_split(self, split: str) -> list[Task]:
        """The tasks of `train` or `test`."""
        if split not in self._splits:
            raise unknown("split", split, SPLITS)
        return self._splits[split]

    def at(self, split: str, index: int) -> Task:
        """A task by its place in a split, from 0; raises IndexError past the end."""
        tasks = self.of_split(split)
        if not 0 <= index < len(tasks):
            raise IndexError(f"{split} has {len(tasks)} tasks, and none at {index}")
        return tasks[index]

    def by_id(self, name: str) -> Task:
        """A task by its id."""
        return self._named.get(name) or find_task(self.suite, name, SPLITS)

    def draw(self, split: str, seed: int) -> Task:
        """The task of a split that a seed draws."""
        return stream(seed, "openenv", self.suite.name, split).choice(self.of_split(split))


@final
class TextEnvironment(Environment):  # type: ignore[misc]
    """One session: an episode after each reset, played exactly as in a rollout."""

    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self, tasks: Tasks, max_turns: int, observation: type[TextObservation] = TextObservation) -> None:
        super().__init__()
        self._made = observation
        self._tasks, self._suite, self._most = tasks, tasks.suite, max_turns
        self._env: TurnLimit | None = None
        self._task: Task | None = None
        self._now, self._replies = Step(""), False
        self._state = EpisodeState()

    def reset(self, seed: int | None = None, episode_id: str | None = None, **options: Any) -> TextObservation:
        """The opening of the task that `task` names, or that is at `index` of `split`, or that the seed draws.

        With `replies` an action is a whole reply, such as `Thought: … Action: …`; `max_turns` is K.
        """
        asked = _options(options)
        task = self._chosen(asked, seed)
        env = TurnLimit(self._suite.open(task), asked["max_turns"] or self._most)
        start = env.start()
        self._task, self._env, self._replies = task, env, asked["replies"]
        self._now = Step(self._suite.opening(start.observation), score=start.score, ending=start.ending)
        self._state = EpisodeState(episode_id=episode_id or uuid4().hex)
        return self._observation("")

    def step(self, action: TextAction, timeout_s: float | None = None, **_: Any) -> TextObservation:
        """The answer to one action; raises `BadCall` where no episode is being played."""
        del timeout_s
        if self._env is None or self._now.ending:
            raise BadCall("no episode is being played: reset begins one, and over HTTP there are none to step in")
        said = action.action
        if self._replies:
            self._now, said = answer(self._env, self._suite, said, self._now)
        else:
            self._now = carry_out(self._env, said, self._now)
        self._state.step_count += 1
        return self._observation(said)

    @property
    def state(self) -> EpisodeState:
        """Where the episode stands."""
        return self._state

    def close(self) -> None:
        """The session is over, and its episode."""
        self._env = None

    def get_metadata(self) -> EnvironmentMetadata:
        """What is served."""
        about = f"{self._suite.name} by rules {self._suite.rules} ({self._suite.source})"
        return EnvironmentMetadata(name=self._suite.name, description=about, version=__version__)

    def list_splits(self) -> list[str]:
        """The splits that there are tasks of."""
        return list(SPLITS)

    def list_tasks(self, split: str) -> list[dict[str, Any]]:
        """What is told of each task of a split; nothing of its world."""
        return self.get_task_range(split)

    def num_tasks(self, split: str) -> int:
        """How many tasks a split has."""
        return len(self._tasks.of_split(split))

    def get_task(self, split: str, index: int) -> dict[str, Any]:
        """What is told of one task."""
        return _describe_task(split, index, self._tasks.at(split, index))

    def get_task_range(self, split: str, start: int | None = None, stop: int | None = None) -> list[dict[str, Any]]:
        """What is told of the tasks from `start` to before `stop`, which are taken as Python's slices take them."""
        tasks = self._tasks.of_split(split)
        return [_describe_task(split, index, tasks[index]) for index in range(len(tasks))[start:stop]]

    def _chosen(self, asked: Mapping[str, Any], seed: int | None) -> Task:
        if asked["task"] is not None:
            return self._tasks.by_id(asked["task"])
        if asked["index"] is not None:
            return self._tasks.at(asked["split"], asked["index"])
        return self._tasks.draw(asked["split"], SystemRandom().randrange(SEEDS) if seed is None else seed)

    def _observation(self, action: str) -> TextObservation:
        assert self._task is not None
        now, ending = self._now, self._now.ending.value if self._now.ending else ""
        self._state.task, self._state.score, self._state.ending = self._task.id, now.score, ending
        told: dict[str, Callable[[], Any]] = {
            "admissible_actions": self._admissible,
            "score": lambda: now.score,
            "success": lambda: now.ending is Ending.SOLVED,
            "task": lambda: self._state.task,
        }
        return self._made(
            text=now.observation,
            action=action,
            reward=now.reward,
            ending=ending,
            done=now.ending is not None,
            **{name: tell() for name, tell in told.items() if name in self._made.model_fields},
        )

    def _admissible(self) -> list[str]:
        """Nothing after the end, or where the world is out of sight on a server."""
        if self._now.ending or self._suite.privileged or self._env is None:
            return []
        return list(self._suite.players.legal(self._env.world))


OPTIONS: Mapping[str, tuple[type, Any]] = {
    "task": (str, None),
    "split": (str, "test"),
    "index": (int, None),
    "replies": (bool, False),
    "max_turns": (int, None),
}
"""What a reset may ask for beside its seed: of which type, and what it is where it is left out."""


def _options(given: Mapping[str, Any]) -> dict[str, Any]:
    """All options of a reset; over a websocket nobody has looked at them yet."""
    for name, value in given.items():
        if name not in OPTIONS:
            raise unknown("option of reset", name, OPTIONS)
        kind, default = OPTIONS[name]
        if type(value) is not kind and not (value is None and default is None):
            raise BadCall(f"{name} is of type {kind.__name__}, not {value!r}")
    asked = {name: given.get(name, default) for name, (_, default) in OPTIONS.items()}
    if asked["max_turns"] is not None and asked["max_turns"] < 1:
        raise BadCall(f"max_turns is 1 or more, not {asked['max_turns']}")
    return asked


def _describe_task(split: str, index: int, task: Task) -> dict[str, Any]:
    return {"id": task.id, "split": split, "index": index, "difficulty": task.difficulty}


def app_of(
    suite: Suite, *, max_turns: int, max_episodes: int, idle_seconds: float, shown: Sequence[str] = ()
) -> FastAPI:
    """The server's application: so many sessions at once, each forgotten when it was idle for too long.

    `shown` are the fields of `SHOWABLE` that an observation has too.
    """
    tasks, observation = Tasks(suite), _observation_with(shown)
    app = create_app(
        lambda: TextEnvironment(tasks, max_turns, observation),
        TextAction,
        observation,
        env_name=suite.name,
        concurrency_config=ConcurrencyConfig(max_concurrent_envs=max_episodes, session_timeout=idle_seconds),
        state_cls=EpisodeState,
    )
    app.add_exception_handler(BadCall, _refused)
    app.add_exception_handler(IndexError, _refused)
    return app


async def _refused(_: Request, error: Exception) -> JSONResponse:
    """A call over HTTP that asks for what there is not."""
    return JSONResponse({"detail": str(error)}, status_code=400)
