"""An environment on a server that speaks AgentGym's protocol, ours or an original: `agentgym:babyai@http://host:port`."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial

from heldout.addresses import SERVERS, public_name
from heldout.config import Source
from heldout.envs.agentgym.client import Client
from heldout.envs.agentgym.env import Episodes, Remote
from heldout.envs.agentgym.protocol import ABOUT, ENV_PROTOCOLS, TASKS, About, numbered_tasks, wire_of
from heldout.envs.base import Env, Suite, whole_world
from heldout.envs.registry import open_suite, refuse_unknown_name
from heldout.errors import BadCall, HeldoutError, Unavailable, unknown
from heldout.records import Json, Task, digest, from_json

NAME = re.compile(r"agentgym:(?P<env>[^@]*)@(?P<address>.+)")

SPLITS = ("train", "test")
"""What has tasks on a server; demonstrations are made where the world can be seen."""


def suite(name: str, source: Source) -> Suite:
    """The environment on that server: its tasks, played there.

    Our server says what it serves, whatever `source` says. An original serves the published tasks, whose ids are
    read under HELDOUT_DATA; of `source` only the profile counts then, for the wording of the prompt.
    Of a task only its number there is known, which is its content.
    """
    parts = NAME.fullmatch(name)
    if parts is None:
        raise BadCall(
            f"an environment on a server is such as agentgym:textcraft@http://127.0.0.1:36001, not {name!r}"
        )
    name, env = public_name(name), parts["env"]
    refuse_unknown_name(env)
    client = Client(parts["address"])
    try:
        told = _ask_about(client, env)
        if told is None and env not in ENV_PROTOCOLS:
            raise BadCall(f"{client.address} is no server of ours, and AgentGym has none of {env}")
        if told is None and client.get("/").status == 404:
            raise BadCall(
                f"{client.address} has nothing there: if its address ends with a token, give the whole of it as "
                f"`heldout serve` says it, or in {SERVERS}"
            )
    except HeldoutError:
        client.close()
        raise
    served = told.source if told else replace(source, kind="real", rules="agentgym")
    # What reads replies needs no tasks: the generated ones are always there.
    here = open_suite(env, Source(rules=served.rules, profile=served.profile))
    episodes = Episodes(client, wire_of(env))
    return replace(
        here,
        name=name,
        source=f"{told.words if told else 'the published tasks'}, played on {client.address}",
        data=told.data if told else digest([name, "published"]),
        tasks=_tasks_there(client, name) if told else _published_tasks(env, served, name),
        open=lambda task: Remote(episodes, task.world["item"]),
        privileged=partial(_open_privileged, env, served, told.data if told else None),
        recordings=None,
        content=whole_world,
        real_data=replace(here.real_data, checks=lambda _: ()),
    )


def _ask_about(client: Client, env: str) -> About | None:
    """What our server says; None where the server is another."""
    answer = client.get(ABOUT)
    if answer.status == 404:
        return None
    try:
        about = from_json(About, answer.content)
    except BadCall as error:
        raise Unavailable(f"{client.address}{ABOUT}: {error}; is it a server of another heldout?") from None
    if about.env != env:
        raise BadCall(f"{client.address} serves {about.env}, not {env}")
    return about


def _tasks_there(client: Client, name: str) -> Callable[[str], Sequence[Task]]:
    @cache
    def told(split: str) -> Sequence[Task]:
        rows: Json = client.get(TASKS, split=split).content
        try:
            return [_task(name, split, row["item"], row["id"], row["difficulty"]) for row in rows]
        except (KeyError, TypeError) as error:
            raise Unavailable(f"{client.address}{TASKS} answers in another form: {error!r}") from None

    def tasks(split: str) -> Sequence[Task]:
        if not _there_are(split):
            return []
        counted = Counter(task.id for each in SPLITS for task in told(each))
        if twice := [task_id for task_id, count in counted.items() if count > 1]:
            raise BadCall(f"{client.address} has {twice[0]} twice among its training and test tasks")
        return told(split)

    return tasks


def _published_tasks(env: str, source: Source, name: str) -> Callable[[str], Sequence[Task]]:
    @cache
    def tasks(split: str) -> Sequence[Task]:
        real = open_suite(env, source) if _there_are(split) else None
        rows = numbered_tasks(real, split) if real else ()
        return [_task(name, split, item, task.id, task.difficulty) for item, task in rows]

    return tasks


def _there_are(split: str) -> bool:
    if split not in (*SPLITS, "demonstrations"):
        raise unknown("split", split, SPLITS)
    return split in SPLITS


def _task(name: str, split: str, item: int, task_id: str, difficulty: str) -> Task:
    return Task(env=name, split=split, id=task_id, difficulty=difficulty, world={"item": item})


def _open_privileged(env: str, source: Source, data: str | None, task: Task) -> Env:
    """The same episode in this process, for players to look into."""
    here = open_suite(env, source)
    if data not in (None, here.data):
        raise BadCall(f"the server's tasks of {env} are not those here: only a model can play them")
    known = _tasks_by_id(env, source, task.split)
    if task.id not in known:
        raise BadCall(f"{task.id} is no task of {env} here: only a model can play it")
    return here.open(known[task.id])


@cache
def _tasks_by_id(env: str, source: Source, split: str) -> dict[str, Task]:
    return {task.id: task for task in open_suite(env, source).tasks(split)}
