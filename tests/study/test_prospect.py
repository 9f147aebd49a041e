"""What a study comes to before it runs."""

from dataclasses import replace
from pathlib import Path

import pytest

from heldout.analysis.scores import Cell
from heldout.chains import chain_name, parse_chain
from heldout.config import pocket, with_overrides
from heldout.store.pieces import PieceRecord
from heldout.store.runs import StudyFolder
from heldout.study.plan import Measured, Study
from heldout.study.prospect import line_of, prospect

CELL = Cell(env="textcraft", split="test", difficulty="easy")


def study(*chains: str, base: str = "pocket", seeds: tuple[int, ...] = (0, 1)) -> Study:
    return Study(
        name="small",
        base=base,
        chains=tuple(map(parse_chain, chains)),
        seeds=seeds,
        measured=(Measured(cell=CELL, tasks=10),),
        config=with_overrides(pocket(), ["evaluate.samples=4", "train.steps=20"]),
    )


def record(kind: str, episodes: int, seconds: float, device: str = "cpu") -> PieceRecord:
    return PieceRecord(
        kind=kind, title=kind, envs=("textcraft",), episodes=episodes, steps=0, tokens=0, seconds=seconds, began=0,
        ended=seconds, host="here", process=1, processes=2, device=device, peak_bytes=0,
    )  # fmt: skip


def test_each_shared_beginning_is_one_training_and_its_episodes_are_counted_once(tmp_path: Path) -> None:
    asked = study("textcraft[train.steps=10]", "textcraft", "textcraft > babyai", "textcraft > babyai > webshop")
    found = prospect([asked], StudyFolder(tmp_path), controls=False)
    assert [(line_of(each), each.looks, each.episodes, each.seeds) for each in found.trainings] == [
        ("textcraft", (10, 20), 1920, 2),
        ("  > babyai", (20,), 1920, 2),
        ("    > webshop", (20,), 1920, 2),
    ]
    assert (found.by_kind["train"].pieces, found.by_kind["train"].episodes) == (8, 2 * 3 * 1920)
    assert (found.by_kind["measure"].pieces, found.by_kind["measure"].episodes) == (2 * 5, 2 * 5 * 40)
    assert found.checkpoints == 2 * 3 * 2
    assert not list(tmp_path.iterdir())


def test_time_is_told_by_what_pieces_took_here(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    folder.pieces.extend([record("train", 960, 96.0), record("measure", 40, 8.0)])
    found = prospect([study("textcraft", seeds=(0,))], folder, controls=False)
    assert found.by_kind["train"].seconds == pytest.approx(192)
    assert found.by_kind["measure"].seconds == pytest.approx(2 * 40 * 0.2)
    assert (found.whole.gpu_seconds, found.rates) == (0, "2 pieces that were done here")


def test_hours_of_gpus_are_counted_by_the_processes_that_held_one(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    folder.pieces.extend([record("train", 960, 96.0, "cuda"), record("measure", 40, 8.0)])
    found = prospect([study("textcraft", seeds=(0,))], folder, controls=False)
    assert found.whole.gpu_seconds == pytest.approx(2 * 192)


def test_a_model_at_hugging_face_is_planned_without_being_looked_up(tmp_path: Path) -> None:
    """There is no such model: looking for it would fail."""
    found = prospect([study("textcraft", base="nobody/Nothing-3B")], StudyFolder(tmp_path), controls=True)
    assert (found.whole.done, found.whole.seconds, found.rates) == (0, None, "")
    assert found.sizes is not None
    assert found.sizes.parameters == 3e9


def test_several_studies_of_a_folder_are_planned_as_one(tmp_path: Path) -> None:
    one, two = study("textcraft", "textcraft > babyai"), replace(study("textcraft > babyai"), name="two")
    found = prospect([one, two], StudyFolder(tmp_path), controls=False)
    assert [chain_name(each.chain) for each in found.trainings] == ["textcraft", "textcraft > babyai"]
    assert found.whole.episodes == 2 * (2 * 1920 + 3 * 40)
