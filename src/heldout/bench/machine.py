"""How busy and how fast the machine is while something is measured."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

import torch

MATMUL = 512
"""Side of the matrices that say how fast the machine is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One look at the machine."""

    load: float
    """Processes that wanted to run, over the last minute."""
    matmul_seconds: float
    """Of a fixed product of matrices: figures compare only where this agrees."""

    def __str__(self) -> str:
        return f"load {self.load:.1f}, calibration {1000 * self.matmul_seconds:.2f} ms"


def machine() -> Machine:
    """The load of the last minute, and the median of some equal products."""
    square = torch.ones(MATMUL, MATMUL)
    times = list[float]()
    for _ in range(20):
        begun = time.perf_counter()
        torch.mm(square, square)
        times.append(time.perf_counter() - begun)
    return Machine(load=os.getloadavg()[0], matmul_seconds=median(times))


@contextmanager
def one_thread() -> Iterator[None]:
    """torch computes on one thread, as each process of a `ProcessBackend` does."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
