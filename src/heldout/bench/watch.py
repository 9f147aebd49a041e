"""Where time goes: every moment since a watch was started belongs to one named part."""

import time
from typing import final

import torch

PLAY, UPDATE, BETWEEN = "play", "update", "between"
"""The parts of a step; `between` is all that is neither."""


@final
class Watch:
    """Wall and processor seconds by part; it runs from the moment that it is made, or made to begin anew."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Nothing has passed yet."""
        self.seconds = dict.fromkeys((PLAY, UPDATE, BETWEEN), 0.0)
        self.cpu_seconds = dict(self.seconds)
        self._wall, self._cpu = _now()

    def lap(self, part: str) -> None:
        """What has passed since the last lap belongs to this part."""
        wall, cpu = _now()
        self.seconds[part] += wall - self._wall
        self.cpu_seconds[part] += cpu - self._cpu
        self._wall, self._cpu = wall, cpu


def _now() -> tuple[float, float]:
    """Wall and processor time once all that a GPU was asked for is done."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter(), time.process_time()
