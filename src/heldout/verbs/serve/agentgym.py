"""`heldout serve --protocol agentgym`: an environment behind AgentGym's HTTP protocol."""

from collections.abc import Sequence
from random import SystemRandom

from heldout.config import Config, changed
from heldout.envs.agentgym.wire import rules_served
from heldout.envs.registry import open_suite
from heldout.integrations.agentgym.door import Door
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
    source = changed(Config(), [f"source.rules={rules or rules_served(env)}", *settings]).source
    suite = open_suite(env, source)
    episodes = Episodes(max_episodes, idle_seconds)
    door = Door(suite, source, episodes, SystemRandom())
    server = Server(door, episodes, listen(host, port))
    announce(suite, server.address, "", as_json)
    server.run()
