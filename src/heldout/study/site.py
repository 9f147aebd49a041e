"""Where pieces of studies are done in this process, one at a time; what they took is recorded, or why not."""

import os
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import replace
from multiprocessing import active_children
from pathlib import Path
from typing import final

from heldout.agents import Backends, agent_of, device, processes_of
from heldout.errors import HeldoutError, in_one_line
from heldout.records import Ending, Trajectory
from heldout.store.files import replace_file
from heldout.store.hosts import host, peak_bytes
from heldout.store.lease import Held, Lease, LostLease, hold, holder
from heldout.store.pieces import PieceRecord
from heldout.store.runs import StudyFolder
from heldout.study.halves import with_halves
from heldout.study.kinds import envs_of, kind_of
from heldout.study.outcome import LEFT_OUT, Finished
from heldout.study.perform import Watch, Workspace, is_left, perform
from heldout.study.plan import PlannedWork, Study
from heldout.study.work import DriftWork
from heldout.training.figures import StepMetrics
from heldout.training.stage import StepPart

PATIENCE = 20.0
"""Seconds in which a lease is waited for that others hold for moments."""
RETRY = 0.05
"""Seconds between two tries at it."""
RECORD = "record a piece"
MOMENTS = ("begin ", "prune", RECORD)
"""What a lease is held for that is given back in a moment."""


@final
class Site:
    """A folder, who watches, and the models that are held here; a piece leaves them to the next one."""

    def __init__(self, folder: StudyFolder, watch: Watch, backends: Backends) -> None:
        self.folder, self.watch, self.backends = folder, watch, backends
        self._workspaces = dict[Study, Workspace]()

    def workspace(self, study: Study) -> Workspace:
        """Where the pieces of a study are done; studies of one base read its files once."""
        if study not in self._workspaces:
            alike = [
                each.agent
                for known, each in self._workspaces.items()
                if (known.base, known.config.chat_template) == (study.base, study.config.chat_template)
            ]
            agent = alike[0] if alike else agent_of(study.base, study.config.chat_template)
            self._workspaces[study] = Workspace(with_halves(study, self.folder), self.folder, agent, self.watch)
        return self._workspaces[study]

    def do(self, piece: PlannedWork) -> Finished:
        """Does a piece, or what is left of it, and says how it went; only a stop is raised."""
        counting, began, clock = _Counting(self.watch), time.time(), time.monotonic()
        try:
            workspace = replace(self.workspace(piece.study), watch=counting)
            # A drift plays nothing; of other pieces what is new is what they played.
            is_new = isinstance(piece.work, DriftWork) and is_left(workspace, piece.work)
            perform(workspace, piece.work, self.backends)
            seconds, is_new = time.monotonic() - clock, is_new or counting.episodes > 0
            if is_new:
                self._record(piece, counting, began, seconds)
            self._tell_why(piece, counting.why)
        except (Held, LostLease) as another:
            return Finished(piece=piece, held=str(another))
        except BrokenPipeError:  # nobody reads what is printed: that ends the whole run
            raise
        except Exception as error:
            self.backends.drop()  # half of its processes may be at what the others gave up
            return failed(self.folder, piece, error)
        return Finished(
            piece=piece, left_out=counting.why, seconds=seconds, episodes=counting.episodes, is_new=is_new
        )

    def _record(self, piece: PlannedWork, counting: "_Counting", began: float, seconds: float) -> None:
        config, kind = piece.study.config, kind_of(piece.work)
        record = PieceRecord(
            kind=kind,
            title=piece.work.title,
            envs=envs_of(piece.work),
            episodes=counting.episodes,
            steps=counting.steps,
            tokens=counting.tokens,
            seconds=seconds,
            began=began,
            ended=time.time(),
            host=host(),
            process=os.getpid(),
            processes=1 if kind == "play" else processes_of(config),
            device="cpu" if kind == "play" else device(),
            peak_bytes=peak_bytes([os.getpid(), *(each.pid for each in active_children() if each.pid)]),
        )
        with recording(self.folder):
            self.folder.pieces.add(record)

    def _tell_why(self, piece: PlannedWork, left_out: str) -> None:
        """Leaves no log of a piece that is done; of one that never can be, why."""
        path = self.folder.failure(piece.work.title)
        if left_out:
            replace_file(path, f"{LEFT_OUT}{left_out}\n")
        elif path.exists():
            path.unlink(missing_ok=True)


def failed(folder: StudyFolder, piece: PlannedWork, error: Exception) -> Finished:
    """How it went with a piece that failed; the whole of it is told in its log."""
    line = in_one_line(error)
    line = line if isinstance(error, HeldoutError) else f"{type(error).__name__}: {line}"
    log = folder.failure(piece.work.title)
    when = time.strftime("%Y-%m-%d %H:%M:%S")
    told = f"{line}\n{piece.work.title}\n{when} on {host()}, process {os.getpid()}\n\n"
    with suppress(HeldoutError):  # a disk that is full is why it failed, and has no room for a log
        replace_file(log, told + "".join(traceback.format_exception(error)))
    return Finished(piece=piece, error=line, log=log if log.exists() else None)


@contextmanager
def hold_for_a_moment(path: Path, *, purpose: str) -> Iterator[Lease]:
    """A lease that is waited for while others hold it for a moment; who holds it for longer is told at once."""
    with ExitStack() as held:
        last = time.monotonic() + PATIENCE
        while (lease := _taken(path, purpose, held, is_last=time.monotonic() > last)) is None:
            time.sleep(RETRY)
        yield lease


def recording(folder: StudyFolder) -> AbstractContextManager[Lease]:
    """A time in which nobody else adds to a study's records: two at once could cut each other's line."""
    return hold_for_a_moment(folder.pieces_lease, purpose=RECORD)


def _taken(path: Path, purpose: str, held: ExitStack, *, is_last: bool) -> Lease | None:
    """The lease, held now; None where another has it for a moment."""
    try:
        return held.enter_context(hold(path, purpose=purpose))
    except Held:
        known = holder(path)
        if is_last or (known and not known.purpose.startswith(MOMENTS)):
            raise
        return None


@final
class _Counting(Watch):
    """Tells a watch what it hears, and counts what a piece takes."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self.episodes, self.steps, self.tokens = 0, 0, 0
        self.why = ""

    def loading(self, model: str) -> None:
        """A model is to be loaded."""
        self._watch.loading(model)

    def during(self, chain: str, part: StepPart) -> None:
        """A training step is so far."""
        self._watch.during(chain, part)

    def step(self, chain: str, row: StepMetrics, steps: int) -> None:
        """A training step was made; its tokens are counted without the episodes that broke off."""
        played = dict[str, int](row["endings"])
        self.steps += 1
        self.episodes += sum(played.values())
        self.tokens += round(row["generated_tokens"] * (sum(played.values()) - played.get(Ending.ERROR, 0)))
        self._watch.step(chain, row, steps)

    @contextmanager
    def playing(self, title: str, episodes: int) -> Iterator[Callable[[Trajectory], None]]:
        """So many episodes are to be played; each is told."""
        with self._watch.playing(title, episodes) as tell:

            def hear(trajectory: Trajectory) -> None:
                self.episodes += 1
                self.tokens += trajectory.generated_tokens
                tell(trajectory)

            yield hear

    def left_out(self, title: str, why: str) -> None:
        """A control cannot be measured."""
        self.why = why
        self._watch.left_out(title, why)
