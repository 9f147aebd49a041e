"""The words of heldout as frozen values: what crosses the border of a folder is one of these.

Every record has the same fields in memory and on disk: `to_json` and `from_json`
are the only reader and writer.
"""

import types
import typing
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass, replace
from enum import StrEnum
from functools import cache, partial
from hashlib import sha256
from json import JSONEncoder
from operator import attrgetter
from typing import Any, Self, TypeVar

from heldout.errors import BadCall, choose_from

Json = Any
"""What json can hold: None, bool, int, float, str, and lists and dicts of them."""

R = TypeVar("R")

_CANONICAL = JSONEncoder(sort_keys=True, ensure_ascii=False)


def _unknown() -> None:
    """What a field that came later is in older files; a function, so that `written: changed` can be said of it."""


class Ending(StrEnum):
    """Why an episode ended; `ERROR` is the infrastructure's fault, never the agent's."""

    SOLVED = "solved"
    FAILED = "failed"
    OUT_OF_TURNS = "out_of_turns"
    OUT_OF_TOKENS = "out_of_tokens"
    ERROR = "error"


class Stop(StrEnum):
    """Why a reply stopped: its end token, the cap of one reply, or no room left for the episode."""

    END = "end"
    LENGTH = "length"
    NO_ROOM = "no_room"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """An instruction u, and what its world starts as."""

    env: str
    split: str
    id: str
    difficulty: str
    """`easy` or `hard`."""
    world: Mapping[str, Json] = field(hash=False)
    """What the environment needs to build the start of this world, as JSON."""


@dataclass(frozen=True, slots=True)
class Step:
    """What an environment answers: the same type for the opening and for every action."""

    observation: str
    reward: float = 0.0
    """What this step earned."""
    score: float = 0.0
    """What the episode is worth so far, from 0 to 1 in `fixed` rules."""
    ending: Ending | None = None
    digest: str = ""
    """A digest of the world's state, for algorithms that group equal states."""
    refusal: str = ""
    """What of the observation says that the action was not carried out, and why; empty where it was."""

    def cut(self, ending: Ending) -> Self:
        """The same step, ended from outside."""
        return replace(self, ending=ending)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a policy said, and for a local model the ids behind it.

    The conversation's ids are, in order, context, sampled, context, sampled, …: what was
    sampled is what is trained on.
    """

    text: str
    context_ids: tuple[int, ...] = ()
    """The ids that the policy read since its last reply."""
    token_ids: tuple[int, ...] = ()
    """The ids that it sampled, the end token included when it came."""
    logprobs: tuple[float, ...] = ()
    """One for each sampled id, under the distribution that it was sampled from."""
    stop: Stop = Stop.END


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One reply a_t and the observation o_t it led to."""

    reply: Reply
    action: str
    observation: str
    reward: float = 0.0
    digest: str = ""
    refused: bool | None = field(default_factory=_unknown, metadata={"written": "changed"})
    """Whether the action was not carried out, or none could be read; None where that was not told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trajectory:
    """τ: one episode of one task, from its opening to its ending."""

    task: Task
    attempt: int
    opening: str
    turns: tuple[Turn, ...]
    reward: float
    score: float
    ending: Ending
    stream: str
    """The name of the episode's random stream."""
    error: str = ""
    """What broke, when the ending is `error`."""
    digest: str = field(default_factory=str, metadata={"written": "changed"})
    """Of the state that it begins in, as a `Step` has one."""

    @property
    def success(self) -> bool:
        """Whether the task was done."""
        return self.ending is Ending.SOLVED

    @property
    def is_too_long(self) -> bool:
        """Whether its opening left no room for a reply: it was over before the policy could say anything."""
        return _is_too_long(self.ending, self.generated_tokens)

    @property
    def generated_tokens(self) -> int:
        """How many ids the policy itself sampled (the paper's l̄)."""
        return sum(len(turn.reply.token_ids) for turn in self.turns)

    @property
    def response_length(self) -> int:
        """How many ids followed the prompt, observations included."""
        read = sum(len(turn.reply.context_ids) for turn in self.turns[1:])
        return read + self.generated_tokens

    @property
    def invalid_actions(self) -> int | None:
        """How many turns' actions were refused; None where of one that is not known."""
        refused = [turn.refused for turn in self.turns]
        return None if None in refused else sum(map(bool, refused))


def _is_too_long(ending: str, generated_tokens: int) -> bool:
    """Whether an episode that ended so had an opening that left no room: with any room one token is sampled."""
    return ending == Ending.OUT_OF_TOKENS and generated_tokens == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The G trajectories of one task."""

    task: Task
    trajectories: tuple[Trajectory, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of results: a trajectory's figures and all that identifies it."""

    study: str
    base: str
    """What people call the model that the chain starts from, or the player; a folder may be renamed."""
    model: str
    """Names what played by what decided its weights, wherever it lies; of a player its name."""
    chain: str
    """`base` where nothing was trained."""
    seed: int
    step: int
    env: str
    task: str
    split: str
    difficulty: str
    difficulty_source: str
    """What ordered easy and hard: `oracle_turns`, or the hash of a measured file."""
    attempt: int
    variant: str
    rules: str
    rules_version: int
    data: str
    """The hash of the task source."""
    prompt: str
    """The hash of the instruction text."""
    max_turns: int
    response_budget: int
    reply_tokens: int
    temperature: float
    """0 is greedy decoding."""
    reward: float
    score: float
    success: bool
    turns: int
    generated_tokens: int
    response_length: int
    invalid_actions: int | None = field(default_factory=_unknown, metadata={"written": "changed"})
    """How many actions were refused, or could not be read; None where the environment did not tell."""
    ending: str
    stream: str

    @property
    def is_too_long(self) -> bool:
        """Whether its opening left no room for a reply."""
        return _is_too_long(self.ending, self.generated_tokens)

    @property
    def is_played(self) -> bool:
        """Whether it came to an ending of its own; else the infrastructure broke it, and it is in no figure."""
        return self.ending != Ending.ERROR

    @property
    def key(self) -> tuple[object, ...]:
        """What decides the row: two rows with the same key are the same episode."""
        return _key_of(self)


