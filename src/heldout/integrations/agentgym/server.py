"""The app on a port: calls are carried out in threads, and idle episodes forgotten."""

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread
from typing import Any, Protocol, final

from heldout.integrations.agentgym.episodes import Episodes
from heldout.integrations.agentgym.messages import HttpRequest, HttpResponse
from heldout.integrations.serving.access import Access, access_to
from heldout.integrations.serving.guard import Receive, Send
from heldout.integrations.serving.server import server_of

THREADS = 16
"""Calls that are carried out at once."""
SWEEPS = 5.0
"""Seconds between two looks for idle episodes, at most."""


class Answering(Protocol):
    """What is behind the port."""

    def answer(self, request: HttpRequest) -> HttpResponse:
        """What one call is answered; called from many threads."""
        ...


@final
class Server:
    """An app, served at a socket; `run` returns when `stop` is called or the process is told to end.

    Who may call is this machine, unless `access` says otherwise.
    """

    def __init__(
        self, app: Answering, episodes: Episodes, listening: socket.socket, access: Access | None = None
    ) -> None:
        self._episodes = episodes
        self._listening = listening
        self._access = access or access_to(listening)
        self._over = Event()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="heldout-serve")
        self._uvicorn = server_of(_AsgiApp(app.answer, self._pool), self._access, sockets=False)

    @property
    def address(self) -> str:
        """Where clients find it."""
        return self._access.url

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


@final
class _AsgiApp:
    """The app as an ASGI application: it has a call carried out in a thread, and sends the answer."""

    def __init__(self, carry_out: Callable[[HttpRequest], HttpResponse], pool: ThreadPoolExecutor) -> None:
        self._carry_out = carry_out
        self._pool = pool

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """One request, whose body comes whole."""
        body = (await receive())["body"]
        request = HttpRequest(
            method=scope["method"],
            path=scope["path"].removeprefix(scope["root_path"]),
            query=scope["query_string"].decode("latin-1"),
            body=body,
        )
        answer = await asyncio.get_running_loop().run_in_executor(self._pool, self._carry_out, request)
        await _send(send, answer)


async def _send(send: Send, answer: HttpResponse) -> None:
    body = answer.body
    named = {"content-type": answer.kind, "content-length": str(len(body)), **answer.headers}
    headers = [(name.encode(), value.encode()) for name, value in named.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
