"""Several processes with one model: they share the episodes to play and the batch to learn.

The calling process only hands out work and collects; each worker runs one thread. Which worker does
what depends on the order of the work alone, so a run is deterministic for a given number of workers.
All workers hold the same weights: gradients are summed over them before each step.
"""

import os
import socket
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self, final

import torch
import torch.distributed
from torch import Tensor

from heldout.backend.worker import Worker, WorkerConfig
from heldout.config import Limits
from heldout.errors import HeldoutError
from heldout.learn.batch import Sample
from heldout.model.entropy import Entropies, total
from heldout.model.folder import check_folder
from heldout.model.learner import Objective, Tell, Update, unheard
from heldout.model.load import place_of
from heldout.printable import printable
from heldout.records import Task, Trajectory
from heldout.rollout.episode import Assignment
from heldout.starting import end_with_caller, without_interrupts

DONE = "done"


def default_processes() -> int:
    """One for each GPU; without any one for each core, at most two: more gain little for a small model."""
    return torch.cuda.device_count() or min(2, _cores())


def _cores() -> int:
    """The cores that this process may run on; where a system does not tell, those that there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@final
class ProcessBackend:
    """Worker processes; a context manager, so that none outlives its work."""

    def __init__(self, config: WorkerConfig, processes: int = 0) -> None:
        self.size = processes or default_processes()
        config = replace(config, model=_here(config.model), reference=config.reference and _here(config.reference))
        self._pipes = list[Connection]()
        self._workers = list[BaseProcess]()
        try:
            with TemporaryDirectory(prefix="heldout-backend-") as folder:  # only until all have met there
                for rank in range(self.size):
                    self._start(rank, config, f"{folder}/meeting")
                for pipe in self._pipes:
                    self._receive(pipe)
        except BaseException:
            self.close(at_once=True)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.close(at_once=kind is not None and not issubclass(kind, Exception))

    def close(self, *, at_once: bool = False) -> None:
        """Ends every worker; one that is at something ends with it, unless that is to be at once."""
        for pipe in self._pipes:
            pipe.close()
        for worker in self._workers:
            worker.join(timeout=0 if at_once else 5)
            if worker.is_alive():
                worker.kill()
                worker.join()

    def play(
        self, assignments: Iterable[Assignment], limits: Limits, temperature: float = 1.0
    ) -> Iterator[Trajectory]:
        """The trajectories, as any worker finishes one: sort by name where order matters.

        Whoever does not wait for all of them ends the backend: what is still played would answer later requests.
        """
        work = list(assignments)
        shares = [work[rank :: self.size] for rank in range(self.size)]
        for pipe, share in zip(self._pipes, shares, strict=True):
            self._send(pipe, "play", (share, limits, temperature))
        try:
            yield from self._trajectories()
        except GeneratorExit:
            self.close()
            raise

    def room(self, task: Task) -> tuple[int, int]:
        """How many ids the task's opening has, and how many a conversation may have; all workers are alike."""
        self._send(self._pipes[0], "room", (task,))
        found: tuple[int, int] = self._receive(self._pipes[0])
        return found

    def learn(self, samples: Sequence[Sample], objective: Objective, tell: Tell = unheard) -> Update:
        """One batch, its rows shared out by length so that the shares take equally long.

        `tell` hears of the micro-batches of the first worker's share.
        """
        for pipe, share in zip(self._pipes, self._shares(samples), strict=True):
            self._send(pipe, "learn", (share, objective))
        while not isinstance(answer := self._receive(self._pipes[0]), Update):
            tell(*answer)
        for pipe in self._pipes[1:]:
            self._receive(pipe)
        return answer

    def reference_logprobs(
        self, samples: Sequence[Sample], temperature: float, batch_tokens: int
    ) -> list[tuple[float, ...]]:
        """Of each sequence in order: what the reference gives each of its sampled tokens; shared out by length."""
        order = sorted(range(len(samples)), key=lambda number: len(samples[number].ids))
        shares = [(share, temperature, batch_tokens) for share in self._shares(samples)]
        found = dict[int, tuple[float, ...]]()
        for rank, read in enumerate(self._all("reference_logprobs", shares)):
            found |= dict(zip(order[rank :: self.size], read, strict=True))
        return [found[number] for number in range(len(samples))]

    def spell(self, trajectories: Sequence[Trajectory]) -> list[Trajectory]:
        """Episodes that somebody else has played, with ids; one worker does it, since all are alike."""
        self._send(self._pipes[0], "spell", (list(trajectories),))
        spelled: list[Trajectory] = self._receive(self._pipes[0])
        return spelled

    def entropies(
        self, samples: Sequence[Sample], temperatures: Sequence[float], batch_tokens: int = 8192
    ) -> Entropies:
        """At each temperature sum and count over the sampled positions; the rows are shared out by length."""
        shares = self._shares(samples)
        return total(self._all("entropies", [(share, temperatures, batch_tokens) for share in shares]))

    def divergences(
        self, samples: Sequence[Sample], temperature: float = 1.0, batch_tokens: int = 8192
    ) -> Entropies:
        """KL(reference ‖ model), sum and count over the sampled positions; the rows are shared out by length."""
        shares = self._shares(samples)
        return total(self._all("divergences", [(share, temperature, batch_tokens) for share in shares]))

    def save(self, folder: Path, state: bool = True) -> None:
        """Weights, tokenizer and optimizer state in a folder; every worker has the same."""
        self._send(self._pipes[0], "save", (folder, state))
        self._receive(self._pipes[0])

    def load(self, name: str) -> None:
        """Every worker takes the weights of that model, and an optimizer that remembers nothing."""
        self._all("load", [(_here(name),)] * self.size)

    def restore(self, folder: Path) -> None:
        """Every worker takes what `save` wrote."""
        self._all("restore", [(folder,)] * self.size)

    def _shares(self, samples: Sequence[Sample]) -> list[list[Sample]]:
        """What each worker gets of a batch, so that the shares take equally long."""
        by_length = sorted(samples, key=lambda sample: len(sample.ids))
        return [by_length[rank :: self.size] for rank in range(self.size)]

    def _trajectories(self) -> Iterator[Trajectory]:
        """What all workers play, until each has said that it is done."""
        busy = list(self._pipes)
        while busy:
            ready = wait(busy)
            for pipe in [pipe for pipe in busy if pipe in ready]:
                answer = self._receive(pipe)
                if answer == DONE:
                    busy.remove(pipe)
                else:
                    yield answer

    def _start(self, rank: int, config: WorkerConfig, meeting: str) -> None:
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        worker = context.Process(
            target=_serve,
            args=(theirs, _on_its_device(config, rank), rank, self.size, meeting),
            name=f"heldout-worker-{rank}",
            daemon=True,
        )
        with _one_thread(), without_interrupts():
            worker.start()
        theirs.close()
        self._pipes.append(ours)
        self._workers.append(worker)

    def _all(self, verb: str, arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        for pipe, given in zip(self._pipes, arguments, strict=True):
            self._send(pipe, verb, given)
        return [self._receive(pipe) for pipe in self._pipes]

    def _send(self, pipe: Connection, verb: str, arguments: tuple[Any, ...]) -> None:
        if pipe.closed:
            raise HeldoutError("this backend has ended: start another")
        try:
            pipe.send((verb, arguments))
        except (BrokenPipeError, ConnectionResetError):
            raise self._death(self._workers[self._pipes.index(pipe)]) from None

    def _receive(self, pipe: Connection) -> Any:
        """One answer; a worker's failure is raised here."""
        try:
            kind, value = pipe.recv()
        except (EOFError, ConnectionResetError):
            raise self._death(self._workers[self._pipes.index(pipe)]) from None
        if kind == "failure":
            killed = [each for each in self._workers if each.exitcode]  # its end broke the others' meeting
            raise self._death(killed[0]) if killed else value
        return value

    def _death(self, worker: BaseProcess) -> HeldoutError:
        worker.join(timeout=5)
        return HeldoutError(
            f"worker process {worker.name} died (exit code {worker.exitcode}); "
            "the run stops where it was: start it again to go on"
        )


@contextmanager
def _one_thread() -> Iterator[None]:
    """While a worker starts, its environment asks for one thread: two that spin collapse tenfold."""
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before


def _here(model: str) -> str:
    """Where a model's files lie: looked up once, here; what is no model is refused before a worker starts."""
    place = place_of(model)
    if place.is_dir():
        check_folder(place)
    return str(place)


def _on_its_device(config: WorkerConfig, rank: int) -> WorkerConfig:
    """The setting of one worker: the GPUs are given out in turn."""
    if config.device != "cuda":
        return config
    return replace(config, device=f"cuda:{rank % torch.cuda.device_count()}")


def _serve(pipe: Connection, config: WorkerConfig, rank: int, size: int, meeting: str) -> None:
    """A worker's life: answer each request until the other end closes."""
    end_with_caller()
    try:
        torch.set_num_threads(1)
        worker = Worker(config, _reduce_over(rank, size, meeting))
        pipe.send(("ready", None))
        while True:
            verb, arguments = pipe.recv()
            # What the caller does not read while it waits for another worker would fill the pipe: one tells.
            told = {"tell": partial(_tell, pipe)} if verb == "learn" and rank == 0 else {}
            _answer(pipe, partial(getattr(worker, verb), **told), arguments)
    except (EOFError, BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
        return
    except HeldoutError as failure:
        pipe.send(("failure", failure))
    except Exception as failure:
        print(printable(traceback.format_exc()), end="", file=sys.stderr)
        pipe.send(("failure", HeldoutError(f"a worker failed: {type(failure).__name__}: {failure}")))


def _tell(pipe: Connection, done: int, in_all: int) -> None:
    pipe.send(("item", (done, in_all)))


def _answer(pipe: Connection, method: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """Sends what the method returns; of an iterator each item, then that it is done."""
    value = method(*arguments)
    if isinstance(value, Iterator):
        for item in value:
            pipe.send(("item", item))
        value = DONE
    pipe.send(("value", value))


def _loopback() -> str:
    """The name of the interface that only this machine reaches: lo, or lo0."""
    return next(name for _, name in socket.if_nameindex() if name.startswith("lo"))


def _reduce_over(rank: int, size: int, meeting: str) -> Callable[[Tensor], None]:
    if size > 1:
        os.environ.setdefault("GLOO_SOCKET_IFNAME", _loopback())  # else they listen where other machines can call
        torch.distributed.init_process_group("gloo", f"file://{meeting}", rank=rank, world_size=size)

    def reduce(tensor: Tensor) -> None:
        if size > 1:
            torch.distributed.all_reduce(tensor)

    return reduce
