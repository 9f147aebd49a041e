"""How far a study is, read from its files alone."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from heldout.analysis.scores import Cell
from heldout.chains import parse_chain
from heldout.cli import main
from heldout.config import pocket, with_overrides
from heldout.records import to_json
from heldout.store.lease import hold
from heldout.store.pieces import PieceRecord
from heldout.store.runs import StudyFolder
from heldout.study.facts import CellFacts
from heldout.study.plan import Measured, Study
from heldout.study.results import Base, Manifest, ManifestEntry, write_manifest
from heldout.study.status import read_status
from heldout.testing import make_row

CELL = Cell(env="doors", split="test", difficulty="easy")
STUDY = Study(
    name="small",
    base="tiny",
    chains=(parse_chain("doors"),),
    seeds=(0,),
    measured=(Measured(cell=CELL),),
    config=with_overrides(pocket(), ["train.steps=4", "train.tasks=3", "train.group_size=2", "evaluate.samples=2"]),
)
FACTS = CellFacts(
    tasks=("a", "b"),
    data="d",
    rules="fixed",
    rules_version=1,
    prompt="p",
    variant="",
    difficulty_source="oracle_turns",
)
BASE, TRAIN, AFTER = (
    "measure base@0 on doors.easy, temperature 1, seed 0",
    "train doors to step 4, seed 0",
    "measure doors@4 on doors.easy, temperature 1, seed 0",
)


@pytest.fixture
def folder(tmp_path: Path) -> StudyFolder:
    """A folder that was asked a study without its controls, and has nothing yet."""
    folder = StudyFolder(tmp_path / "run")
    entry = ManifestEntry(
        study=to_json(STUDY),
        chain="base",
        step=0,
        cells={CELL.name: to_json(FACTS)},
        models={"base, seed 0": "m0", "doors, seed 0": "m4"},
        controls=False,
    )
    write_manifest(folder, Manifest(base=Base(name="tiny", digest="m0"), entries={STUDY.digest: to_json(entry)}))
    return folder


def far(folder: StudyFolder) -> dict[str, tuple[str, int, int]]:
    [status] = read_status(folder)
    return {each.piece.work.title: (each.state, each.made, each.wanted) for each in status.pieces}


def play(folder: StudyFolder, **changes: object) -> None:
    limits = STUDY.config.limits
    row = make_row(model="m0", response_budget=limits.response_budget, reply_tokens=limits.reply_tokens)
    folder.evaluation("base", 0, 0).rows("doors").add(replace(row, **changes))  # type: ignore[arg-type]


def test_a_piece_is_not_begun_begun_running_failed_left_out_or_done(folder: StudyFolder) -> None:
    assert far(folder) == {
        BASE: ("not begun", 0, 4), TRAIN: ("not begun", 0, 4), AFTER: ("not begun", 0, 4)
    }  # fmt: skip
    play(folder, task="a")
    play(folder, task="a", attempt=1, ending="error")
    play(folder, task="a", attempt=2)
    play(folder, task="b", model="m4")
    assert far(folder)[BASE] == ("begun", 1, 4)
    stage = folder.stage("doors", 0)
    for step in (1, 2, 3):
        stage.metrics.add({"step": step})
    stage.checkpoint(2).mkdir(parents=True)
    assert far(folder)[TRAIN] == ("begun", 2, 4), "the third step is played again"
    with hold(stage.lease, purpose=TRAIN):
        assert far(folder)[TRAIN] == ("running", 3, 4)
        [status] = read_status(folder)
        assert status.pieces[1].where.startswith("process ")
    folder.failure(TRAIN).parent.mkdir()
    folder.failure(TRAIN).write_text("no room\nand more\n")
    folder.failure(BASE).write_text("left out: it cannot\n")
    [status] = read_status(folder)
    assert [(each.state, each.error) for each in status.pieces] == [
        ("left out", "it cannot"), ("failed", "no room"), ("not begun", "")
    ]  # fmt: skip
    stage.metrics.add({"step": 4})
    stage.checkpoint(4).mkdir()
    assert far(folder)[TRAIN] == ("done", 4, 4)


def test_what_is_left_takes_as_long_as_such_pieces_took_here(folder: StudyFolder) -> None:
    [status] = read_status(folder)
    assert status.seconds_left is None
    record = PieceRecord(
        kind="train", title="", envs=("doors",), episodes=6, steps=1, tokens=1, seconds=12.0, began=0.0, ended=12.0,
        host="h", process=1, processes=1, device="cpu", peak_bytes=1,
    )  # fmt: skip
    folder.pieces.add(record)
    folder.pieces.add(replace(record, kind="measure", envs=("other",), episodes=10, seconds=5.0))
    [status] = read_status(folder)
    assert status.seconds_left == pytest.approx(4 * 6 * 2.0 + 8 * 0.5)


def test_it_is_told_without_loading_a_model_or_an_environment(folder: StudyFolder) -> None:
    program = (
        "import sys; from heldout.cli import main; main(sys.argv[1:]);"
        " assert not {'torch', 'transformers', 'minigrid'} & set(sys.modules)"
    )
    words = [sys.executable, "-c", program, "study", "status", str(folder.root)]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert said == "small of tiny: 0 of 3 pieces done, 3 not begun; how long it takes is not known yet\n"


def test_the_verb_prints_a_table_and_json(folder: StudyFolder, capsys: pytest.CaptureFixture[str]) -> None:
    with hold(folder.stage("doors", 0).lease, purpose=TRAIN):
        assert main(["study", "status", str(folder.root)]) == 0
        head, words, _, row, *_ = capsys.readouterr().out.splitlines()
        assert main(["study", "status", str(folder.root), "--json"]) == 0
    assert head.startswith("small of tiny: 0 of 3 pieces done, 1 running, 2 not begun")
    assert words.split() == ["STATE", "PIECE", "FAR", "WHO,", "WHY"]
    assert row.startswith("running")
    [study] = json.loads(capsys.readouterr().out)
    assert study["counts"] == {"running": 1, "failed": 0, "begun": 0, "not begun": 2, "left out": 0, "done": 0}
    assert [piece["kind"] for piece in study["pieces"]] == ["measure", "train", "measure"]


def test_a_folder_that_was_asked_nothing_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "status", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"heldout: {tmp_path} was asked no study: nothing is to be told of it\n"
