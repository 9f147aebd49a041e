"""Does a study's pieces as Ray tasks, on whichever machines of a cluster see its folder.

What is to be done when is decided here (`Board`), and Ray says where: a task has one piece, with what it needs of a
machine. A task whose machine or process is gone is given out again, and goes on from the last checkpoint; the lease
of who is gone is taken over at once on the same machine, and runs out in two and a half minutes elsewhere.
"""

import logging
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import current_thread, main_thread
from typing import Any, final

import ray
from ray.exceptions import RayError, RayTaskError

from heldout.agents import Backends, device, processes_of
from heldout.errors import BadCall, HeldoutError, in_one_line
from heldout.model.folder import weight_files
from heldout.model.load import place_of
from heldout.stops import STATUSES
from heldout.store.runs import StudyFolder
from heldout.study.executors.board import Board
from heldout.study.kinds import kind_of
from heldout.study.outcome import Finished
from heldout.study.perform import Watch
from heldout.study.plan import PlannedWork, Study
from heldout.study.site import Site, failed

DEATHS = 3
"""How often a piece may lose its machine or its process, until it counts as failed."""
LOOK = 1.0
"""Seconds between two looks at what may begin."""
GRACE = 60.0
"""Seconds in which a machine may come that is large enough, where those that were have gone."""
GIB = 1 << 30
OVERHEAD = GIB
"""Bytes that a process has beside its model."""
LEARNING, PLAYING, ON_GPU = 24, 6, 8
"""Bytes a weight: of a process that learns and of one that plays on a CPU, and of either beside a GPU."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Needs:
    """What a piece takes of one machine."""

    cpus: int
    gpus: int
    memory: int
    """Bytes."""

    @property
    def resources(self) -> dict[str, float]:
        """As Ray counts them."""
        return {"CPU": self.cpus, "GPU": self.gpus, "memory": self.memory}

    @property
    def described(self) -> str:
        """For people."""
        gpus = f", {self.gpus} GPUs" if self.gpus else ""
        return f"{self.cpus} CPUs{gpus}, {self.memory / GIB:.1f} GiB"


def walk(board: Board, site: Site, address: str) -> None:
    """Does each piece as a task of the cluster at an address; `auto` is the one that runs here."""
    site.backends.drop()  # what this process held, others hold now
    needs = _NeedsOf(site)
    with _connected(address):
        tasks = _Tasks(site.folder, needs)
        for piece in board.outcome.left:
            tasks.refuse_what_fits_nowhere(piece)
        while not board.is_over:
            for piece in tasks.that_fit(board.ready()):
                board.begin(piece)
                tasks.give(piece)
            for each in tasks.finished(board):
                board.finish(each)
            tasks.give_up_what_fits_nowhere(board)


def _do(piece: PlannedWork, root: str, held_on: str) -> Finished:
    """Does a piece, on the machine that Ray chose."""
    folder = StudyFolder(Path(root))
    if device() != held_on:
        return failed(folder, piece, BadCall(_OTHER_DEVICE.format(here=device(), there=held_on)))
    with Backends() as backends:
        return Site(folder, Watch(), backends).do(piece)


_TASK = ray.remote(max_retries=0)(_do)  # what is to be tried again is for the board to say

_OTHER_DEVICE = (
    "this machine holds models on {here}, and the one that the study was run from on {there}: run it from one of "
    "the kind that does the work"
)


@final
class _NeedsOf:
    """What each piece takes: by what such pieces took in this folder, else by the size of the model."""

    def __init__(self, site: Site) -> None:
        self._device = device()
        self._peaks = dict[tuple[str, int], int]()
        for record in site.folder.pieces:
            if record.device == self._device:
                key = record.kind, record.processes
                self._peaks[key] = max(self._peaks.get(key, 0), record.peak_bytes)
        self._weights = dict[str, int]()

    def __call__(self, piece: PlannedWork) -> _Needs:
        """Of one piece."""
        kind, processes = kind_of(piece.work), processes_of(piece.study.config)
        if kind == "play":
            return _Needs(cpus=1, gpus=0, memory=OVERHEAD)
        a_weight = ON_GPU if self._device == "cuda" else LEARNING if kind == "train" else PLAYING
        computed = processes * (OVERHEAD + a_weight * self._count(piece.study.base))
        memory = self._peaks.get((kind, processes)) or computed
        return _Needs(cpus=processes, gpus=processes if self._device == "cuda" else 0, memory=memory)

    def _count(self, base: str) -> int:
        """About how many weights the base has, if each has two bytes."""
        if base not in self._weights:
            place = place_of(base)
            files = weight_files(place) if place.is_dir() else [place]
            self._weights[base] = sum(path.stat().st_size for path in files) // 2
        return self._weights[base]


@final
class _Tasks:
    """The tasks that were given to the cluster, and which machines these would fill."""

    def __init__(self, folder: StudyFolder, needs: _NeedsOf) -> None:
        self._folder, self._needs = folder, needs
        self._given = dict[Any, PlannedWork]()
        self._deaths = dict[str, int]()
        self._idle_since: float | None = None

    def refuse_what_fits_nowhere(self, piece: PlannedWork) -> None:
        """Refuses a piece that no machine of the cluster is large enough for: Ray would wait for ever."""
        needs = self._needs(piece)
        if not any(_fits(needs, node) for node in _machines()):
            raise BadCall(f"{piece.work.title} needs {needs.described}, and {_largest()}")

    def that_fit(self, ready: Sequence[PlannedWork]) -> Iterator[PlannedWork]:
        """Those of the pieces for which there is room beside what was given out already."""
        free = [dict(node) for node in _machines()]
        for piece in self._given.values():
            _take(self._needs(piece), free)
        for piece in ready:
            if _take(self._needs(piece), free):
                yield piece

    def give(self, piece: PlannedWork) -> None:
        """Has the cluster do it."""
        needs = self._needs(piece)
        task = _TASK.options(num_cpus=needs.cpus, num_gpus=needs.gpus, memory=needs.memory, name=piece.work.title)
        shipped = replace(piece, study=_everywhere(piece.study))
        self._given[task.remote(shipped, str(self._folder.root.resolve()), device())] = piece

    def finished(self, board: Board) -> list[Finished]:
        """What came to its end within a moment; a piece that lost its machine is put back on the board."""
        if not self._given:
            time.sleep(min(LOOK, board.seconds_to_wait))
            return []
        ready, _ = ray.wait(list(self._given), num_returns=len(self._given), timeout=LOOK)
        found = [(self._given.pop(task), task) for task in ready]
        return [each for each in (self._result(piece, task, board) for piece, task in found) if each]

    def give_up_what_fits_nowhere(self, board: Board) -> None:
        """Fails what no machine is large enough for by now, where none comes for a while."""
        waiting = board.ready()
        if (
            self._given
            or not waiting
            or any(_fits(self._needs(each), node) for each in waiting for node in _machines())
        ):
            self._idle_since = None
            return
        self._idle_since = self._idle_since or time.monotonic()
        if time.monotonic() - self._idle_since > GRACE:
            for piece in waiting:
                board.begin(piece)
                error = HeldoutError(f"it needs {self._needs(piece).described}, and {_largest()} by now")
                board.finish(failed(self._folder, piece, error))

    def _result(self, piece: PlannedWork, task: Any, board: Board) -> Finished | None:
        try:
            finished: Finished = ray.get(task)
            return replace(finished, piece=piece)
        except RayTaskError as error:  # such as of a machine on which heldout is not installed
            return failed(self._folder, piece, HeldoutError(f"Ray could not begin it: {in_one_line(error)}"))
        except RayError as error:
            title, why = piece.work.title, f"its machine or its process is gone ({type(error).__name__})"
            self._deaths[title] = self._deaths.get(title, 0) + 1
            if self._deaths[title] > DEATHS:
                return failed(self._folder, piece, HeldoutError(f"{why}, for the {self._deaths[title]}th time"))
            board.put_back(piece, why, after=0.0)
            return None


@contextmanager
def _connected(address: str) -> Iterator[None]:
    """A time in which this process is of the cluster; at its end what is still at work there ends."""
    is_main = current_thread() is main_thread()  # no other thread may say what a signal does
    handlers = {each: signal.getsignal(each) for each in STATUSES} if is_main else {}
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except ConnectionError as error:
        how = "begin one with `ray start --head`, or leave --ray out (--jobs N needs no cluster)"
        raise HeldoutError(f"no Ray cluster at {address!r} ({in_one_line(error)}): {how}") from error
    try:
        for each, handler in handlers.items():  # Ray has one of its own, which would leave pieces half told
            signal.signal(each, handler)
        yield
    finally:
        ray.shutdown()


def _machines() -> list[Mapping[str, float]]:
    """What each living machine of the cluster has in all."""
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def _fits(needs: _Needs, node: Mapping[str, float]) -> bool:
    return all(node.get(name, 0.0) >= amount for name, amount in needs.resources.items() if amount)


def _take(needs: _Needs, free: Sequence[dict[str, float]]) -> bool:
    """Takes it from the first machine that has room for it, if any has."""
    for node in free:
        if _fits(needs, node):
            for name, amount in needs.resources.items():
                node[name] = node.get(name, 0.0) - amount
            return True
    return False


def _largest() -> str:
    """What the largest machine has, for people."""
    machines = _machines()
    if not machines:
        return "the cluster has no machine"
    node = max(machines, key=lambda each: (each.get("GPU", 0.0), each.get("CPU", 0.0), each.get("memory", 0.0)))
    gpus, cpus, memory = (node.get(name, 0.0) for name in ("GPU", "CPU", "memory"))
    return f"the largest machine of the cluster has {cpus:.0f} CPUs, {gpus:.0f} GPUs, {memory / GIB:.1f} GiB"


def _everywhere(study: Study) -> Study:
    """The study as other machines read it: its files by their whole paths, its processes counted here."""
    config = study.config
    source = replace(config.source, difficulty=_whole(config.source.difficulty))
    config = replace(
        config, source=source, chat_template=_whole(config.chat_template), processes=processes_of(config)
    )
    return replace(study, base=_whole(study.base), config=config)


def _whole(name: str) -> str:
    """A file or a folder by its whole path; any other name as it is."""
    return str(Path(name).resolve()) if name and Path(name).exists() else name
