"""What came of the pieces of a study: done, failed, skipped for want of another, or left for the next time."""

from dataclasses import dataclass
from pathlib import Path

from heldout.errors import HeldoutError
from heldout.store.runs import StageFolder
from heldout.study.plan import PlannedWork

LEFT_OUT = "left out: "
"""What the log begins with of a piece that cannot be done and has not failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """How it went with one piece."""

    piece: PlannedWork
    error: str = ""
    """Why it failed, in one line."""
    log: Path | None = None
    """Where the whole of it is told."""
    held: str = ""
    """Who else is at it: it is to be tried again."""
    left_out: str = ""
    """Why it cannot be measured, and never could."""
    seconds: float = 0.0
    episodes: int = 0
    """That were played for it."""
    is_new: bool = False
    """Whether something was done: it was not whole before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A piece that was not begun, since another failed."""

    piece: PlannedWork
    failed: PlannedWork
    """The one that it needs, itself or through others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What was removed of one training."""

    stage: StageFolder
    checkpoints: tuple[int, ...]
    """Whole, by their steps."""
    states: tuple[int, ...]
    """Of these only the optimizer's state."""
    bytes_freed: int
    held: str = ""
    """Who is at the training: nothing of it was removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """All pieces of a run."""

    done: tuple[Finished, ...] = ()
    failed: tuple[Finished, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    left: tuple[PlannedWork, ...] = ()
    """Not begun when the time was over."""
    removed: tuple[Removed, ...] = ()
    """Checkpoints that were pruned."""

    @property
    def lines(self) -> tuple[str, ...]:
        """What failed and where its log lies, and what was skipped for want of it."""
        failed = (f"failed: {each.piece.work.title}: {each.error}{_in(each.log)}" for each in self.failed)
        skipped = (f"skipped: {each.piece.work.title}: it needs: {each.failed.work.title}" for each in self.skipped)
        return (*failed, *skipped)

    def raise_if_failed(self) -> None:
        """Raises where a piece failed, in one line that names the first."""
        if self.failed:
            raise PiecesFailed(self)


class PiecesFailed(HeldoutError):
    """Some pieces of a study failed; the others are done."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        first, count = outcome.failed[0], len(outcome.failed)
        many = f"{count} pieces failed, the first" if count > 1 else "a piece failed"
        skipped = f"; {len(outcome.skipped)} that need it were skipped" if outcome.skipped else ""
        skipped = skipped.replace("need it", "need them") if count > 1 else skipped
        super().__init__(f"{many}: {first.piece.work.title}: {first.error}{_in(first.log)}{skipped}")


def _in(log: Path | None) -> str:
    return f" ({log})" if log else ""
