"""What ends an episode from outside, wrapped around any environment."""

from typing import final

from heldout.envs.base import Env, World
from heldout.records import Ending, Step


@final
class TurnLimit:
    """Any environment, cut off after `limit` turns (the paper's K)."""

    def __init__(self, env: Env, limit: int) -> None:
        self._env = env
        self._left = limit

    @property
    def world(self) -> World:
        """The world of the environment inside."""
        return self._env.world

    def start(self) -> Step:
        """The opening; it costs no turn."""
        return self._env.start()

    def step(self, action: str) -> Step:
        """The answer to one action, ended when no turn is left."""
        return self._spend(self._env.step(action))

    def misread(self, told: str, before: Step) -> Step:
        """The answer to a reply that held no single action: the world stands still, the turn is spent."""
        return self._spend(Step(told, score=before.score, digest=before.digest))

    def _spend(self, step: Step) -> Step:
        self._left -= 1
        return step if step.ending or self._left > 0 else step.cut(Ending.OUT_OF_TURNS)
