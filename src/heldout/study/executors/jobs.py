"""Does a study's pieces in several processes of this machine, each with the models that its pieces need."""

from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Self, final

from heldout.agents import Backends
from heldout.errors import HeldoutError
from heldout.starting import end_with_caller, without_interrupts
from heldout.stops import Stops
from heldout.store.runs import StudyFolder
from heldout.study.executors.board import Board
from heldout.study.outcome import Finished
from heldout.study.perform import Watch
from heldout.study.plan import PlannedWork
from heldout.study.site import Site, failed

LOOK = 1.0
"""Seconds between two looks at what may begin."""
ENDING = 10.0
"""Seconds in which a process has to end that is told to."""


def walk(board: Board, site: Site, jobs: int) -> None:
    """Does so many pieces at a time, each by the process that is free first."""
    site.backends.drop()  # what this process held, others hold now
    with _Crew(site.folder, jobs) as crew:
        while not board.is_over:
            for piece in board.ready()[: crew.free]:
                board.begin(piece)
                crew.give(piece)
            for finished in crew.finished():
                board.finish(finished)


@final
class _Crew:
    """Processes that do pieces; a context manager, so that none outlives its work."""

    def __init__(self, folder: StudyFolder, jobs: int) -> None:
        self._folder, self._jobs = folder, jobs
        self._idle = list[_Hand]()
        self._busy = dict[Connection, tuple[_Hand, PlannedWork]]()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        hands = [*self._idle, *(hand for hand, _ in self._busy.values())]
        for hand in hands:
            hand.tell_to_end(at_once=kind is not None)
        for hand in hands:
            hand.end()

    @property
    def free(self) -> int:
        """How many pieces more may be given out."""
        return self._jobs - len(self._busy)

    def give(self, piece: PlannedWork) -> None:
        """Has a process do it: one that is idle, or a new one."""
        hand = self._idle.pop() if self._idle else _Hand(self._folder)
        self._busy[hand.pipe] = hand, piece
        with suppress(BrokenPipeError, ConnectionResetError):  # it died idle: `finished` finds that
            hand.pipe.send(piece)

    def finished(self) -> Sequence[Finished]:
        """What came to its end, at once or within a moment; a process that died has failed at its piece."""
        ready = wait(list(self._busy), LOOK)
        return [self._take(pipe) for pipe in list(self._busy) if pipe in ready]

    def _take(self, pipe: Connection) -> Finished:
        hand, piece = self._busy.pop(pipe)
        try:
            finished: Finished = pipe.recv()
        except (EOFError, ConnectionResetError):
            status = hand.end()
            return failed(self._folder, piece, HeldoutError(f"the process that did it died (exit code {status})"))
        self._idle.append(hand)
        return finished


@final
class _Hand:
    """One process, and the pipe to it."""

    def __init__(self, folder: StudyFolder) -> None:
        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self._process: BaseProcess = context.Process(target=_serve, args=(theirs, folder.root))
        with without_interrupts():
            self._process.start()
        theirs.close()

    def tell_to_end(self, *, at_once: bool) -> None:
        """It ends when its piece is done, or at once: its models' processes too."""
        self.pipe.close()
        if at_once:
            self._process.terminate()

    def end(self) -> int | None:
        """Its exit code, when it has ended; one that does not is killed."""
        self.pipe.close()
        self._process.join(timeout=ENDING)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        return self._process.exitcode


def _serve(pipe: Connection, root: Path) -> None:
    """A process's life: do each piece that it is given until the other end closes."""
    end_with_caller()
    over = suppress(EOFError, BrokenPipeError, ConnectionResetError, KeyboardInterrupt)
    with Stops(), over, Backends() as backends:
        site = Site(StudyFolder(root), Watch(), backends)
        while True:
            pipe.send(site.do(pipe.recv()))
