"""`heldout serve --protocol openenv`: any environment as an OpenEnv environment."""

from collections.abc import Sequence

from heldout.config import Config, with_overrides
from heldout.envs.registry import open_suite
from heldout.integrations.openenv import app_of
from heldout.integrations.serving.access import access_to, listen
from heldout.integrations.serving.connections import CONNECTIONS, Crowd
from heldout.integrations.serving.server import server_of
from heldout.verbs.serve.first_line import announce

BESIDE_SESSIONS = 200
"""Connections that are there for more than sessions."""


def serve_openenv(
    *,
    env: str,
    host: str,
    port: int,
    token: str | None,
    allowed: Sequence[str],
    rules: str | None,
    max_episodes: int,
    idle_seconds: int,
    shown: Sequence[str],
    as_json: bool,
    settings: Sequence[str],
) -> None:
    """Serves one environment until it is interrupted; the first line says where. K is `limits.max_turns`."""
    config = with_overrides(Config(), [f"source.rules={rules or 'fixed'}", *settings])
    suite = open_suite(env, config.source)
    app = app_of(
        suite,
        max_turns=config.limits.max_turns,
        max_episodes=max_episodes,
        idle_seconds=idle_seconds,
        shown=shown,
    )
    with listen(host, port) as listening:
        access = access_to(listening, allowed, token)
        crowd = Crowd(max(CONNECTIONS, max_episodes + BESIDE_SESSIONS))
        server = server_of(app, access, sockets=True, crowd=crowd)
        announce(suite, access, " as an OpenEnv environment", as_json)
        server.run(sockets=[listening])
