"""How exact an action has to be: in its one form, or in any that can only mean it (docs/variants.md)."""

from collections.abc import Callable
from dataclasses import replace
from typing import final

from heldout.envs.base import Env, Suite, World
from heldout.records import Step, Task

UNREADABLE = "?"
"""No environment's action: what is heard in place of one that is not exact."""


def with_validation(suite: Suite, value: str) -> Suite:
    """The suite that hears an action in its exact form alone (`strict`), or in any that is plain (`lenient`)."""
    variants = suite.variants
    if value == "strict":
        return _hearing(suite, lambda world, action: action if variants.exact(world, action) else UNREADABLE)
    heard = _hearing(suite, variants.loosened)
    return replace(heard, read=lambda reply: suite.read(variants.loosened_reply(reply)))


@final
class _Hearing:
    """An episode that hears each action as it is made of what was said and where the world stands."""

    def __init__(self, env: Env, heard: Callable[[World, str], str]) -> None:
        self._env = env
        self._heard = heard

    @property
    def world(self) -> World:
        """The world of the environment inside."""
        return self._env.world

    def start(self) -> Step:
        """The opening."""
        return self._env.start()

    def step(self, action: str) -> Step:
        """The answer to what was heard."""
        return self._env.step(self._heard(self._env.world, action))


def _hearing(suite: Suite, heard: Callable[[World, str], str]) -> Suite:
    def open_env(task: Task) -> Env:
        return _Hearing(suite.open(task), heard)

    return replace(suite, open=open_env)
