"""`heldout serve --protocol openenv`: any environment as an OpenEnv environment."""

from collections.abc import Sequence

import uvicorn

from heldout.config import Config, with_overrides
from heldout.envs.registry import open_suite
from heldout.integrations.agentgym.server import address_of, listen
from heldout.integrations.openenv import app_of
from heldout.verbs.serve.first_line import announce


def serve_openenv(
    *,
    env: str,
    host: str,
    port: int,
    rules: str | None,
    max_episodes: int,
    idle_seconds: int,
    as_json: bool,
    settings: Sequence[str],
) -> None:
    """Serves one environment until it is interrupted; the first line says where. K is `limits.max_turns`."""
    config = with_overrides(Config(), [f"source.rules={rules or 'fixed'}", *settings])
    suite = open_suite(env, config.source)
    app = app_of(suite, max_turns=config.limits.max_turns, max_episodes=max_episodes, idle_seconds=idle_seconds)
    listening = listen(host, port)
    announce(suite, address_of(listening), " as an OpenEnv environment", as_json)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, log_level="error", timeout_graceful_shutdown=2))
    server.run(sockets=[listening])
