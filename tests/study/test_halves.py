"""Easy and hard as work of a study: measured by a reference before all else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from heldout.agents import Backends
from heldout.analysis.scores import Cell
from heldout.config import Config, Evaluate, Limits, with_overrides
from heldout.envs.registry import open_suite
from heldout.errors import BadCall
from heldout.records import Trajectory
from heldout.store.difficulty import read
from heldout.store.runs import StudyFolder
from heldout.study.halves import halve, with_halves
from heldout.study.perform import Watch
from heldout.study.plan import Measured, Study, plan
from heldout.study.results import rows_of
from heldout.study.run import run
from heldout.study.work import DifficultyWork

WORK = DifficultyWork(model="random-legal", envs=("textcraft",), samples=2, tasks=6)
CELL = Cell(env="textcraft", split="test", difficulty="easy")
CONFIG = Config(
    limits=Limits(response_budget=400, reply_tokens=8), evaluate=Evaluate(samples=1, max_turns=1), processes=1
)


def study(base: str) -> Study:
    measured = (Measured(cell=CELL, controls=False),)
    return Study(name="s", base=base, chains=(), seeds=(0,), measured=measured, config=CONFIG, halves=WORK)


@contextmanager
def told(titles: list[str], title: str, episodes: int) -> Iterator[Callable[[Trajectory], None]]:
    titles.append(f"{title}, {episodes}")
    yield lambda _: None


def halved(folder: StudyFolder, work: DifficultyWork = WORK) -> list[str]:
    titles = list[str]()
    with Backends() as backends:
        config = with_overrides(CONFIG, ["evaluate.max_turns=20"])
        halve(folder, config, work, backends, lambda *playing: told(titles, *playing))
    return titles


def test_a_reference_halves_the_tasks_and_the_study_has_them_so(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    assert halved(folder) == ["tell easy from hard by random-legal, avg@2: textcraft, 24"]
    found = read(str(folder.halves))
    assert (found.model, [each.env for each in found.envs]) == ("random-legal", ["textcraft"])
    suite = open_suite("textcraft", with_halves(study("pocket"), folder).config.source)
    assert [len(suite.tasks(split)) for split in ("train", "test")] == [6, 6]
    assert suite.difficulty_source == found.digest
    before = folder.halves.read_bytes()
    assert halved(folder) == []
    assert folder.halves.read_bytes() == before


def test_halves_by_another_reference_or_of_other_tasks_are_refused(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    halved(folder)
    for other in (
        replace(WORK, model="oracle"),
        replace(WORK, tasks=5),
        replace(WORK, samples=3),
        replace(WORK, envs=("babyai",)),
    ):
        with pytest.raises(BadCall, match="tells easy from hard otherwise: by random-legal in textcraft, and tell"):
            halved(folder, other)


def test_it_is_the_first_piece_and_one_for_all_seeds() -> None:
    works = [piece.work for piece in plan(replace(study("pocket"), seeds=(0, 1)))]
    assert works[0] == WORK
    assert works.count(WORK) == 1
    assert study("pocket").digest != replace(study("pocket"), halves=None).digest


@pytest.mark.slow
def test_a_study_tells_easy_from_hard_before_it_measures(tiny: Path, tmp_path: Path) -> None:
    asked, folder = study(str(tiny)), StudyFolder(tmp_path / "study")
    run([asked], folder, Watch(), controls=False).raise_if_failed()
    found = read(str(folder.halves))
    easy = {each.task for env in found.envs for each in env.of_split("test") if each.difficulty == "easy"}
    rows = rows_of(asked, folder, (), 0, 1.0)
    assert {row.task for row in rows} == easy != set()
    assert {row.difficulty_source for row in rows} == {found.digest}
    assert all(each.episodes == 0 for each in run([asked], folder, Watch(), controls=False).done)
