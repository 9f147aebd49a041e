"""Logs of episodes, by whomever they were written: what form a value has, and the episode behind it."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from heldout.config import Source
from heldout.envs.base import Env, Recordings, Suite, World
from heldout.envs.react import Misread
from heldout.envs.recorded import (
    Answer,
    RecordedEpisode,
    RecordedStep,
    dialogue_in,
    episode_in,
    is_dialogue,
    is_episode,
    item_of,
)
from heldout.envs.registry import item_id, open_suite
from heldout.envs.replay import nothing_beside
from heldout.errors import BadCall
from heldout.records import Ending, Json, Stop, Trajectory, Turn, from_json
from heldout.store.documents import Document, read_documents

FORMS = "episodes (env, task, steps), dialogues (item_id, conversations) and trajectories (task, opening, turns)"
"""What is read."""

FIELDS = 6
"""How many fields of a form that is not read are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """An episode of a log, and how it is opened to be played again."""

    place: str
    """The file, and where in it."""
    episode: RecordedEpisode
    open: Callable[[], Env]
    """Its environment; raises `BadCall` where there is none such."""
    beside: Callable[[World], Answer] = nothing_beside
    past_end: bool = False
    """Play goes on after an ending, as the originals' does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusable:
    """A value of a log that cannot be played, and why."""

    place: str
    why: str


@dataclass(kw_only=True)
class Logs:
    """Reads logs by one source: an episode as it stands, others by what their environment makes of them."""

    source: Source = field(default_factory=Source)
    """What is played; its rules are overruled."""
    rules: str = ""
    """Empty is as it was recorded: by the originals' rules, and our own trajectories by ours."""
    env: str = ""
    """The environment of dialogues whose `item_id` is a number alone."""
    max_steps: int | None = None
    """After how many actions the recorded server ended an episode, where the log does not say."""
    _items: dict[Path, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    """The items of each file's dialogues so far, each with its place among them."""

    def read(self, path: Path) -> Iterator[Recorded | Unusable]:
        """The episodes of a file or of a folder's files."""
        for document in read_documents(path):
            place = f"{document.file}: {document.place}"
            name = document.place if document.file == path else f"{document.file.name}, {document.place}"
            try:
                yield self._recorded(document, place, name)
            except BadCall as error:
                yield Unusable(place=place, why=str(error))

    def suite(self, env: str, *, ours: bool = False) -> Suite:
        """The environment that an episode was played in; `ours`: by a trajectory of our own."""
        return open_suite(env, replace(self.source, rules=self.rules or ("fixed" if ours else "agentgym")))

    def _recorded(self, document: Document, place: str, name: str) -> Recorded:
        """The episode of a value; raises `BadCall` where it holds none."""
        value = document.value
        if document.wrong:
            raise BadCall(document.wrong)
        if _is_trajectory(value):
            return self._of_trajectory(from_json(Trajectory, value), place)
        if is_dialogue(value):
            if isinstance(named := value.get("item_id"), str):
                value = {**value, "item_id": item_id(named)}
            item = item_of(value, self.env)
            among = self._items[document.file]
            dialogue = dialogue_in(value, among.setdefault(item, len(among)), name, self.env)
            return self._of_recording(self._recordings(dialogue.env).episode_of(dialogue), place)
        if is_episode(value):
            return self._of_recording(episode_in(value, name), place)
        raise BadCall(f"{_describe(value)} is none of the forms that are read: {FORMS}")

    def _of_recording(self, episode: RecordedEpisode, place: str) -> Recorded:
        recordings = self._recordings(episode.env)
        start = episode.start and recordings.compared(episode.start)
        limit = self.max_steps if episode.max_steps is None else episode.max_steps
        episode = replace(episode, start=start, max_steps=limit)
        return Recorded(
            place=place,
            episode=episode,
            open=partial(recordings.open, episode),
            beside=recordings.beside,
            past_end=self.suite(episode.env).rules != "fixed",
        )

    def _recordings(self, env: str) -> Recordings:
        """What an environment adds for its recordings."""
        suite = self.suite(env)
        if suite.recordings is None:
            raise BadCall(f"{env} cannot play recorded episodes again")
        return suite.recordings

    def _of_trajectory(self, trajectory: Trajectory, place: str) -> Recorded:
        suite = self.suite(trajectory.task.env, ours=True)
        return Recorded(
            place=place, episode=_episode_of(trajectory, suite), open=partial(suite.open, trajectory.task)
        )


def _is_trajectory(value: Json) -> bool:
    """Whether a value is a trajectory of our own."""
    return isinstance(value, dict) and {"task", "opening", "turns"} <= set(value)


def _describe(value: Json) -> str:
    """What a value is, to whoever thought it a log."""
    if not isinstance(value, dict):
        kinds = {str: "a text", list: "an array", bool: "a truth value", type(None): "null"}
        return f"{kinds.get(type(value), 'a number')} ({value!r:.40})"
    if {"role", "content"} <= set(value) or {"from", "value"} <= set(value):
        return "a message by itself, outside of a dialogue's conversations,"
    more = f" and {len(value) - FIELDS} more" if len(value) > FIELDS else ""
    return f"an object with the fields {', '.join(list(value)[:FIELDS]) or 'none'}{more}"


def _episode_of(trajectory: Trajectory, suite: Suite) -> RecordedEpisode:
    """The episode that a trajectory of ours holds; a reply that was never finished is not played again."""
    task = trajectory.task
    played = [turn for turn in trajectory.turns if turn.reply.stop is not Stop.NO_ROOM]
    steps = [_step(turn, suite) for turn in played]
    if steps and not steps[-1].misread:
        done = trajectory.ending in (Ending.SOLVED, Ending.FAILED)
        score = trajectory.score if len(played) == len(trajectory.turns) else None
        steps[-1] = replace(steps[-1], answer=replace(steps[-1].answer, done=done, score=score))
    return RecordedEpisode(
        env=task.env,
        id=f"{task.id} ({trajectory.stream or trajectory.attempt})",
        kind="trajectory",
        task=task.world,
        start=trajectory.opening.removeprefix(suite.opening("")),
        steps=tuple(steps),
    )


def _step(turn: Turn, suite: Suite) -> RecordedStep:
    answer = Answer(observation=turn.observation, reward=turn.reward)
    try:
        suite.read(turn.reply.text)
    except Misread as told:
        return RecordedStep(action="", answer=answer, misread=str(told))
    return RecordedStep(action=turn.action, answer=answer)
