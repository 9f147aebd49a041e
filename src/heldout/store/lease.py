"""A lease: who works at one piece of a study, on a disk that several machines may share.

No lock of the system is used, since on network disks they may not hold. A lease is a file that is made by `link`,
which only one can win, and says who holds it and until when; who holds it renews it. An expired lease, or one whose
process on this host is gone, may be taken over. A holder that wakes up late finds another's token in the file, or
none, and must not publish: it calls `check` before each rename.

Clocks of machines that share a disk may differ by `SKEW`: the holder stops at the end of its time by its own clock,
others wait so much longer.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from secrets import token_hex
from threading import Event, RLock, Thread
from typing import final

from heldout.errors import BadCall, HeldoutError
from heldout.records import from_json
from heldout.store.files import make_folder, partial_of, refusals
from heldout.store.hosts import began, host, is_gone

DURATION = 120.0
"""Seconds that a lease lasts without being renewed."""
SKEW = 30.0
"""Seconds that clocks may differ."""
RENEWALS = 6
"""In the time that a lease lasts."""
ATTEMPTS = 200
"""At taking a lease over while others try the same, a few milliseconds apart."""


class Held(HeldoutError):
    """Another holds the lease; the same work may be tried again later."""


class LostLease(HeldoutError):
    """The lease went to another, or ran out: nothing may be published any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds a lease."""

    token: str
    host: str
    process: int
    began: str
    """When the process began, so that another with its number is not taken for it."""
    since: float
    """Seconds since 1970, as `renewed` is."""
    renewed: float
    duration: float
    purpose: str

    @property
    def is_over(self) -> bool:
        """Whether the lease may be taken over: it ran out, or its process on this host is gone."""
        expired = time.time() > self.renewed + self.duration + min(SKEW, self.duration)
        return expired or (self.host == host() and is_gone(self.process, self.began))

    @property
    def described(self) -> str:
        """Who it is, for people."""
        since = time.strftime("%H:%M:%S", time.localtime(self.since))
        what = f", to {self.purpose}" if self.purpose else ""
        where = "" if self.host == host() else f" on {self.host}"
        return f"process {self.process}{where} (since {since}{what})"


@final
class Lease:
    """A lease that this process holds."""

    def __init__(self, path: Path, holder: Holder) -> None:
        self.path = path
        self._holder = holder
        self._clocks = _clocks()
        self._alone = RLock()  # the thread that renews, and the one that checks

    @property
    def token(self) -> str:
        """Tells this lease from any other."""
        return self._holder.token

    def check(self) -> None:
        """Raises `LostLease` where the lease is no longer ours: nothing may be published then."""
        with self._alone:
            if self._is_late():
                self._renew_late()
            elif not self._is_ours():
                raise self._lost_lease()

    def renew(self) -> None:
        """Makes it last its whole duration again; a failure of the disk is left to the next time."""
        with self._alone:
            began_at = _clocks()
            if not self._is_late() and self._is_ours():
                self._write(began_at)

    def release(self) -> None:
        """Gives it back, if it is still ours."""
        if not self._is_late() and self._is_ours():
            with suppress(OSError):
                self.path.unlink()

    def _is_ours(self) -> bool:
        found = holder(self.path)
        return found is not None and found.token == self.token

    def _is_late(self) -> bool:
        """Whether it ran out, by either clock: one stands still while a machine sleeps, the other can be set."""
        return max(now - then for now, then in zip(_clocks(), self._clocks, strict=True)) > self._holder.duration

    def _renew_late(self) -> None:
        """A holder that slept goes on if nobody took its lease meanwhile; others are kept out while it looks."""
        for _ in range(ATTEMPTS):
            with _taking_over(self.path) as alone:
                if alone and not self._is_ours():
                    raise self._lost_lease()
                if alone:
                    return self._write(_clocks())
            time.sleep(0.005)
        raise self._lost_lease()

    def _write(self, clocks: tuple[float, float]) -> None:
        self._holder = _renew(self._holder, clocks[1])
        with _write_beside(self.path, self._holder) as partial:
            partial.replace(self.path)
        self._clocks = clocks

    def _lost_lease(self) -> LostLease:
        found = holder(self.path)
        return LostLease(
            f"{self.path.parent} was taken over by {found.described if found else 'somebody'} while this process "
            "slept: nothing more is written here; start it again to go on"
        )


@contextmanager
def hold(path: Path, *, purpose: str = "", duration: float = DURATION) -> Iterator[Lease]:
    """Holds the lease at a path for as long as the block runs, renewed in the background.

    Raises `Held` where another holds it and its time is not over.
    """
    with refusals(path.parent, "lock"):
        make_folder(path.parent)
        lease = _take(path, _new_holder(purpose, duration))
    over = Event()
    renewal = Thread(target=_keep_renewing, args=(lease, duration / RENEWALS, over), daemon=True)
    renewal.start()
    try:
        yield lease
    finally:
        over.set()
        renewal.join()
        lease.release()


def holder(path: Path) -> Holder | None:
    """Who holds the lease at a path; None for nobody. A file that says nothing readable is held by nobody."""
    try:
        return from_json(Holder, json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, BadCall):
        return None


def unlock(path: Path) -> Holder | None:
    """Takes a lease away from whoever holds it, and says who that was: for people who know better."""
    found = holder(path)
    with refusals(path, "unlock"):
        path.unlink(missing_ok=True)
    return found


def _take(path: Path, wanted: Holder) -> Lease:
    for _ in range(ATTEMPTS):
        if _link(path, wanted):
            return Lease(path, wanted)
        known = holder(path)
        if known is not None and not known.is_over:
            raise Held(
                f"{path.parent} is in use by {known.described}: wait for it, choose another folder, or take it "
                "away with heldout study unlock"
            )
        with _taking_over(path) as alone:
            if alone and _is_free(path):  # once more: somebody may have been faster
                path.unlink()
        time.sleep(0.005)
    raise Held(f"{path.parent} is wanted by too many at once: try again")


def _is_free(path: Path) -> bool:
    """Whether a file is there that nobody holds. While we are alone nobody can put another in its place."""
    known = holder(path)
    return known.is_over if known else path.exists() and holder(path) is None


@contextmanager
def _taking_over(path: Path) -> Iterator[bool]:
    """Whether this process alone may now remove the lease's file, which `link` then gives to one of those waiting.

    A guard whose process died within these few milliseconds is removed once its own short time is over.
    """
    guard = path.with_name(f"{path.name}.guard")
    own = _new_holder("", duration=1.0)
    if not _link(guard, own):
        left = holder(guard)
        if left is None or left.is_over:
            with suppress(OSError):
                guard.unlink()
        yield False
        return
    try:
        yield True
    finally:
        guard.unlink(missing_ok=True)


def _link(path: Path, wanted: Holder) -> bool:
    """Puts the holder at the path unless something is there: the one step that only one process can win."""
    with _write_beside(path, wanted) as partial:
        try:
            os.link(partial, path)
        except FileExistsError:
            return False
    return True


@contextmanager
def _write_beside(path: Path, wanted: Holder) -> Iterator[Path]:
    partial = partial_of(path.with_name(f"{path.name}.{wanted.token}"))
    try:
        partial.write_text(json.dumps(asdict(wanted)) + "\n", encoding="utf-8")
        yield partial
    finally:
        partial.unlink(missing_ok=True)


def _new_holder(purpose: str, duration: float) -> Holder:
    now = time.time()
    return Holder(
        token=token_hex(8),
        host=host(),
        process=os.getpid(),
        began=began(os.getpid()),
        since=now,
        renewed=now,
        duration=duration,
        purpose=purpose,
    )


def _renew(known: Holder, now: float) -> Holder:
    return Holder(**{**asdict(known), "renewed": now})


def _keep_renewing(lease: Lease, every: float, over: Event) -> None:
    while not over.wait(every):
        with suppress(OSError):  # a disk that is away for a moment: the next renewal may reach it
            lease.renew()


def _clocks() -> tuple[float, float]:
    return time.monotonic(), time.time()
