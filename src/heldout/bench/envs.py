"""How fast environments are by themselves: tasks opened, and actions played that were chosen before."""

import gc
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median

from heldout.agents import PLAYERS
from heldout.bench.machine import Machine, machine, one_thread
from heldout.config import Limits
from heldout.envs.base import Env, Suite
from heldout.errors import OriginalError
from heldout.records import Task
from heldout.rollout.episode import Assignment
from heldout.rollout.groups import play
from heldout.seeds import stream

SCRIPTED = ("oracle", "random-legal")
"""Whose actions are played: nearly all of them are carried out."""

HELD = 200
"""Episodes that are open at once where memory is measured."""

Open = Callable[[], Env]
"""Makes the environment of one task, not started yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """An episode that nobody has to choose actions for."""

    open: Open
    actions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is measured of one environment."""

    name: str
    opens: Sequence[Open]
    """One for each task, which this process has not opened; the first may load what all of them need."""
    scripts: Callable[[], Sequence[Script]]
    """Asked for when every task has been opened: choosing actions opens tasks as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Every script played, once or over and over."""

    opens: int
    steps: int
    opening: float
    """Seconds from tasks, known to this process, to their opening texts."""
    stepping: float
    """Seconds inside `Env.step`, which makes the observation and the state's digest."""
    running: float
    """The share of wall time in which this process had a processor."""

    @property
    def opens_per_second(self) -> float:
        """Tasks opened again in a second."""
        return self.opens / self.opening

    @property
    def steps_per_second(self) -> float:
        """Actions answered in a second."""
        return self.steps / self.stepping


@dataclass(frozen=True, slots=True, kw_only=True)
class Speeds:
    """What was measured of one environment."""

    name: str
    episodes: int
    turns: int
    """Of all these episodes."""
    loading: float
    """Seconds until the first task was open."""
    firsts: Sequence[float]
    """Seconds that each other task took to be opened for the first time."""
    rounds: Sequence[Round]
    held_bytes: float
    """What one more open episode holds."""

    @property
    def first_opens_per_second(self) -> float | None:
        """Tasks opened in a second that this process had never opened; None where there was but one."""
        return len(self.firsts) / sum(self.firsts) if self.firsts else None

    def over_rounds(self, figure: str) -> tuple[float, float, float]:
        """The median, the least and the most of a figure of the rounds."""
        found = [getattr(each, figure) for each in self.rounds]
        return median(found), min(found), max(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Speeds, and how the machine was."""

    speeds: Sequence[Speeds]
    before: Machine
    after: Machine


def measure(works: Sequence[Work], rounds: int, seconds: float, tell: Callable[[int], None]) -> Measured:
    """Opens every task once, then plays the scripts in rounds of so many seconds or more.

    The environments take turns, so that what disturbs the machine disturbs all. `tell` hears of each round.
    """
    with one_thread():
        before = machine()
        firsts = [[_seconds_of(partial(_start_episode, each)) for each in work.opens] for work in works]
        scripts = [work.scripts() for work in works]
        played = list[list[Round]]()
        for _ in range(rounds):
            played.append([])
            for each in scripts:
                played[-1].append(_round(each, seconds))
                tell(sum(map(len, played)))
        after = machine()
    rows = zip(works, firsts, scripts, zip(*played, strict=True), strict=True)
    return Measured(speeds=[_speeds(*row) for row in rows], before=before, after=after)


def by_players(suite: Suite, tasks: int, seed: int) -> Work:
    """Training tasks that the seed draws, each with the actions of the oracle and of `random-legal`."""
    pool = suite.tasks("train")
    numbers = stream(seed, "bench", suite.name).sample(range(len(pool)), min(tasks, len(pool)))
    return Work(
        name=suite.name,
        opens=[partial(_open_task, suite, pool, number) for number in numbers],
        scripts=lambda: list(_chosen(suite, [pool[number] for number in numbers], seed)),
    )


def until_the_end(script: Script) -> Script:
    """The script without what follows the action that ends its episode."""
    env = _start_episode(script.open)
    for number, action in enumerate(script.actions, start=1):
        if env.step(action).ending is not None:
            return Script(open=script.open, actions=script.actions[:number])
    return script


def _open_task(suite: Suite, pool: Sequence[Task], number: int) -> Env:
    return suite.open(pool[number])  # the pool may make a task when it is asked for: that counts too


def _chosen(suite: Suite, tasks: Sequence[Task], seed: int) -> Iterator[Script]:
    limits = Limits(max_turns=suite.max_turns)
    for name in SCRIPTED:
        assignments = [Assignment(task=task, attempt=0, seed=seed, stream=f"bench/{name}") for task in tasks]
        for played in play(PLAYERS[name](lambda _: suite), assignments, limits, lambda _: suite):
            actions = tuple(turn.action for turn in played.turns)
            yield Script(open=partial(suite.open, played.task), actions=actions)


def _round(scripts: Sequence[Script], seconds: float) -> Round:
    begun, cpu_begun = time.perf_counter(), time.process_time()
    passes, opening, stepping = 0, 0.0, 0.0
    while not passes or opening + stepping < seconds:
        for script in scripts:
            opened, played = _times(script)
            opening, stepping = opening + opened, stepping + played
        passes += 1
    cpu_seconds, wall_seconds = time.process_time() - cpu_begun, time.perf_counter() - begun
    return Round(
        opens=passes * len(scripts),
        steps=passes * sum(len(script.actions) for script in scripts),
        opening=opening,
        stepping=stepping,
        running=cpu_seconds / wall_seconds,
    )


def _times(script: Script) -> tuple[float, float]:
    """Seconds of opening, and of playing the actions."""
    begun = time.perf_counter()
    env = _start_episode(script.open)
    opened = time.perf_counter()
    for action in script.actions:
        try:
            env.step(action)
        except OriginalError:  # the error reply of the original: an answer like any other
            continue
    return opened - begun, time.perf_counter() - opened


def _start_episode(opens: Open) -> Env:
    env = opens()
    env.start()
    return env


def _seconds_of(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _speeds(work: Work, firsts: Sequence[float], scripts: Sequence[Script], rounds: Sequence[Round]) -> Speeds:
    return Speeds(
        name=work.name,
        episodes=len(scripts),
        turns=sum(len(script.actions) for script in scripts),
        loading=firsts[0],
        firsts=firsts[1:],
        rounds=rounds,
        held_bytes=_held_bytes([script.open for script in scripts]),
    )


def _held_bytes(opens: Sequence[Open]) -> float:
    """What an open episode holds on average, as tracemalloc counts it; what a task made for good is not in it."""
    gc.collect()
    tracemalloc.start()
    try:
        held = [_start_episode(opens[number % len(opens)]) for number in range(HELD)]
        gc.collect()
        return tracemalloc.get_traced_memory()[0] / len(held)
    finally:
        tracemalloc.stop()
