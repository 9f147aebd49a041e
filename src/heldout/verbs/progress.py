"""What a terminal is told while episodes are played and a model is trained; scores are from 0 to 100."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import final

from heldout.progress import StatusLine, figure, figure_texts, of, span
from heldout.records import Trajectory
from heldout.study.outcome import Finished
from heldout.study.perform import Watch
from heldout.training.figures import OCCASIONAL, StepMetrics
from heldout.training.stage import StepPart

SOON = 0.01
"""The part of a study's episodes before which nothing is said of how long it takes: its first few tell nothing."""

SHARE_OF_PLAY = 0.7
"""How much of a step is taken for play until one was made."""


@final
class _Finished:
    """What the episodes come to that are finished: the quick ones first, so it is no estimate of all."""

    def __init__(self) -> None:
        self.played, self._score, self._too_long = 0, 0.0, 0

    def add(self, trajectory: Trajectory) -> None:
        """One more."""
        self.played += 1
        self._score += trajectory.score
        self._too_long += trajectory.is_too_long

    @property
    def figures(self) -> dict[str, float | str]:
        """The mean score of the finished ones, from 0 to 100, and how many had no room for a reply."""
        if not self.played:
            return {}
        score = {"score_of_finished": f"{100 * self._score / self.played:.0f}"}
        return {**score, "openings_too_long": self._too_long} if self._too_long else {**score}


def show_loading(model: str) -> None:
    """A line that says that a model is to be loaded."""
    with StatusLine() as line:
        line.say(f"loading {model}")


@contextmanager
def show_episodes(title: str, episodes: int) -> Iterator[Callable[[Trajectory], None]]:
    """A live line of so many episodes, which are all that there is to do."""
    with StatusLine() as line:
        progress = StudyProgress(line, "")
        progress.expects(episodes)
        with progress.playing(title, episodes) as hear:
            yield hear


@final
class StudyProgress(Watch):
    """Shows a study on one line: what goes on, and how long the step and the whole will take.

    `whole` is what the whole is called; what is done of it is counted in episodes.
    """

    def __init__(self, line: StatusLine, whole: str, clock: Callable[[], float] = monotonic) -> None:
        self._line, self._whole, self._clock = line, whole, clock
        self._episodes, self._played, self._in_step = 0, 0, 0
        self._began = self._step_began = clock()
        self._share = SHARE_OF_PLAY

    def expects(self, episodes: int) -> None:
        """About so many episodes are to be played in all."""
        self._episodes, self._began = episodes, self._clock()

    def loading(self, model: str) -> None:
        """A model is to be loaded."""
        self._line.say(f"loading {model}")

    def during(self, chain: str, part: StepPart) -> None:
        """A training's step is so far."""
        is_play = part.phase == "playing"
        if is_play and part.done == 0:
            self._step_began, self._in_step = self._clock(), 0
        if is_play:
            self._played, self._in_step = self._played + part.done - self._in_step, part.done
        share = part.done / max(1, part.in_all)
        made = self._share * share if is_play else self._share + (1 - self._share) * share
        spent = self._clock() - self._step_began
        left = {"step": spent * (1 - made) / made} if made else {}
        whole = {of_what: max(seconds, *left.values()) for of_what, seconds in self._left().items()} if left else {}
        now = (of(part.step, part.steps), f"{part.phase} {of(part.done, part.in_all)}")
        self._line.say(f"train {chain}", *now, **left, **whole)

    def step(self, chain: str, row: StepMetrics, steps: int) -> None:
        """A line that stays for each training step."""
        seconds = row["seconds_play"] + row["seconds_learn"]
        self._share = row["seconds_play"] / max(1e-9, seconds)
        beside = [f"{name.replace('_', ' ')} {row[name]}" for name in OCCASIONAL if name in row]
        useful = round(row["useful_share"] * row["groups"])
        self._line.say(f"train {chain}", of(row["step"], steps), **self._left())
        self._line.note(
            "  ".join(
                [
                    f"step {of(row['step'], steps)}",
                    f"score {100 * row['score']:.0f}",
                    f"success {100 * row['success']:.0f}",
                    f"turns {row['turns']:.1f}",
                    f"useful {useful}/{row['groups']}",
                    *beside,
                    f"{figure(row['tokens_per_second'])} tokens/s",
                    f"{seconds:.1f} s",
                ]
            )
        )

    @contextmanager
    def playing(self, title: str, episodes: int) -> Iterator[Callable[[Trajectory], None]]:
        """A cell is measured."""
        finished = _Finished()
        self._line.say(title, of(0, episodes), **self._left())

        def hear(trajectory: Trajectory) -> None:
            finished.add(trajectory)
            self._played += 1
            told = figure_texts(finished.figures)
            self._line.say(title, of(finished.played, episodes), *told, **self._left())

        yield hear

    def left_out(self, title: str, why: str) -> None:
        """A line that stays: a control cannot be measured."""
        self._line.note(f"left out: {title}: {why}")

    def finished(self, finished: Finished) -> None:
        """A line that stays for a piece that failed, when it failed."""
        if finished.error:
            self._line.note(f"failed: {finished.piece.work.title}: {finished.error}")

    def news(self, text: str) -> None:
        """A line that stays."""
        self._line.note(text)

    def waiting(self, why: str) -> None:
        """Another process is at what is left."""
        self._line.say(f"waiting: {why}")

    def _left(self) -> dict[str, float]:
        """Seconds that the whole still takes, by the episodes that were played so far."""
        if self._played <= SOON * self._episodes or self._played >= self._episodes:
            return {}
        spent = self._clock() - self._began
        return {self._whole: spent / self._played * (self._episodes - self._played)}


@final
class PiecesProgress(Watch):
    """Shows a study whose pieces are done side by side: a line for each that is done, and how many are at work."""

    def __init__(self, line: StatusLine, whole: str, clock: Callable[[], float] = monotonic) -> None:
        self._line, self._whole, self._clock = line, whole, clock
        self._episodes, self._played, self._began = 0, 0, clock()

    def expects(self, episodes: int) -> None:
        """About so many episodes are to be played in all."""
        self._episodes, self._began = episodes, self._clock()

    def loading(self, model: str) -> None:
        """A model is to be loaded."""
        self._line.say(f"loading {model}")

    def finished(self, finished: Finished) -> None:
        """A line that stays for a piece that was done now, failed, or was left out."""
        title = finished.piece.work.title
        self._played += finished.episodes
        if finished.error:
            self._line.note(f"failed: {title}: {finished.error}")
        elif finished.left_out:
            self._line.note(f"left out: {title}: {finished.left_out}")
        elif finished.is_new:
            self._line.note(f"{span(finished.seconds):>7}  {finished.episodes:>6} episodes  {title}")

    def stands(self, done: int, running: int, waiting: int) -> None:
        """So many pieces are done, at work and waiting."""
        figures = [f"{running} running", f"{of(self._played, self._episodes)} episodes"]
        left = self._left() if running + waiting else {}
        self._line.say(f"{self._whole}: {of(done, done + running + waiting)} pieces", *figures, **left)

    def news(self, text: str) -> None:
        """A line that stays."""
        self._line.note(text)

    def waiting(self, why: str) -> None:
        """Another process is at what is left."""
        self._line.say(f"waiting: {why}")

    def _left(self) -> dict[str, float]:
        left = self._episodes - self._played
        if self._played <= SOON * self._episodes or left <= 0:
            return {}
        return {"": (self._clock() - self._began) / self._played * left}
