"""An ASGI application on a port: guarded, its connections bounded, until it is told to end."""

from functools import partial

import uvicorn

from heldout.integrations.serving.access import Access
from heldout.integrations.serving.connections import Connection, Crowd
from heldout.integrations.serving.guard import App, Guard

KEPT_SECONDS = 75
"""How long a connection is kept for another call."""


def server_of(app: App, access: Access, *, sockets: bool, crowd: Crowd | None = None) -> uvicorn.Server:
    """A server of an application; `sockets` says whether it takes websockets too, `crowd` how many connections."""
    config = uvicorn.Config(
        Guard(app, access),
        http=partial(Connection, crowd or Crowd()),  # type: ignore[arg-type]  # it is only called
        ws="auto" if sockets else "none",
        loop="asyncio",
        lifespan="auto" if sockets else "off",
        log_config=None,
        log_level="error",
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEPT_SECONDS,
        timeout_graceful_shutdown=2,
    )
    return uvicorn.Server(config)
