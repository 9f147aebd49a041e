"""Checkpoints that nothing goes on from are removed; a training that was made stays made, until it is needed."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from heldout.analysis.scores import Cell
from heldout.chains import parse_chain
from heldout.config import Config, Evaluate, Limits, Train
from heldout.errors import BadCall
from heldout.store.runs import StageFolder, StudyFolder
from heldout.study.perform import Watch
from heldout.study.plan import Measured, Study
from heldout.study.pruning import prune
from heldout.study.run import run
from heldout.study.status import read_status
from heldout.training.figures import StepMetrics

pytestmark = pytest.mark.very_slow

CONFIG = Config(
    limits=Limits(response_budget=400, reply_tokens=8),
    train=Train(steps=2, tasks=2, group_size=2, max_turns=2, lr=1e-3, kl=0.0, save_every=1),
    evaluate=Evaluate(samples=1, max_turns=1, tasks=2),
    processes=1,
)


@dataclass
class Counting(Watch):
    """Counts the steps of training, and keeps what is told."""

    steps: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def step(self, chain: str, row: StepMetrics, steps: int) -> None:
        """A step."""
        self.steps.append(f"{chain} {row['step']}/{steps}")

    def news(self, text: str) -> None:
        """Something to know."""
        self.told.append(text)


def asked(folder: StudyFolder, *studies: Study) -> Counting:
    watch = Counting()
    assert run(studies, folder, watch, controls=False).lines == ()
    return watch


def weights(stage: StageFolder, step: int) -> bytes:
    return (stage.checkpoint(step) / "model.safetensors").read_bytes()


def test_pruned_trainings_stay_done_and_are_made_again_where_they_are_needed(tiny: Path, tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "run")
    cells = [Cell(env="textcraft", split="test", difficulty=level) for level in ("easy", "hard")]
    study = Study(
        name="small",
        base=str(tiny),
        chains=(parse_chain("textcraft > textcraft.easy"),),
        seeds=(0,),
        measured=(Measured(cell=cells[0]),),
        config=CONFIG,
    )
    assert len(asked(folder, study).steps) == 4
    first, second = folder.stage("textcraft", 0), folder.stage("textcraft > textcraft.easy", 0)
    made = [weights(first, 2), weights(second, 2)]
    size = sum(path.stat().st_size for path in folder.root.rglob("*") if path.is_file())

    removed = prune(folder, "ends")
    assert [(each.stage, each.checkpoints, each.states) for each in removed] == [
        (first, (1,), (2,)), (second, (1,), (2,))
    ]  # fmt: skip
    now = sum(path.stat().st_size for path in folder.root.rglob("*") if path.is_file())
    assert size - now == pytest.approx(sum(each.bytes_freed for each in removed), rel=0.02)
    assert first.whole(2).is_dir(), "what is left of a checkpoint is whole"
    assert prune(folder, "ends") == []
    assert (asked(folder, study).steps, read_status(folder)[0].count("done")) == ([], 4)

    longer = replace(study, chains=(parse_chain("textcraft > textcraft.easy[train.steps=3]"),))
    watch = asked(folder, longer)
    assert watch.told == [
        "train textcraft > textcraft.easy to step 3, seed 0: its optimizer's state was pruned: it is trained from "
        "the beginning"
    ]
    assert (len(watch.steps), weights(second, 2)) == (3, made[1])

    assert [each.checkpoints for each in prune(folder, "none")] == [(2,), (1, 2, 3)]
    assert (asked(folder, study, longer).steps, first.checkpoints(), second.checkpoints()) == ([], [], [])
    assert {status.count("done") for status in read_status(folder)} == {4}

    wider = replace(study, measured=(Measured(cell=cells[0]), Measured(cell=cells[1])))
    watch = asked(folder, wider)
    assert watch.told == [
        f"train {chain} to step 2, seed 0: its checkpoint was pruned and is needed: it is trained again"
        for chain in ("textcraft > textcraft.easy", "textcraft")
    ]
    assert len(watch.steps) == 4
    assert [weights(first, 2), weights(second, 2)] == made, "bit for bit"


def test_a_run_that_keeps_none_removes_each_as_soon_as_nothing_begins_with_it(tiny: Path, tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "run")
    study = Study(
        name="small",
        base=str(tiny),
        chains=(parse_chain("textcraft > textcraft.easy"),),
        seeds=(0,),
        measured=(Measured(cell=Cell(env="textcraft", split="test", difficulty="easy")),),
        config=CONFIG,
    )
    outcome = run([study], folder, Watch(), controls=False, keep="none")
    first, second = folder.stage("textcraft", 0), folder.stage("textcraft > textcraft.easy", 0)
    assert [(each.stage, each.checkpoints, each.states) for each in outcome.removed] == [
        (first, (1, 2), ()), (second, (1,), (2,)), (second, (2,), ())
    ], "the second's end had to be measured yet"  # fmt: skip
    assert (first.checkpoints(), second.checkpoints(), read_status(folder)[0].count("done")) == ([], [], 4)
    assert asked(folder, study).steps == []


def test_what_a_piece_begins_with_that_is_not_done_is_kept(tiny: Path, tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "run")
    first = Study(
        name="first", base=str(tiny), chains=(parse_chain("textcraft"),), seeds=(0,), measured=(), config=CONFIG
    )
    asked(folder, first)
    second = replace(first, chains=(parse_chain("textcraft > textcraft.easy"),))
    run([second], folder, Watch(), controls=False, seconds=0)
    stage = folder.stage("textcraft", 0)
    assert [(each.checkpoints, each.states) for each in prune(folder, "none")] == [((1,), (2,))]
    assert stage.checkpoints() == [2]
    with pytest.raises(BadCall, match=r"nothing is pruned to keep 'all' \(choose from: ends, none\)"):
        prune(folder, "all")
