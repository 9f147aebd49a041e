"""Players that see the world: each conversation has a privileged copy of its environment, fed the same actions.

A copy is opened from the task that the conversation carries, so nothing passes between player and
environment but what is said.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import final

from heldout.envs.base import Env, Suite, World
from heldout.policies.base import Request
from heldout.policies.scripted import ScriptedPolicy

Choose = Callable[[Suite, World, Random, str], str]
"""The next action, from the suite's players, the world as it stands, the turn's chance, and the last action."""

Think = Callable[[Suite, World, str], str]
"""What a player says before an action, from the world as it stands."""


def _think_by_suite(suite: Suite, world: World, action: str) -> str:
    return suite.players.thought(world, action)


@final
class _PrivilegedEnvs:
    """The privileged copy of each conversation's environment, and what was last done in it."""

    def __init__(self, suites: Callable[[str], Suite], choose: Choose, think: Think) -> None:
        self._suites = suites
        self._choose = choose
        self._think = think
        self._envs = dict[str, tuple[Env, str]]()

    def say(self, request: Request) -> str:
        """Look at the copy, choose, and play the choice there too."""
        suite = self._suites(request.task.env)
        env, last = self._envs.get(request.conversation) or (_open_privileged(suite, request), "")
        action = self._choose(suite, env.world, Random(request.seed), last)
        thought = self._think(suite, env.world, action)
        env.step(action)
        self._envs[request.conversation] = env, action
        return suite.players.reply(thought, action)

    def forget(self, conversation: str) -> None:
        """A conversation is over, and its copy."""
        self._envs.pop(conversation, None)


def player(suites: Callable[[str], Suite], choose: Choose, think: Think = _think_by_suite) -> ScriptedPolicy:
    """Plays by a choice made on the world itself."""
    envs = _PrivilegedEnvs(suites, choose, think)
    return ScriptedPolicy(envs.say, envs.forget)


def oracle(suites: Callable[[str], Suite]) -> ScriptedPolicy:
    """The player that knows the solution; it plans anew each turn."""
    return player(suites, lambda suite, world, *_: suite.players.oracle(world))


def random(suites: Callable[[str], Suite]) -> ScriptedPolicy:
    """The player that draws among the actions that would be carried out."""
    return player(suites, _any)


def _any(suite: Suite, world: World, rng: Random, _: str) -> str:
    return rng.choice(suite.players.legal(world))


@dataclass(frozen=True, slots=True, kw_only=True)
class OracleNoise:
    """How often the oracle is made to err, and how: three chances, from 0 to 1."""

    error_rate: float
    """That a turn begins a mistake."""
    tempting_rate: float = 0.0
    """That the mistake is the most tempting one, and not any."""
    repeat_rate: float = 0.0
    """That a mistake is said again while it is one."""


def noisy_oracle(suites: Callable[[str], Suite], noise: OracleNoise) -> ScriptedPolicy:
    """The oracle with planted mistakes; since it plans anew, what follows the last one is a recovery."""

    def choose(suite: Suite, world: World, rng: Random, last: str) -> str:
        mistakes = suite.players.mistakes(world)
        if last in mistakes and rng.random() < noise.repeat_rate:
            return last
        if last in mistakes or not mistakes or rng.random() >= noise.error_rate:
            return suite.players.oracle(world)
        return mistakes[0] if rng.random() < noise.tempting_rate else rng.choice(mistakes)

    return player(suites, choose)


def _open_privileged(suite: Suite, request: Request) -> Env:
    env = suite.open_privileged(request.task)
    env.start()
    return env
