"""A retriever elsewhere: a service that answers `POST /retrieve` as Search-R1's does (spec §2.6)."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from json import loads
from typing import final

import httpx2

from heldout.addresses import known_address, without_credentials
from heldout.envs.searchqa.passages import Passage, readable
from heldout.errors import BadCall, Unavailable
from heldout.records import Json

OVERLOADED = 429
"""Like a server's own failures, a refusal that passes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a service is waited for, in seconds."""

    answer: float = 30.0
    """For one answer, each time that it is asked."""
    pauses: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0)
    """Before each further try, after a failure that may pass."""


class _Passing(Exception):
    """A failure that may pass; its text says what it was."""


@final
class Service:
    """Passages from a service; `wait` is how it sleeps between two tries.

    Where it asks for a user, HELDOUT_SERVERS has its whole address.
    Raises `Unavailable` where no answer comes, or one that holds no passages: that is never the agent's mistake.
    """

    def __init__(
        self, address: str, patience: Patience | None = None, wait: Callable[[float], None] = time.sleep
    ) -> None:
        self._patience = patience or Patience()
        self._wait = wait
        shown = without_credentials(address)
        if not address.startswith(("http://", "https://")):
            raise BadCall(f"a retriever's address is such as http://localhost:8000, not {shown!r}")
        self._url = f"{shown.rstrip('/')}/retrieve"
        try:
            self._client = httpx2.Client(
                timeout=self._patience.answer, headers=known_address(address).authorization
            )
            self._client.build_request("POST", self._url)
        except (httpx2.InvalidURL, ValueError, BadCall) as error:
            raise BadCall(f"{shown!r} is no address of a retriever: {error}") from None

    def search(self, query: str, count: int) -> Sequence[Passage]:
        """What the service finds, at most so many."""
        asked = {"queries": [readable(query)], "topk": count, "return_scores": True}
        for pause in (*self._patience.pauses, None):
            try:
                return self._passages(self._answer(asked))[:count]
            except _Passing as failure:
                if pause is None:
                    tries = len(self._patience.pauses) + 1
                    raise Unavailable(f"{self._url} failed {tries} times, at last: {failure}") from None
                self._wait(pause)
        raise AssertionError("the last try returns or raises")

    def _answer(self, body: Json) -> str:
        """What one request is answered."""
        try:
            with self._client.stream("POST", self._url, json=body) as answer:
                text = self._read(answer)
        except httpx2.TransportError as error:
            raise _Passing(f"{type(error).__name__}: {error}") from None
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise Unavailable(f"{self._url} cannot be read: {error}") from None
        if answer.status_code >= 500 or answer.status_code == OVERLOADED:
            raise _Passing(f"status {answer.status_code}")
        if answer.status_code != 200:
            raise Unavailable(f"{self._url} refuses with status {answer.status_code}: {text[:200]!r}")
        return text

    def _read(self, answer: httpx2.Response) -> str:
        """A body; the client's own limit is on a pause between two pieces, ours on the whole."""
        end, pieces = time.monotonic() + self._patience.answer, list[bytes]()
        for piece in answer.iter_bytes():
            pieces.append(piece)
            if time.monotonic() > end:
                raise _Passing(f"no whole answer in {self._patience.answer:g} seconds")
        return b"".join(pieces).decode("utf-8", "replace")

    def _passages(self, text: str) -> list[Passage]:
        """The passages in an answer: each is the `document` of an object with its score, or stands bare."""
        try:
            [found] = loads(text)["result"]
            documents = [item.get("document", item) for item in found]
            passages = [_passage(str(document.get("id", "")), document["contents"]) for document in documents]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            form = f"{self._url} answers in another form than Search-R1's"
            raise Unavailable(f"{form} ({error}): {text[:200]!r}") from None
        return passages


def _passage(name: str, contents: Json) -> Passage:
    if not isinstance(contents, str):
        raise TypeError("contents are text")
    return Passage(readable(name), readable(contents))
