"""A retriever elsewhere: a service that answers `POST /retrieve` as Search-R1's does (spec §2.6)."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import httpx2

from heldout.envs.searchqa.passages import Passage
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

    Raises `Unavailable` where no answer comes, or one that holds no passages: that is never the agent's mistake.
    """

    def __init__(
        self, address: str, patience: Patience | None = None, wait: Callable[[float], None] = time.sleep
    ) -> None:
        self._url = f"{address.rstrip('/')}/retrieve"
        self._patience = patience or Patience()
        self._wait = wait
        if not address.startswith(("http://", "https://")):
            raise BadCall(f"a retriever's address is such as http://localhost:8000, not {address!r}")
        try:
            self._client = httpx2.Client(timeout=self._patience.answer)
            self._client.build_request("POST", self._url)
        except (httpx2.InvalidURL, ValueError) as error:
            raise BadCall(f"{address!r} is no address of a retriever: {error}") from None

    def search(self, query: str, count: int) -> Sequence[Passage]:
        """What the service finds, at most so many."""
        # Half a surrogate pair, which an agent can write, is not what JSON's readers can read.
        query = query.encode("utf-8", "replace").decode()
        asked = {"queries": [query], "topk": count, "return_scores": True}
        for pause in (*self._patience.pauses, None):
            try:
                return self._passages(self._asked(asked))[:count]
            except _Passing as failure:
                if pause is None:
                    tries = len(self._patience.pauses) + 1
                    raise Unavailable(f"{self._url} failed {tries} times, at last: {failure}") from None
                self._wait(pause)
        raise AssertionError("the last try returns or raises")

    def _asked(self, body: Json) -> httpx2.Response:
        """The answer to one request."""
        try:
            answer = self._client.post(self._url, json=body)
        except httpx2.TransportError as error:
            raise _Passing(f"{type(error).__name__}: {error}") from None
        except httpx2.HTTPError as error:
            raise Unavailable(f"{self._url} cannot be read: {error}") from None
        if answer.status_code >= 500 or answer.status_code == OVERLOADED:
            raise _Passing(f"status {answer.status_code}")
        if answer.status_code != 200:
            raise Unavailable(f"{self._url} refuses with status {answer.status_code}: {answer.text[:200]!r}")
        return answer

    def _passages(self, answer: httpx2.Response) -> list[Passage]:
        """The passages in an answer: each is the `document` of an object with its score, or stands bare."""
        try:
            [found] = answer.json()["result"]
            documents = [item.get("document", item) for item in found]
            passages = [Passage(str(document.get("id", "")), document["contents"]) for document in documents]
            if not all(isinstance(passage.contents, str) for passage in passages):
                raise TypeError("contents are text")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            shown = answer.text[:200]
            raise Unavailable(
                f"{self._url} answers in another form than Search-R1's ({error}): {shown!r}"
            ) from None
        return passages
