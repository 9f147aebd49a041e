"""What the laws put a suite to: its tasks played by chance, by mistake, by the oracle, and played again."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from heldout.envs.base import Env, Suite, World
from heldout.records import Ending, Step, Task
from heldout.seeds import stream

SAMPLE = 20
"""How many tasks of a split a law looks at, unless it looks at all."""

PATIENCE = 60
"""Turns that the oracle is given: the question is whether it gets there, and limits are set from outside."""


@dataclass
class Played:
    """Some actions, and the steps they led to, the opening first."""

    actions: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)


def sample(suite: Suite, count: int = SAMPLE, split: str = "test") -> Sequence[Task]:
    """The first tasks of a split."""
    return suite.tasks(split)[:count]


def play_randomly(suite: Suite, task: Task, strange: Sequence[str]) -> Played:
    """Twenty turns of legal actions, and strange ones between them."""
    chance, env = stream(0, "laws", "wander", task.id), suite.open(task)
    played = Played(steps=[env.start()])
    for _ in range(20):
        if played.steps[-1].ending is not None:
            break
        action = chance.choice([*suite.players.legal(env.world), *strange])
        played.actions.append(action)
        played.steps.append(env.step(action))
    return played


def stray(suite: Suite, task: Task, there: Callable[[World], Sequence[str]], name: str, most: int) -> list[str]:
    """At most so many actions, each drawn from what is there then; fewer where none is or the episode ends."""
    chance, env = stream(0, "laws", name, task.id), suite.open(task)
    step, made = env.start(), list[str]()
    while step.ending is None and len(made) < most and (actions := there(env.world)):
        made.append(chance.choice(actions))
        step = env.step(made[-1])
    return made


def replay(suite: Suite, task: Task, actions: Iterable[str]) -> list[Step]:
    """The answers to some actions, until one ends the episode."""
    env = suite.open(task)
    return list(_answers(env, env.start(), actions))


def _answers(env: Env, step: Step, actions: Iterable[str]) -> Iterator[Step]:
    yield step
    for action in actions:
        if step.ending is not None:
            return
        step = env.step(action)
        yield step


def answers_differ(suite: Suite, task: Task, actions: Sequence[str]) -> bool:
    """Whether the same actions get other answers the second time."""
    return replay(suite, task, actions) != replay(suite, task, actions)


def interferes(suite: Suite, task: Task, other: Task, actions: Sequence[str]) -> bool:
    """Whether an episode goes otherwise while the oracle plays another."""
    env, beside = suite.open(task), suite.open(other)
    steps, last = [env.start()], beside.start()
    for action in actions:
        if steps[-1].ending is not None:
            break
        if last.ending is None:
            last = beside.step(suite.players.oracle(beside.world))
        steps.append(env.step(action))
    return steps != replay(suite, task, actions)


def is_lost_after(suite: Suite, task: Task, mistakes: Sequence[str]) -> bool:
    """Whether mistakes that do not end the episode leave it unsolved."""
    env = suite.open(task)
    *_, step = _answers(env, env.start(), mistakes)
    return step.ending is None and not is_solved(_play_on(suite, env, step))


def shrink(actions: Sequence[str], breaks: Callable[[Sequence[str]], bool]) -> list[str]:
    """As few of the actions as still break a law, each cut to what can be read."""
    for place in range(len(actions)):
        fewer = [*actions[:place], *actions[place + 1 :]]
        if breaks(fewer):
            return shrink(fewer, breaks)
    return [action[:60] for action in actions]


def play_oracle(suite: Suite, env: Env) -> list[Step]:
    """The oracle's episode."""
    return _play_on(suite, env, env.start())


def _play_on(suite: Suite, env: Env, step: Step) -> list[Step]:
    """The step, and the oracle's after it."""
    steps = [step]
    while steps[-1].ending is None and len(steps) <= PATIENCE:
        steps.append(env.step(suite.players.oracle(env.world)))
    return steps


def is_solved(steps: Sequence[Step]) -> bool:
    """Whether the last step solves the task."""
    return steps[-1].ending is Ending.SOLVED


def oracle_worlds(suite: Suite, task: Task) -> Iterator[tuple[object, list[str]]]:
    """The worlds on the oracle's way, each with the actions that led there."""
    env, actions = suite.open(task), list[str]()
    step = env.start()
    while step.ending is None and len(actions) < PATIENCE:
        yield env.world, list(actions)
        actions.append(suite.players.oracle(env.world))
        step = env.step(actions[-1])


def answer_after(suite: Suite, task: Task, before: Sequence[str], action: str) -> tuple[str, str]:
    """The answer to an action, its own words taken out, and the state it leaves."""
    step = replay(suite, task, [*before, action])[-1]
    return step.observation.replace(action, ""), step.digest
