"""The episodes that are open: by their numbers, at most so many, each forgotten when it was idle for too long."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import final

from heldout.envs.base import Env
from heldout.records import Step, Task


class Full(Exception):
    """No more episodes may be open; its text says how many there are."""


class NotOpen(Exception):
    """There is no episode of that number (any more)."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@dataclass
class Episode:
    """One episode as its client left it. Whoever plays it holds its lock."""

    number: int
    lock: Lock = field(default_factory=Lock)
    task: Task | None = None
    env: Env | None = None
    """None before the first reset."""
    opening: str = ""
    step: Step = field(default_factory=lambda: Step(""))
    """What was answered last."""

    @property
    def over(self) -> bool:
        """Whether the last answer ended it."""
        return self.step.ending is not None

    def begin(self, task: Task, env: Env) -> None:
        """Play a task from its start, whatever was played before."""
        step = env.start()
        self.task, self.env, self.opening, self.step = task, env, step.observation, step


@final
class Episodes:
    """All open episodes; calls may come from many threads.

    One lock for the table, held for moments only, and one for each episode, held while it is played.
    """

    def __init__(self, most: int, idle_seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.most = most
        self.idle_seconds = idle_seconds
        self._clock = clock
        self._lock = Lock()
        self._open = OrderedDict[int, tuple[Episode, float]]()
        """By number, with the time of its last use; the longest idle first."""

    def __len__(self) -> int:
        """How many are open."""
        with self._lock:
            return len(self._open)

    def numbers(self) -> list[int]:
        """The numbers of those that are open, the longest unused first."""
        with self._lock:
            return list(self._open)

    def create(self, draw: Callable[[], int]) -> Episode:
        """A new episode by the first drawn number that none has; raises `Full` at the limit."""
        self.forget_idle()
        with self._lock:
            if len(self._open) >= self.most:
                raise Full(
                    f"{len(self._open)} episodes are open, and the limit is {self.most}: close some, "
                    f"or wait until one was idle for {self.idle_seconds:g} seconds"
                )
            number = draw()
            while number in self._open:
                number = draw()
            episode = Episode(number)
            self._open[number] = (episode, self._clock())
            return episode

    @contextmanager
    def playing(self, number: int) -> Iterator[Episode]:
        """The episode, which nobody else plays meanwhile; raises `NotOpen` where there is none."""
        self.forget_idle()
        with self._lock:
            if number not in self._open:
                raise NotOpen(number)
            episode, _ = self._open[number]
            self._touch(number)
        with episode.lock:
            try:
                yield episode
            finally:
                with self._lock:
                    self._touch(number)

    def close(self, number: int) -> Episode | None:
        """Forget an episode, and return it if it was there."""
        with self._lock:
            episode, _ = self._open.pop(number, (None, 0.0))
            return episode

    def forget_idle(self) -> int:
        """Forget those that nobody used for too long; returns how many."""
        forgotten = 0
        with self._lock:
            longest_idle = next(iter(self._open.items()), None)
            while longest_idle and self._is_idle(longest_idle[1][1]):
                number, (episode, _) = longest_idle
                if episode.lock.locked():  # it is played right now
                    self._touch(number)
                else:
                    del self._open[number]
                    forgotten += 1
                longest_idle = next(iter(self._open.items()), None)
        return forgotten

    def _is_idle(self, last_use: float) -> bool:
        return self._clock() - last_use > self.idle_seconds

    def _touch(self, number: int) -> None:
        if number in self._open:
            self._open[number] = (self._open[number][0], self._clock())
            self._open.move_to_end(number)
