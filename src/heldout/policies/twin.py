"""Players that see the world: each conversation has a twin of its environment, fed the same actions.

A twin is opened from the task that the conversation carries, so nothing passes between player and
environment but what is said.
"""

from collections.abc import Callable
from random import Random
from typing import final

from heldout.envs.base import Env, Suite, World
from heldout.policies.base import Ask
from heldout.records import Reply

Choose = Callable[[Suite, World, Random], str]
"""The next action, from the suite's players, the world as it stands, and the turn's chance."""


@final
class TwinPlayer:
    """Plays by a choice made on the world itself."""

    in_flight = 64

    def __init__(self, suites: Callable[[str], Suite], choose: Choose) -> None:
        self._suites = suites
        self._choose = choose
        self._twins = dict[str, Env]()
        self._ready = list[tuple[str, Reply]]()

    def submit(self, ask: Ask) -> None:
        """Take a request: look at the twin, choose, and play the choice there too."""
        suite = self._suites(ask.task.env)
        twin = self._twins.get(ask.conversation)
        if twin is None:
            twin = self._twins[ask.conversation] = suite.open(ask.task)
            twin.start()
        action = self._choose(suite, twin.world, Random(ask.seed))
        thought = suite.thought(twin.world, action)
        twin.step(action)
        self._ready.append((ask.conversation, Reply(text=f"Thought: {thought}\nAction: {action}")))

    def collect(self) -> list[tuple[str, Reply]]:
        """Every open reply."""
        ready, self._ready = self._ready, []
        return ready

    def release(self, conversation: str) -> None:
        """Forget a conversation's twin."""
        self._twins.pop(conversation, None)


def oracle(suites: Callable[[str], Suite]) -> TwinPlayer:
    """The player that knows the solution; it plans anew each turn."""
    return TwinPlayer(suites, lambda suite, world, _: suite.oracle(world))


def random(suites: Callable[[str], Suite]) -> TwinPlayer:
    """The player that draws among the actions that would be carried out."""
    return TwinPlayer(suites, lambda suite, world, rng: rng.choice(suite.legal(world)))


def clumsy(suites: Callable[[str], Suite], rate: float) -> TwinPlayer:
    """The oracle with planted mistakes: at each turn, with this probability, a plausible slip instead.

    Since the oracle plans anew, what follows a slip is a recovery from it.
    """

    def choose(suite: Suite, world: World, rng: Random) -> str:
        slips = suite.slips(world) if rng.random() < rate else []
        return rng.choice(slips) if slips else suite.oracle(world)

    return TwinPlayer(suites, choose)
