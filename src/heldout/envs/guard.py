"""The order of an episode: it starts once, is stepped only then, and in `fixed` rules never after its ending.

And its figures: a reward or score that is no finite number is refused where the environment gives it.
"""

from dataclasses import replace
from math import isfinite
from typing import final

from heldout.envs.base import Env, Suite, World
from heldout.errors import BadReward
from heldout.records import Step, Task


@final
class Guarded:
    """Any environment, whose caller's mistakes raise; `plays_on`: the originals answer after the ending too."""

    def __init__(self, env: Env, *, name: str = "an episode", plays_on: bool = False) -> None:
        self._env = env
        self._name = name
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
        for figure in ("reward", "score"):
            value = getattr(step, figure)
            if not is_finite(value):
                raise BadReward(f"{self._name} gave the {figure} {value!r}, which is no finite number")
        self._over = self._over or step.ending is not None
        return step


def is_finite(value: object) -> bool:
    """Whether a value is a number, and neither NaN nor infinite."""
    try:
        return isfinite(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):  # what is no number, and whole numbers that no float can be
        return False


def guard(suite: Suite) -> Suite:
    """The suite, whose episodes are opened guarded."""

    def open_env(task: Task) -> Env:
        name = f"{suite.name}: task {task.id}"
        return Guarded(suite.open(task), name=name, plays_on=suite.rules != "fixed")

    return replace(suite, open=open_env)
