"""`heldout play`: a person plays one task in the terminal, in the agent's words."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from heldout.analysis.scores import Cell
from heldout.config import Config, with_overrides
from heldout.envs.base import Suite, find_task
from heldout.envs.registry import open_suite
from heldout.evaluation.measure import tasks_of
from heldout.policies.person import HELP, Person, Stopped
from heldout.printable import printable, printable_line
from heldout.records import Task, Trajectory
from heldout.rollout.episode import Assignment
from heldout.rollout.groups import play as play_episodes
from heldout.seeds import stream

with suppress(ImportError):  # not every Python has it; with it, what is typed can be edited and has a history
    import readline  # noqa: F401


def play(
    *,
    env: str,
    task: str | None,
    difficulty: str,
    difficulty_file: str | None,
    max_turns: int | None,
    seed: int,
    settings: Sequence[str],
) -> None:
    """Plays one task with whoever is at standard input."""
    given = [f"source.difficulty={difficulty_file}"] if difficulty_file else []
    config = with_overrides(Config(), [*given, *settings])
    suite = open_suite(env, config.source)
    chosen = _find(suite, task, difficulty=difficulty, seed=seed)
    limits = replace(config.limits, max_turns=max_turns or config.limits.max_turns)
    told = printable_line(
        f"{suite.name} {chosen.id} ({chosen.difficulty}, at most {limits.max_turns} turns). {HELP}"
    )
    print(told + "\n")
    assignment = Assignment(task=chosen, attempt=0, seed=seed, stream="play")
    try:
        [trajectory] = play_episodes(Person(suite, _listen, print), [assignment], limits, lambda _: suite)
    except Stopped:
        print("stopped")
    else:
        print(printable(_format_ending(trajectory)))


def _find(suite: Suite, task_id: str | None, *, difficulty: str, seed: int) -> Task:
    """The task of that id, or a test task of that difficulty drawn by the seed."""
    if task_id is None:
        cell = Cell(env=suite.name, split="test", difficulty=difficulty)
        return stream(seed, "play", suite.name).choice(tasks_of(suite, cell))
    return find_task(suite, task_id)


def _listen(prompt: str) -> str:
    """The next line of standard input, which can be edited; what is piped in is shown as if it were typed."""
    line = input(prompt)
    if not sys.stdin.isatty():
        print(line)
    return line


def _format_ending(trajectory: Trajectory) -> str:
    """How an episode went: its last words, its ending and its figures."""
    last = trajectory.turns[-1].observation if trajectory.turns else trajectory.error
    figures = f"score {100 * trajectory.score:.0f}, {len(trajectory.turns)} turns"
    return f"{last}\n\n{trajectory.ending.replace('_', ' ')}: {figures}"
