"""What a server says before it serves."""

import os
from json import dumps

from heldout.envs.base import Suite
from heldout.printable import printable_line


def announce(suite: Suite, url: str, spoken: str, as_json: bool) -> None:
    """Says what is served and where; `spoken` names the protocol where it is not AgentGym's."""
    about = {"env": suite.name, "url": url, "rules": suite.rules, "source": suite.source, "pid": os.getpid()}
    words = f"{suite.name} by rules {suite.rules} ({suite.source}){spoken} at {url}; Ctrl-C ends it"
    print(dumps(about) if as_json else printable_line(words), flush=True)
