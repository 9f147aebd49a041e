"""Connections that are slow, many, or kept: each is waited for so long, and the longest waiting one makes room."""

import asyncio
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from select import select
from threading import Event, Thread
from typing import Any

import pytest

from heldout.integrations.serving.access import access_to, listen
from heldout.integrations.serving.connections import SECONDS, Crowd, Waiting
from heldout.integrations.serving.guard import Guard
from heldout.integrations.serving.server import server_of

SOON = {Waiting.HEAD: 0.3, Waiting.BODY: 0.6, Waiting.READER: 0.3}


class Place:
    """A server of an application that answers with a body's length, or much, or when it is let go on."""

    def __init__(self, crowd: Crowd, stack: ExitStack) -> None:
        listening = listen("127.0.0.1", 0)
        self.access = access_to(listening)
        self.go_on = Event()
        server = server_of(self.app, self.access, sockets=False, crowd=crowd)
        thread = Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        stack.callback(thread.join)
        stack.callback(setattr, server, "should_exit", True)
        stack.callback(self.go_on.set)
        self._stack = stack
        while not server.started:
            time.sleep(0.01)

    async def app(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answers."""
        body = (await receive())["body"]
        while scope["path"] == "/wait" and not self.go_on.is_set():
            await asyncio.sleep(0.01)
        told = b"x" * (64 << 20) if scope["path"] == "/much" else str(len(body)).encode()
        length = (b"content-length", str(len(told)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        await send({"type": "http.response.body", "body": told})

    def said(self, head: str, body: str = "") -> socket.socket:
        """A new connection on which that was said."""
        connection = self._stack.enter_context(
            socket.create_connection((self.access.host, self.access.port), timeout=20)
        )
        connection.sendall((head.replace("HOST", f"host: 127.0.0.1:{self.access.port}") + body).encode())
        return connection


WHOLE = "GET / HTTP/1.1\r\nHOST\r\n\r\n"
HALF = "GET / HTTP/1.1\r\nHOST\r\nx: "
HALF_BODY = "POST / HTTP/1.1\r\nHOST\r\ncontent-length: 9\r\n\r\n{"


@pytest.fixture
def place() -> Iterator[Callable[..., Place]]:
    """Makes servers with limits of their own."""
    with ExitStack() as stack:
        yield lambda most=1000, seconds=SECONDS: Place(Crowd(most, seconds), stack)


def rest(connection: socket.socket) -> bytes:
    """All that comes until the connection ends; one that is cut off has said nothing."""
    try:
        return b"".join(iter(lambda: connection.recv(1 << 16), b""))
    except ConnectionResetError:
        return b""


def answer(connection: socket.socket) -> bytes:
    """The next answer of one sign, or what comes until the connection ends."""
    told = b""
    while not told.partition(b"\r\n\r\n")[2] and (more := connection.recv(1 << 16)):
        told += more
    return told


def is_open(connection: socket.socket) -> bool:
    """Whether a connection that has said all is still there."""
    connection.settimeout(0.05)
    try:
        return connection.recv(1, socket.MSG_PEEK) != b""
    except TimeoutError:
        return True
    except ConnectionResetError:
        return False
    finally:
        connection.settimeout(20)


def test_a_head_has_ten_seconds_and_a_body_thirty() -> None:
    assert SECONDS[Waiting.HEAD] == 10
    assert Guard(lambda *_: asyncio.sleep(0), access=None)._body_seconds == 30  # type: ignore[arg-type]


def test_half_a_head_is_told_that_it_was_too_slow(place: Callable[..., Place]) -> None:
    begun = time.monotonic()
    told = rest(place(seconds=SOON).said(HALF))
    assert told.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert json.loads(told.partition(b"\r\n\r\n")[2]) == {"detail": "the head did not come in 0.3 seconds"}
    assert 0.25 < time.monotonic() - begun < 5


def test_a_connection_that_says_nothing_is_closed(place: Callable[..., Place]) -> None:
    assert rest(place(seconds=SOON).said("")) == b""


def test_a_head_that_comes_in_drops_has_no_more_time(place: Callable[..., Place]) -> None:
    connection, begun = place(seconds=SOON).said(HALF), time.monotonic()
    while not select([connection], [], [], 0.05)[0]:
        connection.sendall(b"y")
    assert rest(connection).startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - begun < 5


def test_the_second_call_of_a_kept_connection_has_the_same_time_and_idling_is_no_head(
    place: Callable[..., Place],
) -> None:
    connection = place(seconds=SOON).said(WHOLE)
    assert answer(connection).endswith(b"0")
    time.sleep(0.6)  # twice what a head has
    connection.sendall(b"GET / HT")
    assert rest(connection).startswith(b"HTTP/1.1 408 ")


def test_half_a_body_is_waited_for_so_long(place: Callable[..., Place]) -> None:
    assert rest(place(seconds=SOON).said(HALF_BODY)) == b""


def test_an_answer_that_nobody_reads_is_let_go(place: Callable[..., Place]) -> None:
    connection = place(seconds=SOON).said(WHOLE.replace("GET /", "GET /much"))
    time.sleep(1.0)
    assert len(rest(connection)) < 64 << 20


def test_a_call_that_takes_long_is_waited_for(place: Callable[..., Place]) -> None:
    there = place(seconds=SOON)
    connection = there.said(WHOLE.replace("GET /", "GET /wait"))
    time.sleep(1.0)
    there.go_on.set()
    assert answer(connection).endswith(b"0")


def test_where_there_is_no_room_the_longest_half_sent_goes_first_then_the_longest_idle(
    place: Callable[..., Place],
) -> None:
    there = place(most=5)  # 4 of one client
    kept = there.said(WHOLE)
    assert answer(kept).endswith(b"0")
    half = [there.said(said) for said in (HALF, HALF_BODY)]
    time.sleep(0.1)
    newer = [there.said(WHOLE) for _ in range(3)]
    assert all(answer(connection).endswith(b"0") for connection in newer)
    assert [is_open(each) for each in (*half, kept, *newer)] == [False, False, True, True, True, True]
    newest = there.said(WHOLE)
    assert answer(newest).endswith(b"0")
    assert [is_open(each) for each in (kept, *newer, newest)] == [False, True, True, True, True]


def test_where_all_are_at_work_one_more_is_told_to_come_back(place: Callable[..., Place]) -> None:
    there = place(most=5)
    working = [there.said(WHOLE.replace("GET /", "GET /wait")) for _ in range(4)]
    time.sleep(0.2)
    assert rest(there.said(WHOLE)).startswith(b"HTTP/1.1 503 ")
    there.go_on.set()
    assert all(answer(connection).endswith(b"0") for connection in working)
    assert answer(there.said(WHOLE)).endswith(b"0")


def test_good_clients_are_answered_beside_many_half_sent_calls(place: Callable[..., Place]) -> None:
    there = place(most=50)
    held = [there.said(said) for _ in range(60) for said in (HALF, HALF_BODY)]
    begun = time.monotonic()
    assert all(answer(there.said(WHOLE)).endswith(b"0") for _ in range(20))
    assert time.monotonic() - begun < 5
    assert sum(map(is_open, held[-20:])) > 0
