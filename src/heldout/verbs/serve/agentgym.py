"""`heldout serve --protocol agentgym`: an environment behind AgentGym's HTTP protocol."""

import os
from collections.abc import Sequence
from json import dumps
from random import SystemRandom

from heldout.config import Config, changed
from heldout.envs.registry import open_suite
from heldout.integrations.agentgym.door import Door
from heldout.integrations.agentgym.episodes import Episodes
from heldout.integrations.agentgym.server import Server, listen


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
    source = changed(Config(), [f"source.rules={rules or 'agentgym'}", *settings]).source
    suite = open_suite(env, source)
    episodes = Episodes(max_episodes, idle_seconds)
    door = Door(suite, source, episodes, SystemRandom())
    server = Server(door, episodes, listen(host, port))
    about = {"env": env, "url": server.address, "rules": suite.rules, "source": suite.source, "pid": os.getpid()}
    words = f"{env} by rules {suite.rules} ({suite.source}) at {server.address}; Ctrl-C ends it"
    print(dumps(about) if as_json else words, flush=True)
    server.run()
