"""Work is data: every kind of it can be sent to another process, and a plan is a graph of it."""

import pickle
from dataclasses import replace

from heldout.analysis.scores import Cell
from heldout.chains import parse_chain
from heldout.config import pocket, with_overrides
from heldout.study.plan import Measured, PlannedWork, Study, plan
from heldout.study.recipes.demo import demo
from heldout.study.work import MatchWork, MeasureWork, TrainWork, TuneWork, Work

CELL = Cell(env="textcraft", split="test", difficulty="easy")


def small(*chains: str, seeds: tuple[int, ...] = (0,)) -> Study:
    return Study(
        name="small",
        base="pocket",
        chains=tuple(map(parse_chain, chains)),
        seeds=seeds,
        measured=(Measured(cell=CELL),),
        config=with_overrides(pocket(), ["train.steps=20"]),
    )


def trainings(graph: tuple[PlannedWork, ...]) -> list[str]:
    return [piece.work.title for piece in graph if isinstance(piece.work, TrainWork)]


def test_every_kind_of_work_can_be_pickled() -> None:
    graph = (*plan(demo(pocket())), *plan(small("textcraft", seeds=(3,))))
    assert {type(piece.work) for piece in graph} == {TrainWork, MatchWork, TuneWork, MeasureWork}
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


def test_the_controls_are_the_base_decoded_otherwise_and_players() -> None:
    graph = plan(small("textcraft"))
    measured = [piece.work for piece in graph if isinstance(piece.work, MeasureWork)]
    assert [(work.player or bool(work.chain), work.samples, work.temperature) for work in measured] == [
        (False, 8, 1.0),
        (True, 8, 1.0),
        (False, 8, None),
        (False, 1, 0.0),
        (False, 8, None),
        ("random", 8, 1.0),
        ("random-legal", 8, 1.0),
        ("oracle", 8, 1.0),
    ]
    match, tune = MatchWork(chain=parse_chain("textcraft"), step=20, seed=0), TuneWork(cell=CELL, seed=0)
    assert [work.found_by for work in measured if work.temperature is None] == [match, tune]
    assert [work.title.split(", ")[1] for work in measured[2:5]] == [
        "matched temperature",
        "temperature 0",
        "best temperature",
    ]
    without = plan(replace(small("textcraft")), controls=False)
    assert len(without) == len(graph) - 8


def test_one_best_temperature_serves_all_seeds_and_every_cell_has_players() -> None:
    uncontrolled = Measured(cell=replace(CELL, difficulty="hard"), controls=False)
    study = replace(small("textcraft", seeds=(4, 5)), measured=(Measured(cell=CELL), uncontrolled))
    works = [piece.work for piece in plan(study)]
    assert [work for work in works if isinstance(work, TuneWork)] == [TuneWork(cell=CELL, seed=4)]
    players = [work for work in works if isinstance(work, MeasureWork) and work.player]
    assert len(players) == 2 * 2 * 3
    assert {work.cell.difficulty for work in works if isinstance(work, MeasureWork) and work.found_by} == {"easy"}
