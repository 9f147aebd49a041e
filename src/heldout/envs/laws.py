"""The laws that every suite in `fixed` rules is held to.

A law is a function of a suite that yields what breaks it, a line each; nothing yielded is the law kept.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from json import dumps, loads
from math import isfinite

from heldout.envs.base import Suite, content_digest
from heldout.envs.probes import (
    SAMPLE,
    answer_after,
    answers_differ,
    interferes,
    is_lost_after,
    is_solved,
    oracle_worlds,
    play_oracle,
    play_randomly,
    replay,
    sample,
    shrink,
    stray,
)
from heldout.records import Ending, Task, from_json, to_json

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


def there_are_tasks(suite: Suite) -> Iterator[str]:
    """There are tasks to train on and to test with."""
    yield from (f"the split {split} is empty" for split in ("train", "test") if not suite.tasks(split))


def same_task_same_opening(suite: Suite) -> Iterator[str]:
    """The attempts of a group begin with the same words."""
    for task in sample(suite):
        if suite.open(task).start() != suite.open(task).start():
            yield f"{task.id} opens differently the second time"


def same_actions_same_answers(suite: Suite) -> Iterator[str]:
    """The same actions get the same answers."""
    for task in sample(suite):
        played = play_randomly(suite, task, STRANGE)
        if replay(suite, task, played.actions) != played.steps:
            differ = partial(answers_differ, suite, task)
            yield f"{task.id} answers the same actions differently: {shrink(played.actions, differ)}"


def any_string_is_answered(suite: Suite, actions: Sequence[str] = STRANGE) -> Iterator[str]:
    """No action raises, whatever its text."""
    for task in sample(suite, 3):
        for action in actions:
            try:
                replay(suite, task, [action])
            except Exception as error:  # whatever it raises is what this law is about
                yield f"{task.id}: {action[:60]!r} raises {error!r}"


def episodes_do_not_meet(suite: Suite) -> Iterator[str]:
    """What is done in one episode is not seen in another that is open at the same time."""
    for task, other in pairwise(sample(suite)):
        actions, breaks = play_randomly(suite, task, STRANGE).actions, partial(interferes, suite, task, other)
        if breaks(actions):
            yield f"{task.id} answers differently while {other.id} is played: {shrink(actions, breaks)}"


def the_oracle_solves(suite: Suite, share: float = 1.0) -> Iterator[str]:
    """The player that sees the world solves at least this share of the tasks of each split."""
    for split in ("train", "test"):
        few = sample(suite, 2 * SAMPLE, split)
        lost = [task.id for task in few if not is_solved(play_oracle(suite, suite.open(task)))]
        if len(lost) > (1 - share) * len(few):
            yield f"of {len(few)} {split} tasks the oracle does not solve {len(lost)}: {', '.join(lost[:5])}"


def the_oracle_recovers(suite: Suite) -> Iterator[str]:
    """After mistakes or legal actions that do not end the episode the oracle still solves it."""
    for task in sample(suite):
        lost = partial(is_lost_after, suite, task)
        detours = [("mistakes", stray(suite, task, suite.players.mistakes, "recovers", 4))]
        detours += [
            ("legal actions", stray(suite, task, suite.players.legal, f"legal {attempt}", 6))
            for attempt in range(2)
        ]
        for what, made in detours:
            if lost(made):
                yield f"{task.id} is lost after {what} that did not end it: {shrink(made, lost)}"


def an_ending_says_why(suite: Suite) -> Iterator[str]:
    """An environment ends an episode as solved or failed only, with a score from 0 to 1."""
    for task in sample(suite):
        for step in [*play_oracle(suite, suite.open(task)), *play_randomly(suite, task, ()).steps]:
            if step.ending not in (None, Ending.SOLVED, Ending.FAILED):
                yield f"{task.id} ends as {step.ending}"
            if not (isfinite(step.reward) and 0 <= step.score <= 1):
                yield f"{task.id} pays {step.reward} and stands at {step.score}"
            if step.ending is Ending.SOLVED and step.score == 0:
                yield f"{task.id} is solved with a score of 0"


def splits_share_no_task(suite: Suite) -> Iterator[str]:
    """Demonstrations, training and test tasks differ in content."""
    homes: dict[str, str] = {}
    for split in ("demonstrations", "train", "test"):
        for task in suite.tasks(split)[:1000]:
            if (home := homes.setdefault(content_digest(suite, task), split)) != split:
                yield f"the world of {task.id} ({split}) is in {home} too"


def tasks_are_well_named(suite: Suite) -> Iterator[str]:
    """A task says its suite, its split and its difficulty; ids are unique among the splits."""
    seen = set[str]()
    for split in ("demonstrations", "train", "test"):
        for task in suite.tasks(split)[:500]:
            if (task.env, task.split) != (suite.name, split) or task.difficulty not in ("easy", "hard"):
                yield f"{task.id} of {suite.name} {split} says {task.env} {task.split} {task.difficulty}"
            if task.id in seen:
                yield f"two tasks are called {task.id}"
            seen.add(task.id)


def a_task_survives_its_file(suite: Suite) -> Iterator[str]:
    """A task read back from JSON is the same task, and opens the same."""
    for task in sample(suite):
        again = from_json(Task, loads(dumps(to_json(task))))
        if to_json(again) != to_json(task) or suite.open(again).start() != suite.open(task).start():
            yield f"{task.id} read back from JSON is another task"


def nothing_names_a_task(suite: Suite) -> Iterator[str]:
    """No observation holds an id: an agent must not learn tasks by name."""
    ids = [task.id for task in sample(suite)]
    for task in sample(suite):
        for step in play_oracle(suite, suite.open(task)):
            yield from (f"{task.id} says {name!r}" for name in ids if name in step.observation)


def legal_actions_are_carried_out(suite: Suite) -> Iterator[str]:
    """There is always a legal action, and none is answered as nonsense is."""
    for task in sample(suite, 5):
        for world, before in oracle_worlds(suite, task):
            refusal = answer_after(suite, task, before, NONSENSE)
            actions = suite.players.legal(world)
            if not actions:
                yield f"{task.id} has no legal action after {before}"
            refused = [action for action in actions if answer_after(suite, task, before, action) == refusal]
            yield from (f"{task.id}: {action!r} is refused after {before}" for action in refused)


def players_are_read_back(suite: Suite) -> Iterator[str]:
    """What the players do passes through a reply: thought and action, a line each, read as that action."""
    for task in sample(suite):
        for world, _ in oracle_worlds(suite, task):
            actions = [suite.players.oracle(world), *suite.players.legal(world), *suite.players.mistakes(world)]
            replies = {
                action: suite.players.reply(suite.players.thought(world, action), action) for action in actions
            }
            misread = [
                said for said in replies.items() if said[1].count("\n") != 1 or suite.read(said[1]) != said[0]
            ]
            yield from (f"{task.id}: {reply!r} is not read as {action!r}" for action, reply in misread)


def mistakes_are_not_the_oracles(suite: Suite) -> Iterator[str]:
    """No mistake is what the oracle would do."""
    for task in sample(suite):
        for world, before in oracle_worlds(suite, task):
            if suite.players.oracle(world) in suite.players.mistakes(world):
                yield f"{task.id}: the oracle's action is among the mistakes after {before}"


LAWS: tuple[Law, ...] = (
    there_are_tasks,
    same_task_same_opening,
    same_actions_same_answers,
    any_string_is_answered,
    episodes_do_not_meet,
    the_oracle_solves,
    the_oracle_recovers,
    an_ending_says_why,
    splits_share_no_task,
    tasks_are_well_named,
    a_task_survives_its_file,
    nothing_names_a_task,
    legal_actions_are_carried_out,
    players_are_read_back,
    mistakes_are_not_the_oracles,
)
