"""An ASGI application around any other: it lets in who may call, and hands on bodies that are whole and bounded."""

import asyncio
from collections.abc import Awaitable, Callable
from json import dumps
from typing import Any, final

from heldout.integrations.serving.access import Access, refusal

LARGEST_BODY = 1 << 20
"""Bytes of a request's body; a larger one is answered with a status of 413."""
DRAINED = 8 * LARGEST_BODY
"""Bytes of a body that are read all the same, so that its sender gets to read the answer."""
BODY_SECONDS = 30.0
"""A body that takes longer is answered with a status of 408."""

POLICY_VIOLATION = 1008
"""What a websocket is closed with that may not be opened."""

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


@final
class Guard:
    """The application as those may call it who know where it is."""

    def __init__(self, app: App, access: Access, body_seconds: float = BODY_SECONDS) -> None:
        self._app, self._access, self._body_seconds = app, access, body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, one websocket, or the application's start and end."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refused = refusal(self._access, scope)
        inner = {**scope, "root_path": scope.get("root_path", "") + self._access.prefix}
        if scope["type"] == "websocket":
            if refused:
                await receive()
                await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": refused[1]})
            else:
                await self._app(inner, receive, send)
        elif refused:
            await send_json(send, *refused)
        else:
            await self._with_whole_body(inner, receive, send)

    async def _with_whole_body(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(self._body_seconds):
                body = await _read_body(receive)
        except ConnectionAbortedError:
            return
        except TimeoutError:
            await send_json(send, 408, f"the body did not come in {self._body_seconds:g} seconds")
            return
        if body is None:
            await send_json(send, 413, f"a body has at most {LARGEST_BODY} bytes")
            return
        await self._app(scope, _Replayed(body, receive).receive, send)


@final
class _Replayed:
    """A body that is here already; after it, what the connection says."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def receive(self) -> dict[str, Any]:
        """The body, once."""
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


async def _read_body(receive: Receive) -> bytes | None:
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


async def send_json(send: Send, status: int, detail: str) -> None:
    """Answers why a call is refused, and ends the connection: what else comes on it is not read."""
    body = dumps({"detail": detail}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
