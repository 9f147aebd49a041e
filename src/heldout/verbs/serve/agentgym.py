"""`heldout serve --protocol agentgym`: an environment behind AgentGym's HTTP protocol."""

from collections.abc import Sequence
from random import SystemRandom

from heldout.config import Config, with_overrides
from heldout.envs.agentgym.protocol import rules_served
from heldout.envs.registry import open_suite
from heldout.errors import BadCall
from heldout.integrations.agentgym.app import App
from heldout.integrations.agentgym.episodes import Episodes
from heldout.integrations.agentgym.server import Server
from heldout.integrations.serving.access import access_to, listen
from heldout.verbs.serve.first_line import announce


def serve_agentgym(
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
    """Serves one environment until it is interrupted; the first line says where."""
    if shown:
        raise BadCall("--show is of --protocol openenv: AgentGym's protocol says what an observation has")
    source = with_overrides(Config(), [f"source.rules={rules or rules_served(env)}", *settings]).source
    suite = open_suite(env, source)
    episodes = Episodes(max_episodes, idle_seconds)
    app = App(suite, source, episodes, SystemRandom())
    with listen(host, port) as listening:
        access = access_to(listening, allowed, token)
        server = Server(app, episodes, listening, access)
        announce(suite, access, "", as_json)
        server.run()