NAMES = ("study", "base")
"""The fields of a row that only say what people call things: a renamed or copied folder holds the same rows."""
OUTCOMES = (
    "reward",
    "score",
    "success",
    "turns",
    "generated_tokens",
    "response_length",
    "invalid_actions",
    "ending",
    "stream",
)
"""The fields of a row that playing decides; the others say what was to be played."""
_key_of: Callable[[Row], tuple[object, ...]] = attrgetter(
    *(each.name for each in fields(Row) if each.name not in (*NAMES, *OUTCOMES))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDifficulty:
    """How a reference model does at one task, and the half of the tasks that this puts it in."""

    task: str
    split: str
    score: float
    """avg@k."""
    low: float
    """The 95 % interval's lower end."""
    high: float
    difficulty: str
    """`easy` or `hard`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DifficultySplit:
    """An environment's tasks in easy and hard: halves of the training tasks, and one threshold for all."""

    env: str
    data: str
    """The hash of the task source."""
    rules: str
    prompt: str
    """The hash of the instruction text."""
    k: int
    threshold: float
    """A task that scores more is easy, one that scores less hard."""
    tie: str
    """Of those that score just the threshold, easy are those whose hash comes no later."""
    low: float
    """The 95 % interval of the threshold."""
    high: float
    tasks: tuple[TaskDifficulty, ...]

    def of_split(self, split: str) -> tuple[TaskDifficulty, ...]:
        """The estimates of the `train` or the `test` tasks."""
        return tuple(each for each in self.tasks if each.split == split)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difficulty:
    """Which tasks are easy and which are hard for a reference model, by draws that score nothing else."""

    model: str
    """Its name, with the digest of its weights where they were here."""
    settings: Mapping[str, Json] = field(hash=False)
    """How it was measured: turns, temperature, limits, seed."""
    envs: tuple[DifficultySplit, ...]

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that name what was measured."""
        return digest(to_json(self))


def digest(value: Json) -> str:
    """16 hexadecimal digits that name a JSON value by its content."""
    return digest_of_text(_CANONICAL.encode(value))


def digest_of_text(text: str) -> str:
    """The same of a JSON value that is written already: keys in order, nothing escaped that need not be."""
    return sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]


def to_json(value: object) -> Json:
    """A record as plain JSON values, field by field; a field marked `written: changed` only where it is.

    So what came later into a configuration leaves the hashes and files of those without it as they were.
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_json(getattr(value, f.name)) for f in fields(value) if _is_written(f, value)}
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [to_json(item) for item in value]
    return value


def _is_written(field: Field[Any], record: object) -> bool:
    if field.metadata.get("written") != "changed" or field.default_factory is MISSING:
        return True
    return bool(getattr(record, field.name) != field.default_factory())


def from_json(kind: type[R], data: Json) -> R:
    """The record that `to_json` wrote; a missing or strange field is refused by its name."""
    if not isinstance(data, dict):
        raise BadCall(f"a {kind.__name__} is an object, not {type(data).__name__}")
    plain, readers = _readers(typing.cast(Any, kind))
    if strange := sorted(data.keys() - readers.keys()):
        raise BadCall(
            f"{kind.__name__} has no field {strange[0]!r} ({choose_from(strange[0], readers, lead='it has')})"
        )
    # Most values are of the plain type that is asked for, and files have half a million rows.
    values = {name: item if type(item) is plain[name] else readers[name](item, name) for name, item in data.items()}
    try:
        return kind(**values)
    except TypeError as error:
        raise BadCall(f"{kind.__name__}: {error}") from None


_PLAIN: tuple[type, ...] = (bool, int, str, float)

Reader = Callable[[Json, str], Any]
"""A field's value from JSON; the name is for the error."""


@cache
def _readers(kind: type) -> tuple[dict[str, type | None], dict[str, Reader]]:
    """Of each field the plain type that needs no reading, if it has one, and how another value is read."""
    hints = typing.get_type_hints(kind)
    own = {each.name: hints[each.name] for each in fields(kind)}
    plain = {name: _plain_in(hint) for name, hint in own.items()}
    return plain, {name: partial(_read, hint) for name, hint in own.items()}


def _plain_in(hint: Any) -> type | None:
    """The plain type that a field has, or may have beside None."""
    return next((kind for kind in _PLAIN if hint in (kind, kind | None)), None)


def _read(hint: Any, value: Json, name: str) -> Any:
    """One field's value as its type says; `name` is for the error."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        if value is None and types.NoneType in arguments:
            return None
        [hint] = [a for a in arguments if a is not types.NoneType]
        return _read(hint, value, name)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise BadCall(f"{name} is a list, not {value!r}")
        return tuple(_read(arguments[0], item, name) for item in value)
    if origin is Mapping and not isinstance(value, dict):
        raise BadCall(f"{name} is an object, not {value!r}")
    if isinstance(hint, type) and is_dataclass(hint):
        return from_json(hint, value)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        if value not in list(hint):
            raise BadCall(f"{name} is not {value!r} ({choose_from(str(value), hint)})")
        return hint(value)
    if hint is float and type(value) is int:
        with suppress(OverflowError):
            return float(value)
    if hint in _PLAIN and type(value) is not hint:
        raise BadCall(f"{name} is of type {hint.__name__}, not {value!r}")
    return value
