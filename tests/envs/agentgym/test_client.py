"""Calls to a server that is slow, down, or confused."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import pytest

from heldout.envs.agentgym.client import Client, Patience
from heldout.errors import BadCall, Unavailable

PATIENCE = Patience(answer=0.3, connect=0.3, pauses=(1.0, 2.0))


@dataclass
class Server:
    """Answers in turn, the last again and again: a status and a body, or nothing where the status is 0."""

    answers: list[tuple[int, bytes]]
    address: str = ""
    asked: list[str] = field(default_factory=list)
    over: Event = field(default_factory=Event)

    def answer(self, path: str) -> tuple[int, bytes]:
        self.asked.append(path)
        return self.answers[min(len(self.asked), len(self.answers)) - 1]


@pytest.fixture
def server() -> Iterator[Callable[..., Server]]:
    """Makes servers on free ports of this machine."""
    running = list[tuple[ThreadingHTTPServer, Thread, Server]]()

    def made(*answers: tuple[int, bytes]) -> Server:
        told = Server(list(answers))

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                status, said = told.answer(self.path)
                if not status:
                    told.over.wait(5)
                    return
                self.send_response(status)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_: object) -> None:
                pass

        http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        told.address = f"http://127.0.0.1:{http.server_port}"
        thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        running.append((http, thread, told))
        return told

    yield made
    for http, thread, told in running:
        told.over.set()
        http.shutdown()
        thread.join()
        http.server_close()


@pytest.fixture
def calling() -> Iterator[Callable[[str], tuple[Client, list[float]]]]:
    """Makes lines, each with the pauses that it made."""
    lines = list[Client]()

    def made(address: str) -> tuple[Client, list[float]]:
        pauses = list[float]()
        lines.append(Client(address, PATIENCE, pauses.append))
        return lines[-1], pauses

    yield made
    for client in lines:
        client.close()


Servers = Callable[..., Server]
Calling = Callable[[str], tuple[Client, list[float]]]


def test_a_servers_own_failure_passes_where_twice_is_as_good_as_once(server: Servers, calling: Calling) -> None:
    there = server((500, b"oh"), (502, b""), (200, b'{"id": 3}'))
    client, pauses = calling(there.address)
    assert client.post("/create", {}, again=True).content == {"id": 3}
    assert pauses == [1.0, 2.0]


def test_a_step_that_may_have_been_taken_is_not_taken_again(server: Servers, calling: Calling) -> None:
    for failure in ((500, b"oh"), (0, b"")):
        there = server(failure, (200, b"1"))
        client, pauses = calling(there.address)
        with pytest.raises(Unavailable, match="/step did not answer: "):
            client.post("/step", {}, again=False)
        assert (there.asked, pauses) == (["/step"], [])


def test_a_server_that_is_too_busy_has_not_begun(server: Servers, calling: Calling) -> None:
    there = server((503, b"full"), (200, b"1"))
    client, pauses = calling(there.address)
    assert client.post("/step", {}, again=False).content == 1
    assert pauses == [1.0]


def test_a_server_that_is_down_is_waited_for_once_and_then_fails_soon(calling: Calling) -> None:
    client, pauses = calling("http://127.0.0.1:1")
    for _ in range(3):
        with pytest.raises(Unavailable, match="/step did not answer: ConnectError"):
            client.post("/step", {}, again=False)
    assert pauses == [1.0, 2.0]


def test_what_is_no_json_is_none(server: Servers, calling: Calling) -> None:
    client, _ = calling(server((404, b"<html>")).address)
    answer = client.post("/heldout", again=True)
    assert (answer.status, answer.content) == (404, None)


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(BadCall, match="'http://x:y' is no address of a server"):
        Client("http://x:y")
