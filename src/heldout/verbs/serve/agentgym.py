"""`heldout serve --protocol agentgym`: an environment behind AgentGym's HTTP protocol."""

from collections.abc import Sequence
from random import SystemRandom

from heldout.config import Config, with_overrides
from heldout.envs.agentgym.protocol import rules_served
from heldout.envs.registry import open_suite
from heldout.integrations.agentgym.app import App
from heldout.integrations.agentgym.episodes import Episodes
from heldout.integrations.agentgym.server import Server, listen
from heldout.verbs.serve.first_line import announce


def serve_agentgym(
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
    """Serves one environment until it is interrupted; the first line says where."""
    source = with_overrides(Config(), [f"source.rules={rules or rules_served(env)}", *settings]).source
    suite = open_suite(env, source)
    episodes = Episodes(max_episodes, idle_seconds)
    app = App(suite, source, episodes, SystemRandom())
    server = Server(app, episodes, listen(host, port))
    announce(suite, server.address, "", as_json)
    server.run()
