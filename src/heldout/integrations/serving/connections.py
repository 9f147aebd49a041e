"""A server's connections: at most so many, each with limits on its time; the longest waiting one makes room.

uvicorn waits for a request's head for as long as it takes, so a few thousand half-sent ones would fill a server.
"""

import asyncio
import resource
from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, final

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

CONNECTIONS = 1000
"""That a server has at once, websockets included."""
SHARE_OF_ONE = 0.8
"""Of a server's connections, what one client's address may have."""
SPARE_FILES = 100
"""Of the files that the process may have open, those that are not connections."""


class Waiting(StrEnum):
    """What of its client a connection waits for."""

    HEAD = "head"
    """The rest of a request's head, or the first of one."""
    BODY = "body"
    """The rest of a body."""
    READER = "reader"
    """That an answer is read."""
    CALL = "call"
    """Another call, on a connection that is kept."""


SECONDS = {Waiting.HEAD: 10.0, Waiting.BODY: 40.0, Waiting.READER: 30.0}
"""How long that is waited for; a body that takes longer than `guard.BODY_SECONDS` was answered before, and a kept
connection is closed by uvicorn (`timeout_keep_alive`)."""

TOO_SLOW = (
    b"HTTP/1.1 408 Request Timeout\r\ncontent-type: application/json\r\nconnection: close\r\n"
    b"content-length: %d\r\n\r\n%s"
)
"""The answer to half a head."""


@final
class Crowd:
    """All connections of one server: at most so many, each waited for at most so many seconds."""

    def __init__(self, most: int = CONNECTIONS, seconds: Mapping[Waiting, float] = SECONDS) -> None:
        self.seconds = seconds
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.most = max(1, min(most, soft - SPARE_FILES) if soft != resource.RLIM_INFINITY else most)
        self.most_of_one = max(1, int(SHARE_OF_ONE * self.most))
        self._clients = dict["Connection", str]()
        self._counts = Counter[str]()
        self._leaving = set["Connection"]()
        self._unfinished = dict["Connection", None]()
        """Those whose call is half sent, or whose answer is not read; the longest waiting first."""
        self._idle = dict["Connection", None]()
        """Those that are kept for another call, likewise."""

    def admit(self, connection: "Connection") -> bool:
        """Takes a connection in; where there are too many, another goes. False where none can: all are at work.

        That is the longest half-sent one, or else the longest idle one: of the same client where it has more than
        its share, or else of the client that has most.
        """
        client = connection.client[0] if connection.client else ""
        self._clients[connection] = client
        self._counts[client] += 1
        if self._counts[client] > self.most_of_one:
            return self._make_room(client)
        if len(connection.connections) - len(self._leaving) > self.most:
            return any(self._make_room(each) for each, _ in self._counts.most_common())
        return True

    def note(self, connection: "Connection", waiting: Waiting | None) -> None:
        """A connection waits for something else than before, from now on; None is for nothing."""
        self._unfinished.pop(connection, None)
        self._idle.pop(connection, None)
        if waiting:
            (self._idle if waiting is Waiting.CALL else self._unfinished)[connection] = None

    def forget(self, connection: "Connection") -> None:
        """A connection is no HTTP connection any more."""
        self.note(connection, None)
        self._leaving.discard(connection)
        client = self._clients.pop(connection, None)
        if client is not None:
            self._counts[client] -= 1
            self._counts += Counter()  # only those that have some

    def _make_room(self, client: str) -> bool:
        for waiting in (self._unfinished, self._idle):
            for connection in waiting:
                if self._clients[connection] == client:
                    self.forget(connection)
                    self._leaving.add(connection)
                    connection.transport.abort()
                    return True
        return False


@final
class Connection(H11Protocol):
    """uvicorn's connection, with a limit on each time that it waits."""

    def __init__(
        self,
        crowd: Crowd,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._crowd = crowd
        self._waiting: Waiting | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._answered = False
        self._is_upgraded = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """It begins; where there is no room, its first call is answered with a status of 503."""
        super().connection_made(transport)
        if not self._crowd.admit(self):
            self.limit_concurrency = 0
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        super().connection_lost(exc)
        self._wait(None)
        self._crowd.forget(self)

    def data_received(self, data: bytes) -> None:
        """Something came."""
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        """A call was answered."""
        self._answered = True
        super().on_response_complete()
        self._look()

    def pause_writing(self) -> None:
        """The client does not read."""
        super().pause_writing()
        self._look()

    def resume_writing(self) -> None:
        """It reads again."""
        super().resume_writing()
        self._look()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """It becomes a websocket, which has its own limits; where there is no room it is refused."""
        if self.limit_concurrency == 0:
            self.transport.write(
                b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
            )
            self.transport.close()
            return
        self._is_upgraded = True
        self._wait(None)
        self._crowd.forget(self)
        super().handle_websocket_upgrade(event)

    def _look(self) -> None:
        """Sees what it waits for now; what it waited for before goes on being the same wait."""
        self._wait(None if self._is_upgraded or self.transport.is_closing() else self._awaited())

    def _awaited(self) -> Waiting | None:
        if self.flow.write_paused:
            return Waiting.READER
        if self.conn.their_state is h11.SEND_BODY:
            return Waiting.BODY
        if self.conn.their_state is not h11.IDLE:
            return None
        return Waiting.HEAD if not self._answered or self.conn.trailing_data[0] else Waiting.CALL

    def _wait(self, waiting: Waiting | None) -> None:
        if waiting is self._waiting:
            return
        if self._deadline:
            self._deadline.cancel()
        seconds = self._crowd.seconds.get(waiting) if waiting else None
        self._deadline = self.loop.call_later(seconds, self._give_up) if seconds else None
        self._waiting = waiting
        self._crowd.note(self, waiting)

    def _give_up(self) -> None:
        if self._waiting is not Waiting.HEAD:
            self.transport.abort()
            return
        if self.conn.trailing_data[0]:
            told = b'{"detail": "the head did not come in %g seconds"}' % self._crowd.seconds[Waiting.HEAD]
            self.transport.write(TOO_SLOW % (len(told), told))
        self.transport.close()
