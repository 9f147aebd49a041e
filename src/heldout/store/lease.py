"""A lease: who works at one piece of a study, on a disk that several machines may share.

No lock of the system is used, since on network disks they may not hold. The holder is the file `.lease.N` with the
highest N. It is taken by `link` to the next number, which only one process can win; who holds it renews its own
number, and gives it back by saying so in it. So whoever wakes up late, even in the middle of a renewal, changes a
file that counts no more: it finds a higher number, and must not publish. It calls `check` before each rename.

A lease may be taken over once it ran out, or where its process on this host is gone. Clocks of machines that share
a disk may differ by `SKEW`: the holder stops at the end of its time by its own clock, others wait so much longer.
Where a system does not tell when it was started or a process began (macOS), a process that has another's number is
taken for it, and waited for until the lease runs out.
"""

import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
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
ATTEMPTS = 1000
"""At taking a lease while others take it, too, and give it back."""
RETRY = 0.05
"""Seconds between two looks at a lease that the disk cannot show for the moment."""


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
    given_back: bool = False

    @property
    def seconds_left(self) -> float:
        """After how many seconds it may be taken over, if it is not renewed."""
        return self.renewed + self.duration + min(SKEW, self.duration) - time.time()

    @property
    def is_over(self) -> bool:
        """Whether the lease may be taken: it was given back, it ran out, or its process on this host is gone."""
        is_dead = self.host == host() and is_gone(self.process, self.began)
        return self.given_back or is_dead or self.seconds_left < 0

    @property
    def described(self) -> str:
        """Who it is, for people."""
        since = time.strftime("%H:%M:%S", time.localtime(self.since))
        what = f", to {self.purpose}" if self.purpose else ""
        return f"{self.place} (since {since}{what})"

    @property
    def place(self) -> str:
        """Which process it is, and where, if it is elsewhere."""
        return f"process {self.process}" + ("" if self.host == host() else f" on {self.host}")


@final
class Lease:
    """A lease that this process holds, by its number."""

    def __init__(self, path: Path, number: int, holder: Holder) -> None:
        self.path = path
        self._number = number
        self._holder = holder
        self._clocks = _clocks()
        self._alone = RLock()  # the thread that renews, and the one that checks

    @property
    def token(self) -> str:
        """Tells this lease from any other."""
        return self._holder.token

    def check(self) -> None:
        """Raises `LostLease` where the lease is no longer ours: nothing may be published then.

        A holder that slept goes on if nobody took its lease meanwhile: it renews it, and looks again.
        """
        with self._alone, refusals(self.path.parent, "look at the lease of"):
            self._check_number()
            if self._is_late():
                self._write(self._holder)
                self._check_number()

    def renew(self) -> None:
        """Makes it last its whole duration again."""
        with self._alone:
            if not self._is_late():  # else whether it is ours still is for `check` to say
                self._write(self._holder)

    def release(self) -> None:
        """Gives it back. The file stays, since numbers only rise; it is written over, which a full disk allows."""
        given_back = json.dumps(asdict(replace(self._holder, given_back=True))) + "\n"
        with self._alone, suppress(OSError), _numbered(self.path, self._number).open("r+") as file:
            file.write(given_back)
            file.truncate()

    def _check_number(self) -> None:
        """Refuses where a higher number is there, or ours is gone; waits in our time for a disk that is away."""
        while not self._is_ours():
            time.sleep(RETRY)

    def _is_ours(self) -> bool:
        """Whether our number counts, and is ours; False where the disk cannot show it for the moment."""
        try:
            found = _read(_numbered(self.path, self._number))
            counts = _highest(self.path) == self._number
        except OSError:
            if self._is_late():
                raise
            return False
        if not counts or found is None or found.token != self.token:
            raise self._lost_lease()
        return True

    def _is_late(self) -> bool:
        """Whether it ran out, by either clock: one stands still while a machine sleeps, the other can be set."""
        return max(now - then for now, then in zip(_clocks(), self._clocks, strict=True)) > self._holder.duration

    def _write(self, holder: Holder) -> None:
        """Puts it in our own number's place, whatever other numbers there are by now."""
        clocks = _clocks()
        renewed = replace(holder, renewed=clocks[1])
        with _written_beside(self.path, renewed) as partial:
            partial.replace(_numbered(self.path, self._number))
        self._holder, self._clocks = renewed, clocks

    def _lost_lease(self) -> LostLease:
        found = holder(self.path)
        return LostLease(
            f"{self.path.parent} was taken over by {found.described if found else 'somebody'} while this process "
            "slept: nothing more is written here; start it again to go on"
        )


