"""Calls to a server, patient and bounded: what may pass is tried again, and the rest is `Unavailable`."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from json import dumps, loads
from typing import final

import httpx2

from heldout.addresses import known_address, without_credentials
from heldout.envs.agentgym.protocol import ERROR
from heldout.errors import BadCall, Unavailable
from heldout.records import Json

BUSY = 503
"""A server that has not begun with the call: it may be made again, whatever it is."""

SENT = {"content-type": "application/json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a server is waited for, in seconds."""

    answer: float = 120.0
    """For one answer; the originals take seconds to create an episode."""
    connect: float = 5.0
    pauses: tuple[float, ...] = (0.2, 0.5, 1.0, 2.0)
    """Before each further try, after a failure that may pass."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call was answered: its status, its JSON (None where it is none), its headers."""

    status: int
    content: Json
    headers: Mapping[str, str]


class _Passing(Exception):
    """A failure that may pass; `begun` says whether the server may have done what it was asked."""

    def __init__(self, told: str, *, begun: bool) -> None:
        super().__init__(told)
        self.begun = begun


@final
class Client:
    """A line to one server; `wait` is how it sleeps between two tries.

    What opens the server is in its address, or else in HELDOUT_SERVERS, and is shown by nothing here.
    While the server is known to be down each call is tried once, so that much work fails soon.
    """

    def __init__(
        self, address: str, patience: Patience | None = None, wait: Callable[[float], None] = time.sleep
    ) -> None:
        known = known_address(address)
        self.address = known.place
        self._patience = patience or Patience()
        self._wait = wait
        self._is_down = False
        # The originals drop a connection that is idle for five seconds: we let go of it before.
        kept = httpx2.Limits(keepalive_expiry=3.0)
        timeout = httpx2.Timeout(self._patience.answer, connect=self._patience.connect)
        try:
            self._client = httpx2.Client(
                base_url=known.url,
                headers={**SENT, **known.authorization},
                timeout=timeout,
                limits=kept,
                trust_env=False,
            )
            self._client.build_request("GET", "/")
        except (httpx2.InvalidURL, ValueError) as error:
            raise BadCall(f"{self.address!r} is no address of a server: {error}") from None

    def get(self, path: str, **query: Json) -> Answer:
        """What is there."""
        return self._try("GET", path, query=query, again=True)

    def post(self, path: str, body: Json = None, *, again: bool) -> Answer:
        """What a call does; `again` where doing it twice is as good as once."""
        return self._try("POST", path, body=body, again=again)

    def _try(self, method: str, path: str, *, query: Json = None, body: Json = None, again: bool) -> Answer:
        pauses = () if self._is_down else self._patience.pauses
        for pause in (*pauses, None):
            try:
                answer = self._answer(method, path, query, body)
            except _Passing as failure:
                if pause is None or (failure.begun and not again):
                    self._is_down = pause is None
                    raise Unavailable(f"{self.address}{path} did not answer: {failure}") from None
                self._wait(pause)
            else:
                self._is_down = False
                return answer
        raise AssertionError("the last try returns or raises")

    def _answer(self, method: str, path: str, query: Json, body: Json) -> Answer:
        # Our own JSON: an agent can write half a surrogate pair, which only escapes can carry.
        content = None if body is None else dumps(body).encode()
        try:
            answer = self._client.request(method, path, params=query, content=content)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise _Passing(f"{type(error).__name__}: {error}", begun=False) from None
        except httpx2.TransportError as error:
            raise _Passing(f"{type(error).__name__}: {error}", begun=True) from None
        except httpx2.HTTPError as error:
            raise Unavailable(f"{self.address}{path} cannot be read: {without_credentials(str(error))}") from None
        if answer.status_code >= 500 and ERROR not in answer.headers:
            told = f"status {answer.status_code}: {answer.text[:200]!r}"
            raise _Passing(told, begun=answer.status_code != BUSY)
        return Answer(answer.status_code, _json(answer.content), answer.headers)

    def hurry(self) -> None:
        """From now on, until an answer comes, each call is tried once."""
        self._is_down = True

    def close(self) -> None:
        """Let go of every connection."""
        self._client.close()


def _json(body: bytes) -> Json:
    try:
        return loads(body)
    except (ValueError, RecursionError):
        return None
