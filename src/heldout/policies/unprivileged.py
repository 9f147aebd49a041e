"""The player that knows nothing: it has read what the agent reads, and draws from what may be said."""

from collections.abc import Callable
from random import Random

from heldout.envs.base import Suite
from heldout.policies.base import Request
from heldout.policies.scripted import ScriptedPolicy

NO_REASON = "I try something."


def random(suites: Callable[[str], Suite]) -> ScriptedPolicy:
    """Draws from what the observation lists, or from what the grammar of actions allows with the words seen."""
    texts = dict[str, list[str]]()

    def say(request: Request) -> str:
        suite, seen = suites(request.task.env), texts.setdefault(request.conversation, [])
        seen.append(request.text)
        return suite.players.reply(NO_REASON, suite.guess_action(seen, Random(request.seed)))

    return ScriptedPolicy(say, lambda conversation: texts.pop(conversation, None))
