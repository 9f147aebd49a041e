"""The app on a port: bytes in, bytes out, every request bounded in size and time."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread
from typing import Any, Protocol, final

import uvicorn

from heldout.errors import HeldoutError
from heldout.integrations.agentgym.episodes import Episodes
from heldout.integrations.agentgym.messages import HttpRequest, HttpResponse

LARGEST_BODY = 1 << 20
"""Bytes of a request's body; a larger one is answered with a status of 413."""
DRAINED = 8 * LARGEST_BODY
"""Bytes of a body that are read all the same, so that its sender gets to read the answer."""
BODY_SECONDS = 30.0
"""A body that takes longer is answered with a status of 408."""
THREADS = 16
"""Calls that are carried out at once."""
CONNECTIONS = 1000
"""More are answered with a status of 503."""
SWEEPS = 5.0
"""Seconds between two looks for idle episodes, at most."""

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Answering(Protocol):
    """What is behind the port."""

    def answer(self, request: HttpRequest) -> HttpResponse:
        """What one call is answered; called from many threads."""
        ...


@final
class Server:
    """An app, served at a socket; `run` returns when `stop` is called or the process is told to end."""

    def __init__(self, app: Answering, episodes: Episodes, listening: socket.socket) -> None:
        self._episodes = episodes
        self._listening = listening
        self._over = Event()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="heldout-serve")
        config = uvicorn.Config(
            _AsgiApp(app.answer, self._pool),
            http="h11",
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            limit_concurrency=CONNECTIONS,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=2,
        )
        self._uvicorn = uvicorn.Server(config)

    @property
    def address(self) -> str:
        """Where clients find it."""
        return address_of(self._listening)

    def run(self) -> None:
        """Serve."""
        sweeper = Thread(target=self._sweep, daemon=True)
        sweeper.start()
        try:
            self._uvicorn.run(sockets=[self._listening])
        finally:
            self._over.set()
            sweeper.join()
            self._pool.shutdown(cancel_futures=True)
            self._listening.close()

    def stop(self) -> None:
        """Let `run` return, soon."""
        self._uvicorn.should_exit = True

    def _sweep(self) -> None:
        """Forgets idle episodes while nobody calls."""
        while not self._over.wait(min(SWEEPS, self._episodes.idle_seconds)):
            self._episodes.forget_idle()


def listen(host: str, port: int) -> socket.socket:
    """A socket at that address; port 0 is any that is free."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Only where the protocol is named does asyncio send the two parts of an answer without waiting in between.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(1024)
    except OSError as error:
        listening.close()
        raise HeldoutError(f"cannot listen on port {port} of {host}: {error.strerror}") from None
    return listening


def address_of(listening: socket.socket) -> str:
    """Where clients find what listens there."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@final
class _AsgiApp:
    """The app as an ASGI application: it reads a request, has it carried out in a thread, and sends the answer."""

    def __init__(self, carry_out: Callable[[HttpRequest], HttpResponse], pool: ThreadPoolExecutor) -> None:
        self._carry_out = carry_out
        self._pool = pool

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """One request."""
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await _body(receive)
        except ConnectionAbortedError:
            return
        except TimeoutError:
            await _send(send, HttpResponse({"detail": f"the body did not come in {BODY_SECONDS:g} seconds"}, 408))
            return
        if body is None:
            told = f"a body has at most {LARGEST_BODY} bytes"
            await _send(send, HttpResponse({"detail": told}, 413, {"connection": "close"}))
            return
        query = scope["query_string"].decode("latin-1")
        request = HttpRequest(method=scope["method"], path=scope["path"], query=query, body=body)
        answer = await asyncio.get_running_loop().run_in_executor(self._pool, self._carry_out, request)
        await _send(send, answer)


async def _body(receive: Receive) -> bytes | None:
    """A request's body; None where it is too large. Raises ConnectionAbortedError where the client is gone."""
    pieces, size, more = list[bytes](), 0, True
    while more and size <= DRAINED:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionAbortedError
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
        if size <= LARGEST_BODY:
            pieces.append(message.get("body", b""))
    return b"".join(pieces) if size <= LARGEST_BODY else None


async def _send(send: Send, answer: HttpResponse) -> None:
    body = answer.body
    named = {"content-type": answer.kind, "content-length": str(len(body)), **answer.headers}
    headers = [(name.encode(), value.encode()) for name, value in named.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
