"""One episode on a server, and the episodes there that are played again and again."""

from collections import deque
from collections.abc import Callable
from json import loads
from operator import itemgetter
from typing import final
from weakref import finalize

from heldout.envs.agentgym.client import Answer, Client
from heldout.envs.agentgym.protocol import ERROR, STEP, EnvProtocol, not_valid
from heldout.envs.base import World
from heldout.errors import BadCall, HeldoutError, OriginalError, Unavailable
from heldout.records import Ending, Json, Step, from_json


@final
class Episodes:
    """A server's episodes as a program holds them: one that is over is reset for the next task.

    What is left when the program ends is closed; where that fails, the server forgets it by itself.
    """

    def __init__(self, client: Client, protocol: EnvProtocol) -> None:
        self.client = client
        self.protocol = protocol
        self._free = deque[int]()
        self._end = finalize(self, _close, client, protocol, self._free)

    def open(self, item: int) -> tuple[int, Answer]:
        """An episode's number there, and what the reset to a task was answered."""
        while self._free:
            episode = self._free.pop()
            try:
                return episode, self._reset(episode, item)
            except OriginalError:
                continue  # the server has forgotten it
        episode = self._create(item)
        return episode, self._reset(episode, item)

    def step(self, episode: int, action: str) -> Answer:
        """What an action was answered."""
        body = {self.protocol.episode: episode, "action": action}
        return _refuse_error(self.client.post("/step", body, again=False), episode)

    def free(self, episode: int) -> None:
        """An episode that nobody plays any more."""
        self._free.append(episode)

    def close(self) -> None:
        """Close what is free."""
        self._end()

    def _create(self, item: int) -> int:
        """A new episode's number; a server that wants a task's number at once is told the one that comes next."""
        body = self.protocol.created_with
        asked = {**body, self.protocol.item: item} if body and self.protocol.item in body else body
        answer = _refuse_error(self.client.post("/create", asked, again=True), None)
        number = answer.content.get("id") if isinstance(answer.content, dict) else answer.content
        if type(number) is not int:
            raise Unavailable(f"{self.client.address}/create gives no episode's number: {answer.content!r:.200}")
        return number

    def _reset(self, episode: int, item: int) -> Answer:
        body = {self.protocol.episode: episode, self.protocol.item: item, **self.protocol.reset_with}
        return _refuse_error(self.client.post("/reset", body, again=True), episode)


@final
class Remote:
    """One episode of one task, played on a server; what it answers is what the server says."""

    def __init__(self, episodes: Episodes, item: int) -> None:
        self._episodes = episodes
        self._item = item
        self._episode: int | None = None
        self._score = 0.0

    @property
    def world(self) -> World:
        """Out of sight."""
        raise HeldoutError(
            "the world of an episode on a server is out of sight: players look into a privileged copy of it"
        )

    def start(self) -> Step:
        """The opening."""
        self._episode, answer = self._episodes.open(self._item)
        finalize(self, self._episodes.free, self._episode)
        return self._read(answer, self._episodes.protocol.opening)

    def step(self, action: str) -> Step:
        """The answer to one action; raises `OriginalError` where the server answers with an error."""
        assert self._episode is not None, "step before start"
        try:
            answer = self._episodes.step(self._episode, action)
        except OriginalError as error:
            if str(error) == not_valid(self._episode):  # it was idle for too long, or the server is another
                raise Unavailable(f"{self._episodes.client.address}: {error}") from None
            raise
        return self._read(answer, self._observation)

    def _observation(self, content: Json) -> str:
        """The text in an answer to /step; one that does not say what it pays is in another form, and no 0."""
        observation, _ = itemgetter(self._episodes.protocol.observation, "reward")(content)
        if not isinstance(observation, str):
            raise TypeError(f"an observation is text, not {observation!r:.60}")
        return observation

    def _read(self, answer: Answer, text_in: Callable[[Json], str]) -> Step:
        """The step that an answer holds; one in another form is the server's failure."""
        try:
            observation = text_in(answer.content)
            if STEP in answer.headers:
                return from_json(Step, {"observation": observation, **loads(answer.headers[STEP])})
            step = original_step(self._episodes.protocol, observation, answer.content, self._score)
        except (KeyError, TypeError, ValueError, IndexError, BadCall) as error:
            raise Unavailable(f"{self._episodes.client.address} answers in another form: {error!r:.200}") from None
        self._score = step.score
        return step


def original_step(protocol: EnvProtocol, observation: str, content: Json, best: float) -> Step:
    """What an answer of an original server comes to, in an episode that was worth `best`; an opening pays nothing.

    BabyAI's is done only when it is solved; elsewhere all of the reward is a success (spec §1.7, §4.7).
    """
    told = content if isinstance(content, dict) else {}
    reward = float(told.get("reward", 0.0))
    score = float(told[protocol.score]) if protocol.score in told else max(best, reward)
    solved = bool(protocol.score) or reward >= 1.0
    ending = (Ending.SOLVED if solved else protocol.undone) if told.get("done") else None
    return Step(observation, reward=reward, score=score, ending=ending)


def _refuse_error(answer: Answer, episode: int | None) -> Answer:
    """The answer, unless it is an error of the protocol's; another status is the server's failure."""
    if ERROR in answer.headers:
        raise OriginalError(str(loads(answer.headers[ERROR])))
    if isinstance(answer.content, dict) and "error" in answer.content:
        raise OriginalError(str(answer.content["error"]))
    if answer.status != 200:
        raise Unavailable(f"status {answer.status} for episode {episode}: {answer.content!r:.200}")
    return answer


def _close(client: Client, protocol: EnvProtocol, free: deque[int]) -> None:
    client.hurry()
    try:
        while free:
            client.post("/close", {protocol.episode: free.pop()}, again=False)
    except Unavailable:
        pass
    client.close()
