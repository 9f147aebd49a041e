"""Players that see the world: each conversation has a twin of its environment, fed the same actions.

A twin is opened from the task that the conversation carries, so nothing passes between player and
environment but what is said.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import final

from heldout.envs.base import Env, Suite, World
from heldout.policies.base import Ask
from heldout.policies.scripted import Spoken

Choose = Callable[[Suite, World, Random, str], str]
"""The next action, from the suite's players, the world as it stands, the turn's chance, and the last action."""

Think = Callable[[Suite, World, str], str]
"""What a player says before an action, from the world as it stands."""

NO_REASON = "I try something."


def _reasoned(suite: Suite, world: World, action: str) -> str:
    return suite.players.thought(world, action)


@final
class _Twins:
    """The twin of each conversation, and what was last done in it."""

    def __init__(self, suites: Callable[[str], Suite], choose: Choose, think: Think) -> None:
        self._suites = suites
        self._choose = choose
        self._think = think
        self._twins = dict[str, tuple[Env, str]]()

    def say(self, ask: Ask) -> str:
        """Look at the twin, choose, and play the choice there too."""
        suite = self._suites(ask.task.env)
        twin, last = self._twins.get(ask.conversation) or (_opened(suite, ask), "")
        action = self._choose(suite, twin.world, Random(ask.seed), last)
        thought = self._think(suite, twin.world, action)
        twin.step(action)
        self._twins[ask.conversation] = twin, action
        return suite.players.reply(thought, action)

    def forget(self, conversation: str) -> None:
        """A conversation is over, and its twin."""
        self._twins.pop(conversation, None)


def player(suites: Callable[[str], Suite], choose: Choose, think: Think = _reasoned) -> Spoken:
    """Plays by a choice made on the world itself."""
    twins = _Twins(suites, choose, think)
    return Spoken(twins.say, twins.forget)


def oracle(suites: Callable[[str], Suite]) -> Spoken:
    """The player that knows the solution; it plans anew each turn."""
    return player(suites, lambda suite, world, *_: suite.players.oracle(world))


def random(suites: Callable[[str], Suite]) -> Spoken:
    """The player that draws among the actions that would be carried out."""
    return player(suites, _any)


def aimless(suites: Callable[[str], Suite]) -> Spoken:
    """The random player without reasons: it shows the form of a reply, and nothing of how to play."""
    return player(suites, _any, lambda *_: NO_REASON)


def _any(suite: Suite, world: World, rng: Random, _: str) -> str:
    return rng.choice(suite.players.legal(world))


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistakes:
    """How clumsy a player is: three chances, from 0 to 1."""

    slip: float
    """That a turn begins a mistake."""
    habit: float = 0.0
    """That the mistake is the most tempting one, and not any."""
    persist: float = 0.0
    """That a mistake is said again while it is one."""


def clumsy(suites: Callable[[str], Suite], mistakes: Mistakes) -> Spoken:
    """The oracle with planted mistakes; since it plans anew, what follows the last one is a recovery."""

    def choose(suite: Suite, world: World, rng: Random, last: str) -> str:
        slips = suite.players.slips(world)
        if last in slips and rng.random() < mistakes.persist:
            return last
        if last in slips or not slips or rng.random() >= mistakes.slip:
            return suite.players.oracle(world)
        return slips[0] if rng.random() < mistakes.habit else rng.choice(slips)

    return player(suites, choose)


def _opened(suite: Suite, ask: Ask) -> Env:
    twin = suite.twin_of(ask.task)
    twin.start()
    return twin
