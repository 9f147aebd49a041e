"""Work is data: every kind of it can be sent to another process, and a plan is a graph of it."""

import pickle
from dataclasses import replace

from heldout.analysis.scores import Cell
from heldout.chains import parse_chain
from heldout.config import pocket
from heldout.study.plan import Measured, PlannedWork, Study, plan
from heldout.study.pocket_studies import demo
from heldout.study.work import MatchWork, MeasureWork, TrainWork, Work

CELL = Cell(env="textcraft", split="test", difficulty="easy")


def small(*chains: str, seeds: tuple[int, ...] = (0,)) -> Study:
    return Study(
        name="small",
        base="pocket",
        chains=tuple(map(parse_chain, chains)),
        seeds=seeds,
        measured=(Measured(cell=CELL),),
        config=pocket(),
    )


def trainings(graph: tuple[PlannedWork, ...]) -> list[str]:
    return [piece.work.title for piece in graph if isinstance(piece.work, TrainWork)]


def test_every_kind_of_work_can_be_pickled() -> None:
    graph = plan(demo(pocket()))
    assert {type(piece.work) for piece in graph} == {TrainWork, MatchWork, MeasureWork}
    assert pickle.loads(pickle.dumps(graph)) == graph
    assert len({piece.work for piece in graph}) == len(graph)


def test_a_piece_comes_after_those_that_it_needs() -> None:
    for study in (demo(pocket()), small("textcraft > babyai", "textcraft", "babyai > webshop", seeds=(0, 1))):
        done = set[Work]()
        for piece in plan(study):
            assert done.issuperset(piece.needs), piece.work.title
            done.add(piece.work)


def test_what_two_chains_share_is_one_piece() -> None:
    graph = plan(small("textcraft > babyai", "textcraft > webshop", "textcraft"))
    assert trainings(graph) == [
        "train textcraft to step 20, seed 0",
        "train textcraft > babyai to step 20, seed 0",
        "train textcraft > webshop to step 20, seed 0",
    ]


def test_a_longer_stage_goes_on_from_the_shorter_one() -> None:
    graph = plan(small("textcraft[train.steps=40]", "textcraft", "textcraft[train.steps=30] > babyai"))
    assert trainings(graph) == [
        "train textcraft to step 20, seed 0",
        "train textcraft to step 30, seed 0",
        "train textcraft to step 40, seed 0",
        "train textcraft[train.steps=30] > babyai to step 20, seed 0",
    ]
    needs = {piece.work.title: [each.title for each in piece.needs] for piece in graph}
    assert needs["train textcraft to step 40, seed 0"] == ["train textcraft to step 30, seed 0"]
    assert needs["train textcraft[train.steps=30] > babyai to step 20, seed 0"] == [
        "train textcraft to step 30, seed 0"
    ]


def test_the_controls_are_the_base_greedy_once_a_task_and_at_the_matched_temperature() -> None:
    graph = plan(small("textcraft"))
    measured = [piece.work for piece in graph if isinstance(piece.work, MeasureWork)]
    assert [(bool(work.chain), work.samples, work.temperature) for work in measured] == [
        (False, 8, 1.0),
        (True, 8, 1.0),
        (False, 1, 0.0),
        (False, 8, None),
    ]
    assert measured[-1].matched == MatchWork(chain=parse_chain("textcraft"), step=20, seed=0)
    without = plan(replace(small("textcraft")), controls=False)
    assert len(without) == len(graph) - 3
