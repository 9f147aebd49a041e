"""Which pieces of a study are waiting, ready, at work and done: what every executor goes by."""

from collections.abc import Callable, Iterable
from time import monotonic
from typing import final

from heldout.config import Config
from heldout.study.outcome import Finished, Outcome, Skipped
from heldout.study.plan import PlannedWork
from heldout.study.work import Work

AGAIN = 2.0
"""Seconds after which a piece that another process is at is tried again."""

Key = tuple[Config, Work]
"""What tells a piece from those of other studies of the folder."""


def key_of(piece: PlannedWork) -> Key:
    """The piece's own."""
    return piece.study.config, piece.work


def needs_of(piece: PlannedWork) -> list[Key]:
    """Those of the pieces that it needs."""
    return [(piece.study.config, need) for need in piece.needs]


def _unheard(*_: object) -> None:
    """Nobody hears it."""


@final
class Board:
    """The pieces in their order, and how far each is.

    `seconds` are those in which pieces may begin; `tell` hear of each that came to its end, `stand` how many
    are done, at work and waiting whenever that changes, and `wait` why none can begin now, though some are left.
    """

    def __init__(
        self,
        graph: Iterable[PlannedWork],
        *,
        seconds: float | None = None,
        tell: Iterable[Callable[[Finished], None]] = (),
        stand: Callable[[int, int, int], None] = _unheard,
        wait: Callable[[str], None] = _unheard,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._waiting = {key_of(piece): piece for piece in graph}
        self._running = dict[Key, PlannedWork]()
        self._done, self._failed = dict[Key, Finished](), dict[Key, Finished]()
        self._skipped = dict[Key, Skipped]()
        self._not_before = dict[Key, float]()
        self._tell, self._stand, self._wait, self._clock = tuple(tell), stand, wait, clock
        self._end = None if seconds is None else clock() + seconds

    @property
    def is_over(self) -> bool:
        """Whether nothing is at work, and nothing more is to begin."""
        return not self._running and (not self._waiting or self.is_late)

    @property
    def is_late(self) -> bool:
        """Whether the time is over in which pieces may begin."""
        return self._end is not None and self._clock() >= self._end

    @property
    def running(self) -> int:
        """How many pieces are at work."""
        return len(self._running)

    def ready(self) -> list[PlannedWork]:
        """The pieces that can begin now, in their order."""
        now = self._clock()
        if self.is_late:
            return []
        return [
            piece
            for key, piece in self._waiting.items()
            if self._not_before.get(key, now) <= now and all(need in self._done for need in needs_of(piece))
        ]

    def begin(self, piece: PlannedWork) -> None:
        """Somebody is at it."""
        self._running[key_of(piece)] = self._waiting.pop(key_of(piece))
        self._say_how_it_stands()

    def put_back(self, piece: PlannedWork, why: str, after: float = AGAIN) -> None:
        """It could not be done now, and is to be tried again after so many seconds."""
        key = key_of(piece)
        self._not_before[key] = self._clock() + after
        # In its old place: what comes later may need it.
        self._waiting = {key: self._running.pop(key), **self._waiting}
        if not self._running and not self.ready():
            self._wait(why)

    def finish(self, finished: Finished) -> None:
        """It came to its end, one way or the other."""
        if finished.held:
            self.put_back(finished.piece, finished.held)
            return
        key = key_of(finished.piece)
        del self._running[key]
        (self._failed if finished.error else self._done)[key] = finished
        if finished.error:
            self._skip_after(finished.piece)
        for tell in self._tell:
            tell(finished)
        self._say_how_it_stands()

    @property
    def seconds_to_wait(self) -> float:
        """Until a piece may be tried again, or the time is over."""
        times = [self._not_before[key] for key in self._waiting if key in self._not_before]
        times += [self._end] if self._end is not None else []
        return max(0.01, min(times, default=self._clock()) - self._clock())

    @property
    def outcome(self) -> Outcome:
        """How it stands."""
        return Outcome(
            done=tuple(self._done.values()),
            failed=tuple(self._failed.values()),
            skipped=tuple(self._skipped.values()),
            left=tuple(self._waiting.values()),
        )

    def _say_how_it_stands(self) -> None:
        self._stand(len(self._done), len(self._running), len(self._waiting))

    def _skip_after(self, failed: PlannedWork) -> None:
        """Sets aside what needs it: a plan has each piece after those that it needs, so one look is enough."""
        lost = {key_of(failed)}
        for key, piece in list(self._waiting.items()):
            if not lost.isdisjoint(needs_of(piece)):
                lost.add(key)
                self._skipped[key] = Skipped(piece=self._waiting.pop(key), failed=failed)
