"""What ends an episode from outside, wrapped around any environment; and whether there is room to begin one."""

from collections.abc import Callable, Iterable
from typing import final

from heldout.envs.base import Env, World
from heldout.errors import BadCall
from heldout.records import Ending, Step, Task

Room = Callable[[Task], tuple[int, int]]
"""Of a task: how many ids its opening has for a model, and how many a conversation with it may have."""


def refuse_if_none_fits(tasks: Iterable[Task], room: Room | None, response_budget: int) -> None:
    """Refuses tasks of which every opening leaves no room for a reply; one that fits is looked for, and no more.

    Without a room, as players have none, everything fits.
    """
    if room is None:
        return
    if response_budget < 1:
        raise BadCall(f"limits.response_budget is 1 or more, not {response_budget}: no reply would have room")
    smallest: tuple[int, int, str] | None = None
    for task in tasks:
        ids, context = room(task)
        if ids < context:
            return
        smallest = min(smallest or (ids, context, task.env), (ids, context, task.env))
    if smallest:
        ids, context, env = smallest
        raise BadCall(
            f"no opening of {env} fits: the smallest has {ids} ids, and a conversation with this model may have "
            f"{context}, replies included (choose a model with a longer context, or smaller tasks)"
        )


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
        return self._spend(Step(told, score=before.score, digest=before.digest, refusal=told))

    def _spend(self, step: Step) -> Step:
        self._left -= 1
        return step if step.ending or self._left > 0 else step.cut(Ending.OUT_OF_TURNS)
