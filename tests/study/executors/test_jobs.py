"""Pieces in several processes: the same rows and weights as in one, and none is left when it is over."""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import active_children
from pathlib import Path

import pytest

from heldout.store.runs import StudyFolder
from heldout.study.executors import jobs
from heldout.study.outcome import Finished
from heldout.study.perform import Watch
from heldout.study.plan import Study
from heldout.study.run import run

pytestmark = pytest.mark.very_slow

Made = Callable[[Path], dict[str, object]]


@dataclass
class Interrupting(Watch):
    """Stops the run when the first piece is done, or kills a process that does one."""

    how: signal.Signals
    told: list[Finished] = field(default_factory=list)
    at: float = 0.0
    """When it did so."""

    def finished(self, finished: Finished) -> None:
        """A piece."""
        self.told.append(finished)
        if len(self.told) > 1:
            return
        self.at = time.monotonic()
        if self.how is signal.SIGINT:
            raise KeyboardInterrupt
        for each in active_children():
            each.kill()


def test_two_processes_make_the_rows_and_weights_of_one(small: Study, made: Made, tmp_path: Path) -> None:
    one, two = StudyFolder(tmp_path / "one"), StudyFolder(tmp_path / "two")
    run([small], one, Watch(), controls=False)
    outcome = run([small], two, Watch(), controls=False, executor=partial(jobs.walk, jobs=2))
    assert (len(outcome.done), outcome.lines) == (8, ())
    assert made(two.root) == made(one.root)
    assert sorted(each.title for each in two.pieces) == sorted(each.title for each in one.pieces)
    assert active_children() == []


def test_a_stop_ends_all_processes_and_running_again_makes_the_rest(
    small: Study, made: Made, tmp_path: Path
) -> None:
    one, two = StudyFolder(tmp_path / "one"), StudyFolder(tmp_path / "two")
    run([small], one, Watch(), controls=False)
    stop = Interrupting(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        run([small], two, stop, controls=False, executor=partial(jobs.walk, jobs=2))
    assert active_children() == []
    assert time.monotonic() - stop.at < 30
    outcome = run([small], two, Watch(), controls=False, executor=partial(jobs.walk, jobs=2))
    assert outcome.lines == ()
    assert made(two.root) == made(one.root)


def test_a_process_that_dies_fails_its_piece_and_no_other(small: Study, tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "two")
    outcome = run(
        [small], folder, Interrupting(signal.SIGKILL), controls=False, executor=partial(jobs.walk, jobs=2)
    )
    assert {each.error for each in outcome.failed} == {"the process that did it died (exit code -9)"}
    assert len(outcome.done) + len(outcome.failed) + len(outcome.skipped) == 8
    assert run([small], folder, Watch(), controls=False).lines == ()
    assert not list((folder.root / "failures").iterdir())
