"""The laws that every suite in `fixed` rules is held to.

A law is a function of a suite that yields what breaks it, a line each; nothing yielded is the law kept.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from json import dumps, loads
from math import isfinite

from heldout.envs.base import Env, Suite
from heldout.records import Ending, Step, Task, from_json, to_json
from heldout.seeds import stream

SAMPLE = 20
"""How many tasks of a pool a law looks at, unless it looks at all."""

PATIENCE = 60
"""Turns that the oracle is given: the question is whether it gets there, and limits are set from outside."""

NONSENSE = "xyzzy plugh"

STRANGE = (
    "",
    " ",
    "\n",
    NONSENSE,
    "Action: ",
    "日本 éè ünï \x00 \ud800",
    "get 0 x",
    "get 99999999999999999999 x",
    "craft using using",
    "craft 1 x using 1 y, ",
    "go to",
    "pick up nothing 1",
    "search[]",
    "click[",
    "<answer>",
    "<answer>\ud800</answer>",
    "9" * 5000,
    "get " + "9" * 5000 + " x",
)
"""Actions that no rule expects."""

Law = Callable[[Suite], Iterator[str]]


def same_task_same_opening(suite: Suite) -> Iterator[str]:
    """The attempts of a group begin with the same words."""
    for task in _some(suite):
        if suite.open(task).start() != suite.open(task).start():
            yield f"{task.id} opens differently the second time"


def same_actions_same_answers(suite: Suite) -> Iterator[str]:
    """The same actions get the same answers."""
    for task in _some(suite):
        played = _wander(suite, task, STRANGE)
        if _replay(suite, task, played.actions) != played.steps:
            yield f"{task.id} answers the same actions differently"


def any_string_is_answered(suite: Suite, actions: Sequence[str] = STRANGE) -> Iterator[str]:
    """No action raises, whatever its text."""
    for task in _some(suite, 3):
        for action in actions:
            try:
                _replay(suite, task, [action])
            except Exception as error:  # whatever it raises is what this law is about
                yield f"{task.id}: {action[:60]!r} raises {error!r}"


def episodes_do_not_meet(suite: Suite) -> Iterator[str]:
    """What is done in one episode is not seen in another that is open at the same time."""
    for task, other in pairwise(_some(suite)):
        alone = _wander(suite, task, STRANGE)
        env, beside = suite.open(task), suite.open(other)
        steps, last = [env.start()], beside.start()
        for action in alone.actions:
            if last.ending is None:
                last = beside.step(suite.oracle(beside.world))
            steps.append(env.step(action))
        if steps != alone.steps:
            yield f"{task.id} answers differently while {other.id} is played"


def the_oracle_solves(suite: Suite, share: float = 1.0) -> Iterator[str]:
    """The player that sees the world solves at least this share of the tasks of each pool."""
    for pool in ("train", "test"):
        some = _some(suite, 2 * SAMPLE, pool)
        lost = [task.id for task in some if not _solved(_finish(suite, suite.open(task)))]
        if len(lost) > (1 - share) * len(some):
            yield f"of {len(some)} {pool} tasks the oracle does not solve {len(lost)}: {', '.join(lost[:5])}"


def the_oracle_recovers(suite: Suite) -> Iterator[str]:
    """After mistakes that do not end the episode the oracle still solves it."""
    for task in _some(suite):
        chance, env = stream(0, "laws", "recovers", task.id), suite.open(task)
        step = env.start()
        for _ in range(4):
            mistakes = suite.slips(env.world) if step.ending is None else []
            if mistakes:
                step = env.step(chance.choice(mistakes))
        if step.ending is None and not _solved(_play_on(suite, env, step)):
            yield f"{task.id} is lost after mistakes that did not end it"


def an_ending_says_why(suite: Suite) -> Iterator[str]:
    """An environment ends an episode as solved or failed only, with a score from 0 to 1."""
    for task in _some(suite):
        for step in [*_finish(suite, suite.open(task)), *_wander(suite, task, ()).steps]:
            if step.ending not in (None, Ending.SOLVED, Ending.FAILED):
                yield f"{task.id} ends as {step.ending}"
            if not (isfinite(step.reward) and 0 <= step.score <= 1):
                yield f"{task.id} pays {step.reward} and stands at {step.score}"
            if step.ending is Ending.SOLVED and step.score == 0:
                yield f"{task.id} is solved with a score of 0"


def pools_share_no_task(suite: Suite) -> Iterator[str]:
    """Demonstrations, training and test tasks are different worlds."""
    homes: dict[str, str] = {}
    for pool in ("demonstrations", "train", "test"):
        for task in suite.tasks(pool)[:1000]:
            if homes.setdefault(task.digest, pool) != pool:
                yield f"the world of {task.id} ({pool}) is in {homes[task.digest]} too"


def tasks_are_well_named(suite: Suite) -> Iterator[str]:
    """A task says its suite, its pool and its difficulty; ids are unique among the pools."""
    seen = set[str]()
    for pool in ("demonstrations", "train", "test"):
        for task in suite.tasks(pool)[:500]:
            if (task.env, task.split) != (suite.name, pool) or task.difficulty not in ("easy", "hard"):
                yield f"{task.id} of {suite.name} {pool} says {task.env} {task.split} {task.difficulty}"
            if task.id in seen:
                yield f"two tasks are called {task.id}"
            seen.add(task.id)


def a_task_survives_its_file(suite: Suite) -> Iterator[str]:
    """A task read back from JSON is the same task, and opens the same."""
    for task in _some(suite):
        again = from_json(Task, loads(dumps(to_json(task))))
        if again.digest != task.digest or suite.open(again).start() != suite.open(task).start():
            yield f"{task.id} read back from JSON is another task"


def nothing_names_a_task(suite: Suite) -> Iterator[str]:
    """No observation holds an id: an agent must not learn tasks by name."""
    ids = [task.id for task in _some(suite)]
    for task in _some(suite):
        for step in _finish(suite, suite.open(task)):
            yield from (f"{task.id} says {name!r}" for name in ids if name in step.observation)


def legal_actions_are_carried_out(suite: Suite) -> Iterator[str]:
    """There is always a legal action, and none is answered as nonsense is."""
    for task in _some(suite, 5):
        for world, before in _along(suite, task):
            refusal = _after(suite, task, before, NONSENSE)
            actions = suite.legal(world)
            if not actions:
                yield f"{task.id} has no legal action after {before}"
            refused = [action for action in actions if _after(suite, task, before, action) == refusal]
            yield from (f"{task.id}: {action!r} is refused after {before}" for action in refused)


def players_are_read_back(suite: Suite) -> Iterator[str]:
    """What the players do passes through a reply: thought and action, a line each, read as that action."""
    for task in _some(suite):
        for world, _ in _along(suite, task):
            actions = [suite.oracle(world), *suite.legal(world), *suite.slips(world)]
            replies = {action: suite.reply(suite.thought(world, action), action) for action in actions}
            misread = [
                said for said in replies.items() if said[1].count("\n") != 1 or suite.read(said[1]) != said[0]
            ]
            yield from (f"{task.id}: {reply!r} is not read as {action!r}" for action, reply in misread)


def slips_are_mistakes(suite: Suite) -> Iterator[str]:
    """No slip is what the oracle would do."""
    for task in _some(suite):
        for world, before in _along(suite, task):
            if suite.oracle(world) in suite.slips(world):
                yield f"{task.id}: the oracle's action is among the slips after {before}"


LAWS: tuple[Law, ...] = (
    same_task_same_opening,
    same_actions_same_answers,
    any_string_is_answered,
    episodes_do_not_meet,
    the_oracle_solves,
    the_oracle_recovers,
    an_ending_says_why,
    pools_share_no_task,
    tasks_are_well_named,
    a_task_survives_its_file,
    nothing_names_a_task,
    legal_actions_are_carried_out,
    players_are_read_back,
    slips_are_mistakes,
)


def check(suite: Suite) -> list[str]:
    """What breaks the laws, a line each."""
    return [f"{law.__name__}: {breach}" for law in LAWS for breach in _breaches(suite, law)]


def _breaches(suite: Suite, law: Law) -> Iterator[str]:
    try:
        yield from law(suite)
    except Exception as error:  # a suite under test may do anything: the other laws are still to be looked at
        yield f"raises {error!r}"


@dataclass
class _Played:
    """Some actions, and the steps they led to, the opening first."""

    actions: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)


def _some(suite: Suite, count: int = SAMPLE, pool: str = "test") -> Sequence[Task]:
    return suite.tasks(pool)[:count]


def _wander(suite: Suite, task: Task, strange: Sequence[str]) -> _Played:
    """Twenty turns of legal actions, and strange ones between them."""
    chance, env = stream(0, "laws", "wander", task.id), suite.open(task)
    played = _Played(steps=[env.start()])
    for _ in range(20):
        if played.steps[-1].ending is not None:
            break
        action = chance.choice([*suite.legal(env.world), *strange])
        played.actions.append(action)
        played.steps.append(env.step(action))
    return played


def _replay(suite: Suite, task: Task, actions: Iterable[str]) -> list[Step]:
    env = suite.open(task)
    return [env.start(), *(env.step(action) for action in actions)]


def _finish(suite: Suite, env: Env) -> list[Step]:
    """The oracle's episode."""
    return _play_on(suite, env, env.start())


def _play_on(suite: Suite, env: Env, step: Step) -> list[Step]:
    steps = [step]
    while steps[-1].ending is None and len(steps) <= PATIENCE:
        steps.append(env.step(suite.oracle(env.world)))
    return steps


def _solved(steps: Sequence[Step]) -> bool:
    return steps[-1].ending is Ending.SOLVED


def _along(suite: Suite, task: Task) -> Iterator[tuple[object, list[str]]]:
    """The worlds on the oracle's way, each with the actions that led there."""
    env, actions = suite.open(task), list[str]()
    step = env.start()
    while step.ending is None and len(actions) < PATIENCE:
        yield env.world, list(actions)
        actions.append(suite.oracle(env.world))
        step = env.step(actions[-1])


def _after(suite: Suite, task: Task, before: Sequence[str], action: str) -> tuple[str, str]:
    """The answer to an action, its own words taken out, and the state it leaves."""
    step = _replay(suite, task, [*before, action])[-1]
    return step.observation.replace(action, ""), step.digest
