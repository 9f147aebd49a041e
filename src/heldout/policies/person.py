"""A person as a policy: what is said goes through the same loop and the same reading as a model's words."""

from collections import defaultdict
from collections.abc import Callable
from typing import final

from heldout.envs.base import Suite
from heldout.envs.react import Misread
from heldout.policies.base import Request
from heldout.printable import printable
from heldout.records import Reply

HELP = "Type an action, or a whole Thought/Action reply; ? lists the actions, :hint is the oracle's, :quit stops."


class Stopped(Exception):
    """The person will not go on."""


@final
class Person:
    """Reads observations and says replies, one episode at a time.

    `listen` takes a prompt and returns a line; it raises EOFError when there are no more.
    """

    in_flight = 1

    def __init__(self, suite: Suite, listen: Callable[[str], str], say: Callable[[str], None]) -> None:
        self._suite = suite
        self._listen, self._say = listen, say
        self._actions = defaultdict[str, list[str]](list)
        self._requests = list[Request]()

    def submit(self, request: Request) -> None:
        """Take a request: the observation is shown."""
        self._say(printable(request.text))
        self._requests.append(request)

    def collect(self) -> list[tuple[str, Reply]]:
        """The person's reply; raises `Stopped` when none will come."""
        request = self._requests.pop()
        try:
            text = self._reply(request)
        except EOFError:
            raise Stopped from None
        if (action := self._read(text)) is not None:
            self._actions[request.conversation].append(action)
        return [(request.conversation, Reply(text=text))]

    def release(self, conversation: str) -> None:
        """Forget a conversation's actions."""
        self._actions.pop(conversation, None)

    def _reply(self, request: Request) -> str:
        while (line := self._listen(f"{request.turn + 1}> ").strip()) != ":quit":
            if line and line != "?" and not line.startswith(":"):
                return self._whole(line)
            if line:
                self._say(printable(self._hint(request)) if line == ":hint" else self._help())
        raise Stopped

    def _help(self) -> str:
        """What can be typed; asking costs no turn."""
        return "\n".join([HELP, *(f"  {action}" for action in self._suite.actions)])

    def _whole(self, line: str) -> str:
        """The reply that a line begins; a bare action is put into the form that agents use."""
        if line.startswith(("Thought:", "Action:")):
            while "Action:" not in line or line.rstrip().endswith("Action:"):
                line += "\n" + self._listen("... ")
        elif self._read(line) == "":
            line = f"Action: {line}"
        return line

    def _read(self, reply: str) -> str | None:
        try:
            return self._suite.read(reply)
        except Misread:
            return None

    def _hint(self, request: Request) -> str:
        """What the oracle would do now, in a privileged copy that went through the same actions."""
        env = self._suite.open_privileged(request.task)
        env.start()
        for action in self._actions[request.conversation]:
            env.step(action)
        return self._suite.players.oracle(env.world)
