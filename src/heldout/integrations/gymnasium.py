"""Any environment as a `gymnasium.Env` of text; importing this registers ids such as `heldout/BabyAI-v0`."""

import re
from collections.abc import Mapping, Sequence
from string import printable
from sys import maxunicode
from typing import Any, ClassVar, Never, final

import gymnasium
from gymnasium import spaces
from gymnasium.vector.utils import create_shared_memory

from heldout.analysis.scores import ALL
from heldout.config import Source
from heldout.envs.base import find_task
from heldout.envs.registry import names, open_suite
from heldout.errors import BadCall, unknown
from heldout.records import Ending, Step, Task
from heldout.rollout.episode import answer, carry_out
from heldout.rollout.limits import TurnLimit
from heldout.seeds import stream

TITLES = {
    "textcraft": "TextCraft",
    "babyai": "BabyAI",
    "searchqa": "SearchQA",
    "webshop": "WebShop",
    "alfworld": "ALFWorld",
}
"""An environment as its id spells it; others are spelled as they are named."""

DRAWN = 80
"""The most characters of a text that is drawn from a space."""

OBSERVATION, ACTION = 32768, 8192
"""The most characters of each: the longest observations that we know have 2,000."""

GENERATED = Source()


@final
class _Unicode(Sequence[str]):
    """Every character there is, without a list of them."""

    def __len__(self) -> int:
        return maxunicode + 1

    def __getitem__(self, place: Any) -> Any:
        return chr(place)

    def __contains__(self, value: object) -> bool:
        return isinstance(value, str) and len(value) == 1


_UNICODE = _Unicode()


@final
class AnyText(spaces.Text):  # type: ignore[misc]  # Gymnasium is untyped here
    """Every string of at most so many characters, whatever they are; those that are drawn from it are printable."""

    def __init__(self, max_length: int) -> None:
        super().__init__(max_length, min_length=0, charset=printable)

    @property
    def character_set(self) -> _Unicode:
        """Every character."""
        return _UNICODE

    @property
    def character_list(self) -> _Unicode:
        """Every character, at its number."""
        return _UNICODE

    def character_index(self, char: str) -> int:
        """A character's number."""
        return ord(char)

    def sample(self, mask: Any = None, probability: Any = None) -> str:
        """A printable text; of a mask only the length is asked."""
        length, characters = mask or probability or (None, None)
        if characters is not None:
            raise ValueError("a text of any characters takes no mask of them: give (length, None)")
        if length is None:
            length = self.np_random.integers(min(DRAWN, self.max_length) + 1)
        return "".join(self.np_random.choice(list(printable), size=length))

    def __repr__(self) -> str:
        return f"AnyText({self.max_length})"


def _refuse_shared_memory(space: AnyText, **_: Any) -> Never:
    """Gymnasium 1.4 reads text from shared memory once, when that is made, and then says the same for ever."""
    raise gymnasium.error.CustomSpaceError(f"{space} is not shared: give vector_kwargs={{'shared_memory': False}}")


create_shared_memory.register(AnyText, _refuse_shared_memory)


