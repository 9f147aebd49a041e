"""A call and its answer as values; the fields of a call, read as the originals read them (pydantic, lax)."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from heldout.records import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """What a client asks for."""

    method: str
    path: str
    query: str = ""
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """What it is answered: JSON, or plain text."""

    content: Json
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    is_text: bool = False

    @property
    def body(self) -> bytes:
        """As bytes; all but ASCII is escaped, so that whatever an agent said comes back to it."""
        return str(self.content).encode() if self.is_text else json.dumps(self.content).encode()

    @property
    def kind(self) -> str:
        """The content's type."""
        return "text/plain; charset=utf-8" if self.is_text else "application/json"


class Refused(Exception):
    """A call that cannot be read, and what it is answered."""

    def __init__(self, status: int, detail: Json) -> None:
        super().__init__(status)
        self.answer = HttpResponse({"detail": detail}, status)


REQUIRED = object()
"""The default of a field that has to be there."""


Number = Callable[[str], int | None]
"""What number a text stands for that is none itself; None is none either."""


def _no_number(_: str) -> None:
    """A text is no number."""


def in_body(body: bytes, number: Number = _no_number, /, **defaults: Json) -> dict[str, Json]:
    """The fields of a JSON object: `action`, `commands` and the like are text, all others whole numbers.

    Raises `Refused`. A field with a default may be absent or null; `number` reads a text that is no number.
    """
    if not body:
        raise Refused(422, [_wrong("missing", ["body"], "Field required")])
    try:
        value = json.loads(body)
    except json.JSONDecodeError as error:
        raise Refused(
            422, [_wrong("json_invalid", ["body", error.pos], f"JSON decode error: {error.msg}")]
        ) from None
    except (ValueError, RecursionError):  # not UTF-8, a number of thousands of digits, thousands of brackets
        raise Refused(400, "There was an error parsing the body") from None
    if not isinstance(value, dict):
        raise Refused(422, [_wrong("model_attributes_type", ["body"], "Input should be a valid object")])
    return _fields(value, "body", defaults, number)


def in_query(query: str, **defaults: Json) -> dict[str, Json]:
    """The same of a query string."""
    return _fields(dict(parse_qsl(query, keep_blank_values=True)), "query", defaults, _no_number)


def _fields(value: Mapping[str, Json], place: str, defaults: Mapping[str, Json], number: Number) -> dict[str, Json]:
    found, wrong = dict[str, Json](), list[Json]()
    for name, default in defaults.items():
        if value.get(name) is None and default is not REQUIRED:
            found[name] = default
            continue
        found[name], fault = _read(name, value[name], number) if name in value else (default, MISSING)
        if fault:
            kind, told = fault
            wrong.append(_wrong(kind, [place, name], told))
    if wrong:
        raise Refused(422, wrong)
    return found


TEXTS = frozenset({"action", "commands", "goal", "world_type", "split"})
"""The fields that hold text."""
MISSING = ("missing", "Field required")
NO_TEXT = ("string_type", "Input should be a valid string")
NO_NUMBER = ("int_parsing", "Input should be a valid integer")
"""Kinds of faults, and what is told of them."""


def _read(name: str, given: Json, number: Number) -> tuple[Json, tuple[str, str] | None]:
    """A field's value, and what is wrong with it."""
    if name in TEXTS:
        return given, None if isinstance(given, str) else NO_TEXT
    whole = _whole(given)
    if whole is None and isinstance(given, str):
        whole = number(given)
    return whole, NO_NUMBER if whole is None else None


def _whole(value: Json) -> int | None:
    """A whole number, also one written as text or as `3.0`; None is what is none."""
    try:
        number = float(value) if isinstance(value, float) else int(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return int(number) if number == number and abs(number) != float("inf") and number == int(number) else None


def _wrong(kind: str, place: list[Json], told: str) -> Json:
    return {"type": kind, "loc": place, "msg": told}
