"""Episodes and dialogues recorded elsewhere, as values (docs/environments.md has the form of their files)."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TypeVar

from heldout.errors import BadCall, choose_from
from heldout.records import Json, from_json, to_json

F = TypeVar("F")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an action was answered; None is what was not recorded."""

    observation: str | None = None
    reward: float | None = None
    score: float | None = None
    done: bool | None = None
    error: str | None = None
    """The server's error reply, in place of all else."""
    available: tuple[str, ...] | None = None
    """What could be done next, as the server lists it."""
    purchase: Mapping[str, Json] | None = None
    """What was bought, and the parts that its reward is made of."""

    def apart(self, ours: "Answer") -> tuple[str, ...]:
        """The fields of this, as far as it was recorded, that ours has otherwise; `error` where only one is one."""
        found = [name for name in ANSWERED if getattr(self, name) not in (None, getattr(ours, name))]
        one_is_error = (self.error is None) != (ours.error is None)
        return (ERROR,) if found and one_is_error else tuple(found)


TALK = ("conversations", "messages")
"""The fields that hold a dialogue's messages, by whoever wrote it."""
ROLES = {"user": "user", "human": "user", "assistant": "assistant", "gpt": "assistant"}
"""Who speaks, as `role` or as `from` has it."""

ANSWERED = tuple(field.name for field in fields(Answer))
ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedStep:
    """An action, and what it was answered."""

    action: str
    answer: Answer = Answer()
    misread: str = ""
    """Where a reply held no single action: what the agent was told, the environment not being asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedEpisode:
    """One episode as it was played elsewhere; play may go on after the task is done."""

    env: str
    id: str
    kind: str = ""
    """Who played: expert, random, dialogue …"""
    task: Mapping[str, Json]
    """What the environment needs to make the same world."""
    start: str | None = None
    """The opening observation."""
    available: tuple[str, ...] | None = None
    """What could be done at the start."""
    max_steps: int | None = None
    """After how many actions the recorded server ended an episode; None is as the original does."""
    steps: tuple[RecordedStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialogue:
    """A model's dialogue with an environment, as a client logged it."""

    env: str
    item: int
    """The number in its `item_id`."""
    place: int
    """Where that item comes among the items of its file, from 0."""
    id: str
    instruction: str
    opening: str
    turns: tuple[tuple[str, str | None], ...]
    """Each reply, and what the client was answered."""
    reward: float | None = None
    """What the client was paid for the last reply."""


def is_dialogue(value: Json) -> bool:
    """Whether a value is a dialogue, not an episode."""
    return isinstance(value, dict) and any(name in value for name in TALK)


def is_episode(value: Json) -> bool:
    """Whether a value is an episode, or means to be one."""
    return isinstance(value, dict) and ("steps" in value or {"env", "task"} <= set(value))


def episode_in(value: Json, name: str) -> RecordedEpisode:
    """The episode that a line holds; `name` is its id where it says none."""
    steps = _field(value, "steps", list)
    start = _field(value, "start", str) if value.get("start") is not None else None
    return RecordedEpisode(
        env=_field(value, "env", str),
        id=str(value.get("id", name)),
        kind=str(value.get("kind", "")),
        task=_field(value, "task", dict),
        start=start,
        available=_available(value["start_available"]) if "start_available" in value else None,
        max_steps=_field(value, "max_steps", int) if value.get("max_steps") is not None else None,
        steps=tuple(_step(step, number) for number, step in enumerate(steps, start=1)),
    )


def line_of(episode: RecordedEpisode) -> Json:
    """The line that holds an episode."""
    available = {} if episode.available is None else {"start_available": list(episode.available)}
    limit = {} if episode.max_steps is None else {"max_steps": episode.max_steps}
    return {
        "id": episode.id,
        "env": episode.env,
        "task": dict(episode.task),
        "kind": episode.kind,
        "start": episode.start,
        **available,
        **limit,
        "steps": [_step_as_json(step) for step in episode.steps],
    }