@contextmanager
def hold(path: Path, *, purpose: str = "", duration: float = DURATION) -> Iterator[Lease]:
    """Holds the lease at a path for as long as the block runs, renewing it in the background.

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
    """Who holds the lease at a path; None for nobody."""
    with refusals(path.parent, "look at the lease of"):
        found = _read(_numbered(path, _highest(path)))
    return None if found is None or found.given_back else found


def unlock(path: Path) -> Holder | None:
    """Takes a lease away from whoever holds it, and says who that was: for people who know better."""
    with refusals(path.parent, "unlock"):
        number = _highest(path)
        found = _read(_numbered(path, number))
        if found is None or found.given_back:
            return None
        is_taken = _link(_numbered(path, number + 1), replace(_new_holder("", 0.0), given_back=True))
    return found if is_taken else None


def _take(path: Path, wanted: Holder) -> Lease:
    for _ in range(ATTEMPTS):
        last = _highest(path)
        known = _read(_numbered(path, last))
        if known is not None and not known.is_over:
            raise Held(
                f"{path.parent} is in use by {known.described}, whose lease runs out in {known.seconds_left:.0f} s "
                "unless renewed: wait for it, choose another folder, or take it away with heldout study unlock"
            )
        if _link(_numbered(path, last + 1), wanted) and _is_highest(path, last + 1):
            _remove_below(path, last + 1)
            return Lease(path, last + 1, wanted)
        time.sleep(0.001)
    raise Held(f"{path.parent} is wanted by too many at once: try again")


def _is_highest(path: Path, number: int) -> bool:
    """Whether the number that we have just made counts.

    Who looked long ago may make a number that others have had, and removed since: a higher one is there then.
    """
    if _highest(path) == number:
        return True
    _numbered(path, number).unlink(missing_ok=True)
    return False


def _highest(path: Path) -> int:
    """The number that counts; 0 where nobody ever held the lease."""
    return max(_numbers(path), default=0)


def _remove_below(path: Path, number: int) -> None:
    """Numbers that count no more; whoever has one of them finds out by the higher one."""
    for each in _numbers(path):
        if each < number:
            with suppress(OSError):
                _numbered(path, each).unlink()


def _numbers(path: Path) -> list[int]:
    pattern = re.compile(rf"{re.escape(path.name)}\.(\d+)")
    found = [pattern.fullmatch(each.name) for each in path.parent.iterdir()]
    return [int(each[1]) for each in found if each]


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")


def _read(path: Path) -> Holder | None:
    """Who holds a number; None where nobody ever did, or nothing can be made of what it says.

    A disk that does not show it is no answer: that error is the caller's to meet.
    """
    try:
        return from_json(Holder, json.loads(path.read_bytes()))
    except (FileNotFoundError, ValueError, BadCall):
        return None


def _link(path: Path, wanted: Holder) -> bool:
    """Puts the holder at the path unless something is there: the one step that only one process can win."""
    with _written_beside(path, wanted) as partial:
        try:
            os.link(partial, path)
        except FileExistsError:  # or a network disk did it, and its answer was lost: then both are one file
            return partial.stat().st_nlink > 1
    return True


@contextmanager
def _written_beside(path: Path, wanted: Holder) -> Iterator[Path]:
    partial = partial_of(path.with_name(f"{path.name}.{wanted.token}.{token_hex(2)}"))
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


def _keep_renewing(lease: Lease, every: float, over: Event) -> None:
    while not over.wait(every):
        with suppress(OSError):  # a disk that is away for a moment: the next renewal may reach it
            lease.renew()


def _clocks() -> tuple[float, float]:
    return time.monotonic(), time.time()