@final
class TextEnv(gymnasium.Env):  # type: ignore[misc]  # Gymnasium is untyped here
    """One environment's tasks, an episode after each reset; copied or pickled, an episode goes on where it was."""

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["ansi"], "render_fps": 1}

    def __init__(
        self,
        env: str,
        *,
        split: str = "train",
        difficulty: str = ALL,
        max_turns: int = 20,
        replies: bool = False,
        source: Source = GENERATED,
        render_mode: str | None = None,
    ) -> None:
        """With `replies` an action is a whole reply, such as `Thought: … Action: …`."""
        if difficulty not in ("easy", "hard", ALL):
            raise unknown("difficulty", difficulty, ("easy", "hard", ALL))
        self.observation_space = AnyText(OBSERVATION)
        self.action_space = AnyText(ACTION)
        self.render_mode = render_mode
        self._env, self._source = env, source
        self._split, self._difficulty = split, difficulty
        self._max_turns, self._replies = max_turns, replies
        self._episodes = 0
        self._task: Task | None = None
        self._said = list[str]()
        self._load()

    def reset(
        self, *, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """The opening of the next task that the seed draws, or of the one whose id `options["task"]` is."""
        super().reset(seed=seed)
        if wrong := set(options or {}) - {"task"}:
            raise unknown("option of reset", min(wrong), ["task"])
        self._episodes = 0 if seed is not None else self._episodes
        self._task = self._task_by_id(options["task"]) if options else self._draw_task()
        self._episodes += 1
        self._begin()
        return self._observation, self._info

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Observation, reward, whether the environment ended the episode, whether the turns did, and more."""
        if self._task is None or self._now.ending:
            raise gymnasium.error.ResetNeeded("no episode is being played: call reset() before step()")
        self._play(action)
        cut = self._now.ending is Ending.OUT_OF_TURNS
        ended = self._now.ending is not None and not cut
        return self._observation, float(self._now.reward), ended, cut, self._info

    def render(self) -> str | None:
        """What was said last, and what was answered; nothing where `render_mode` is None."""
        if self.render_mode is None or self._task is None:
            return None
        return f"> {self._said[-1]}\n{self._now.observation}" if self._said else self._observation

    def close(self) -> None:
        """The episode is over."""
        self._task = None

    def __getstate__(self) -> dict[str, Any]:
        """Everything but what is alive: the suite, its tasks and the episode."""
        return {name: value for name, value in vars(self).items() if name not in ("_suite", "_tasks", "_playing")}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        """The same again, its episode played as far as it was."""
        self.__dict__.update(state)
        self._load()
        if self._task is not None:
            said = self._said
            self._begin()
            for each in said:
                self._play(each)

    def _load(self) -> None:
        self._suite = open_suite(self._env, self._source)
        self._tasks = self._suite.tasks(self._split)

    def _begin(self) -> None:
        assert self._task is not None
        self._playing = TurnLimit(self._suite.open(self._task), self._max_turns)
        start = self._playing.start()
        self._now = Step(self._suite.opening(start.observation), score=start.score, ending=start.ending)
        self._action, self._said = "", list[str]()

    def _play(self, said: str) -> None:
        """One turn, exactly as in a rollout."""
        self._said.append(said)
        if self._replies:
            self._now, self._action = answer(self._playing, self._suite, said, self._now)
        else:
            self._now, self._action = carry_out(self._playing, said, self._now), said

    @property
    def _observation(self) -> str:
        return self._now.observation[:OBSERVATION]

    @property
    def _info(self) -> dict[str, Any]:
        assert self._task is not None
        return {
            "task": self._task.id,
            "difficulty": self._task.difficulty,
            "action": self._action,
            "score": float(self._now.score),
            "success": self._now.ending is Ending.SOLVED,
            "ending": self._now.ending.value if self._now.ending else "",
            "admissible_actions": self._admissible(),
        }

    def _admissible(self) -> list[str]:
        """What would be carried out now; nothing after the end, or where the world is out of sight on a server."""
        if self._now.ending or self._suite.privileged:
            return []
        return list(self._suite.players.legal(self._playing.world))

    def _draw_task(self) -> Task:
        """The next task of the seed's stream; no more tasks are made than are looked at."""
        path = ("gymnasium", self._suite.name, self._split, self._difficulty, self._episodes)
        order = stream(self.np_random_seed, *path).sample(range(len(self._tasks)), len(self._tasks))
        for task in (self._tasks[place] for place in order):
            if self._difficulty in (ALL, task.difficulty):
                return task
        raise BadCall(f"{self._suite.name} has no {self._difficulty} tasks in {self._split}")

    def _task_by_id(self, task_id: str) -> Task:
        return find_task(self._suite, task_id, (self._split,))


def make(env: str, **options: Any) -> Any:
    """An environment by its own name, as `gymnasium.make` makes it; the options are those of `TextEnv`."""
    return gymnasium.make(gymnasium.envs.registration.EnvSpec(**_registration(env)), **options)


def id_of(env: str) -> str:
    """What Gymnasium knows an environment as, such as `heldout/BabyAI-v0`."""
    title = TITLES.get(env) or re.sub(r"[^\w.-]+", "-", env)
    return f"heldout/{title}-v0"


def _registration(env: str) -> dict[str, Any]:
    place = "heldout.integrations.gymnasium:TextEnv"
    return {"id": id_of(env), "entry_point": place, "kwargs": {"env": env}}


for _name in names():
    gymnasium.register(**_registration(_name))