def item_of(value: Json, env: str = "") -> str:
    """The `item_id` of a dialogue, such as `babyai_7`; a number alone is one of `env`."""
    item = value.get("item_id") if isinstance(value, dict) else None
    if (isinstance(item, int) and not isinstance(item, bool)) or (isinstance(item, str) and item.isdecimal()):
        if not env:
            raise BadCall(f"item_id is the number {item}, which names no environment: name it by --env")
        return f"{env}_{item}"
    item = _field(value, "item_id", str)
    if not item.rpartition("_")[2].isdecimal():
        raise BadCall(f"an item_id is an environment and a number, such as babyai_7, not {item!r}")
    return item


def dialogue_in(value: Json, place: int, name: str, env: str = "") -> Dialogue:
    """A value's dialogue; `place` is its item's in the file, `name` tells it from the item's others."""
    item = item_of(value, env)
    talk = _field(value, next((field for field in TALK if field in value), TALK[0]), list)
    said = [_content_of(message, number) for number, message in enumerate(talk)]
    if len(said) < 3:
        raise BadCall(f"a dialogue begins with an instruction, a reply and an observation; {item} ends before")
    replies, told = said[3::2], [*said[4::2], None]
    env, _, number = item.rpartition("_")
    reward = from_json(Answer, {"reward": value.get("reward")}).reward
    return Dialogue(
        env=env,
        item=int(number),
        place=place,
        id=f"{item} ({name})",
        instruction=said[0],
        opening=said[2],
        turns=tuple(zip(replies, told, strict=False)),
        reward=reward,
    )


def _content_of(message: Json, number: int) -> str:
    """What a message says: `role` and `content`, or `from` and `value`; the two sides take turns."""
    wanted = ("user", "assistant")[number % 2]
    who, said = ("from", "value") if isinstance(message, dict) and "from" in message else ("role", "content")
    role = message.get(who) if isinstance(message, dict) else message
    if not isinstance(role, str) or ROLES.get(role) != wanted:
        raise BadCall(f"message {number + 1} of the conversations is one with role {wanted!r}, not {role!r}")
    return _field(message, said, str)


def _step(value: Json, number: int) -> RecordedStep:
    try:
        action = _field(value, "action", str)
        misread = _field(value, "misread", str) if "misread" in value else ""
        told = {name: value[name] for name in ANSWERED if name in value}
        if told.get("available") is not None:
            told["available"] = _available(told["available"])
        answer = from_json(Answer, told)
    except BadCall as error:
        raise BadCall(f"step {number}: {error}") from None
    return RecordedStep(action=action, answer=answer, misread=misread)


def _available(value: Json) -> tuple[str, ...]:
    """A list of actions; WebShop's server has it in an object, as `clickables`."""
    found = value.get("clickables") if isinstance(value, dict) else value
    if not isinstance(found, list) or not all(isinstance(action, str) for action in found):
        raise BadCall(f"what is available is a list of texts, not {value!r:.60}")
    return tuple(found)


def _step_as_json(step: RecordedStep) -> Json:
    told = {"misread": step.misread} if step.misread else {}
    answer = {name: to_json(getattr(step.answer, name)) for name in ANSWERED}
    return {"action": step.action, **told} | {name: value for name, value in answer.items() if value is not None}


def _field(value: Json, name: str, kind: type[F]) -> F:
    """A field that has to be there, of its kind."""
    if not isinstance(value, dict):
        raise BadCall(f"an object with a field {name!r} is wanted, not {value!r:.60}")
    if name not in value:
        raise BadCall(f"no field {name!r} ({choose_from(name, map(str, value), lead='there are')})")
    found = value[name]
    if not isinstance(found, kind):
        raise BadCall(f"field {name!r} is of type {kind.__name__}, not {found!r:.60}")
    return found
