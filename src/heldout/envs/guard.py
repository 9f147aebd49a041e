"""The order of an episode: it starts once, is stepped only then, and in `fixed` rules never after its ending."""

from dataclasses import replace
from typing import final

from heldout.envs.base import Env, Suite, World
from heldout.records import Step, Task


@final
class Guarded:
    """Any environment, whose caller's mistakes raise; `plays_on`: the originals answer after the ending too."""

    def __init__(self, env: Env, *, plays_on: bool = False) -> None:
        self._env = env
        self._plays_on = plays_on
        self._started = self._over = False

    @property
    def world(self) -> World:
        """The world of the environment inside."""
        return self._env.world

    def start(self) -> Step:
        """The opening."""
        if self._started:
            raise RuntimeError("an episode starts once")
        self._started = True
        return self._seen(self._env.start())

    def step(self, action: str) -> Step:
        """The answer to one action."""
        if not self._started:
            raise RuntimeError("step before start")
        if self._over and not self._plays_on:
            raise RuntimeError("step after the end")
        return self._seen(self._env.step(action))

    def _seen(self, step: Step) -> Step:
        self._over = self._over or step.ending is not None
        return step


def guard(suite: Suite) -> Suite:
    """The suite, whose episodes are opened guarded."""

    def open_env(task: Task) -> Env:
        return Guarded(suite.open(task), plays_on=suite.rules != "fixed")

    return replace(suite, open=open_env)
