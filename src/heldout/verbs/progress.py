"""The live line while episodes are played: how many, and their mean score so far."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import final

from heldout.progress import Progress
from heldout.records import Trajectory


@final
class _EpisodeProgress:
    """Counts what is played, for a progress line."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._played, self._score, self._too_long = 0, 0.0, 0

    def __call__(self, trajectory: Trajectory) -> None:
        """One more episode was played."""
        self._played += 1
        self._score += trajectory.score
        self._too_long += trajectory.is_too_long
        beside = {"openings_too_long": self._too_long} if self._too_long else {}
        self._progress.show(self._played, score=self._score / self._played, **beside)


@contextmanager
def show_episodes(title: str, episodes: int) -> Iterator[Callable[[Trajectory], None]]:
    """A live line with the score so far, of so many episodes."""
    with Progress(title, episodes) as progress:
        yield _EpisodeProgress(progress)
