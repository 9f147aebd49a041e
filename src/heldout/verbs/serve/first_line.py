"""What a server says before it serves."""

import os
from json import dumps

from heldout.envs.base import Suite
from heldout.integrations.serving.access import Access
from heldout.printable import printable_line


def announce(suite: Suite, access: Access, spoken: str, as_json: bool) -> None:
    """Says what is served and where; `spoken` names the protocol where it is not AgentGym's."""
    about = {"env": suite.name, "url": access.url, "rules": suite.rules, "source": suite.source, "pid": os.getpid()}
    known = ", for who knows this address" if access.token else ""
    words = f"{suite.name} by rules {suite.rules} ({suite.source}){spoken} at {access.url}{known}; Ctrl-C ends it"
    print(dumps(about) if as_json else printable_line(words), flush=True)
