"""A suite under the name that it is opened by: that of an entry point, or its place `MODULE:SUITE`."""

from dataclasses import replace

from heldout.envs.base import Env, Suite
from heldout.envs.lazy import Lazy
from heldout.records import Json, Task


def under_name(suite: Suite, name: str) -> Suite:
    """The suite whose tasks say that name; its own functions are given them as its maker wrote them."""
    if suite.name == name:
        return suite

    def tasks(split: str) -> Lazy:
        own = suite.tasks(split)
        return Lazy(lambda number: replace(own[number], env=name), range(len(own)))

    def open_env(task: Task) -> Env:
        return suite.open(replace(task, env=suite.name))

    def open_privileged(task: Task) -> Env:
        return suite.open_privileged(replace(task, env=suite.name))

    def content(task: Task) -> Json:
        return suite.content(replace(task, env=suite.name))

    return replace(
        suite,
        name=name,
        tasks=tasks,
        open=open_env,
        privileged=open_privileged if suite.privileged else None,
        content=content,
    )
