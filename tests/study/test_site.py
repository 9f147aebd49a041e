"""A piece that fails is told in a log, and the next one has processes of its own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing import active_children
from pathlib import Path

import pytest

from heldout.analysis.scores import Cell
from heldout.config import Config, Evaluate, Limits
from heldout.errors import BadCall
from heldout.records import Trajectory
from heldout.store.files import read_json
from heldout.store.runs import StudyFolder
from heldout.study.outcome import Finished
from heldout.study.perform import Watch
from heldout.study.plan import Measured, Study
from heldout.study.run import run

pytestmark = pytest.mark.slow

CELLS = [Cell(env=env, split="test", difficulty="easy") for env in ("babyai", "textcraft")]


@pytest.fixture(scope="module")
def small(tiny: Path) -> Study:
    """The base in two cells."""
    return Study(
        name="small",
        base=str(tiny),
        chains=(),
        seeds=(0,),
        measured=tuple(Measured(cell=cell) for cell in CELLS),
        config=Config(
            limits=Limits(response_budget=400, reply_tokens=8),
            evaluate=Evaluate(samples=2, max_turns=1, tasks=2),
            processes=1,
        ),
    )


@dataclass
class Deadly(Watch):
    """Kills the processes that play as soon as something is played, once."""

    killed: int = 0
    told: list[Finished] = field(default_factory=list)

    @contextmanager
    def playing(self, title: str, episodes: int) -> Iterator[Callable[[Trajectory], None]]:
        """The first."""
        del title, episodes
        for each in active_children() if not self.killed else []:
            self.killed += 1
            each.kill()
            each.join()
        yield lambda _: None

    def finished(self, finished: Finished) -> None:
        """How it went."""
        self.told.append(finished)


def test_a_model_s_processes_that_die_fail_one_piece_and_are_told_in_its_log(small: Study, tmp_path: Path) -> None:
    folder, watch = StudyFolder(tmp_path / "run"), Deadly()
    outcome = run([small], folder, watch, controls=False)
    [dead], [done] = outcome.failed, outcome.done
    assert (watch.killed, [each.piece for each in watch.told]) == (1, [dead.piece, done.piece])
    title = "measure base@0 on babyai.easy, temperature 1, seed 0"
    assert (dead.piece.work.title, done.episodes) == (title, 4)
    assert dead.error.startswith("worker process heldout-worker-0 died (exit code -9)")
    assert dead.log == folder.failure(title)
    assert dead.log.read_text().splitlines()[:2] == [dead.error, title]
    assert "Traceback (most recent call last)" in dead.log.read_text()
    again = run([small], folder, Watch(), controls=False)
    assert (again.lines, dead.log.exists()) == ((), False)
    records = list(folder.pieces)
    assert [(each.kind, each.envs, each.episodes, each.steps) for each in records] == [
        ("measure", ("textcraft",), 4, 0),
        ("measure", ("babyai",), 4, 0),
    ]
    assert all(each.tokens > 0 and each.peak_bytes > 2**26 for each in records)
    assert run([small], folder, Watch(), controls=False).lines == ()
    assert len(folder.pieces) == 2, "a look is no work"


def test_several_studies_of_a_folder_are_asked_together_and_have_one_base(small: Study, tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "run")
    one = replace(small, measured=small.measured[:1])
    other = replace(small, name="other", measured=small.measured[1:])
    assert len(run([one, other], folder, Watch(), controls=False).done) == 2
    entries = read_json(folder.study)["entries"]
    assert set(entries) == {one.digest, other.digest}
    assert [entry["controls"] for entry in entries.values()] == [False, False]
    with pytest.raises(BadCall, match=r"start from one base, not from tiny \(.*\) and pocket \("):
        run([one, replace(other, base="pocket")], folder, Watch())
    run([one], folder, Watch(), controls=True, seconds=0)
    assert "controls" not in read_json(folder.study)["entries"][one.digest], "asked with its controls by now"
