"""What is ready, and what becomes of what waits."""

from dataclasses import dataclass, field, replace

import pytest

from heldout.analysis.scores import Cell
from heldout.chains import parse_chain
from heldout.config import pocket, with_overrides
from heldout.study.executors.board import Board
from heldout.study.outcome import Finished, PiecesFailed
from heldout.study.plan import Measured, PlannedWork, Study, plan, plan_together

STUDY = Study(
    name="small",
    base="pocket",
    chains=(parse_chain("textcraft > babyai"), parse_chain("webshop")),
    seeds=(0,),
    measured=(Measured(cell=Cell(env="textcraft", split="test", difficulty="easy")),),
    config=with_overrides(pocket(), ["train.steps=20"]),
)
TITLES = [
    "measure base@0 on textcraft.easy, temperature 1, seed 0",
    "train textcraft to step 20, seed 0",
    "train webshop to step 20, seed 0",
    "train textcraft > babyai to step 20, seed 0",
    "measure textcraft > babyai@20 on textcraft.easy, temperature 1, seed 0",
    "measure webshop@20 on textcraft.easy, temperature 1, seed 0",
]
BASE, TEXTCRAFT, WEBSHOP, BABYAI, AFTER_BABYAI, AFTER_WEBSHOP = plan(STUDY, controls=False)


@dataclass
class Clock:
    """A time that is set."""

    now: float = 0.0
    told: list[str] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now


def titles(pieces: list[PlannedWork]) -> list[str]:
    return [piece.work.title for piece in pieces]


def do(board: Board, piece: PlannedWork, **how: str) -> None:
    board.begin(piece)
    board.finish(Finished(piece=piece, error=how.get("error", ""), held=how.get("held", "")))


def test_the_pieces_are_those_of_the_plan() -> None:
    assert titles([*plan(STUDY, controls=False)]) == TITLES


def test_a_piece_is_ready_once_those_are_done_that_it_needs() -> None:
    board = Board(plan(STUDY, controls=False))
    assert board.ready() == [BASE, TEXTCRAFT, WEBSHOP]
    board.begin(TEXTCRAFT)
    assert (board.ready(), board.running) == ([BASE, WEBSHOP], 1)
    board.finish(Finished(piece=TEXTCRAFT))
    assert board.ready() == [BASE, WEBSHOP, BABYAI]
    for piece in (BASE, WEBSHOP, BABYAI, AFTER_BABYAI, AFTER_WEBSHOP):
        assert not board.is_over
        do(board, piece)
    assert (board.is_over, len(board.outcome.done), board.outcome.lines) == (True, 6, ())
    board.outcome.raise_if_failed()


def test_what_needs_a_failed_piece_is_skipped_and_the_rest_is_done() -> None:
    board = Board(plan(STUDY, controls=False))
    do(board, TEXTCRAFT, error="no room")
    assert board.ready() == [BASE, WEBSHOP]
    for piece in (BASE, WEBSHOP, AFTER_WEBSHOP):
        do(board, piece)
    assert board.is_over
    assert board.outcome.lines == (
        f"failed: {TITLES[1]}: no room",
        f"skipped: {TITLES[3]}: it needs: {TITLES[1]}",
        f"skipped: {TITLES[4]}: it needs: {TITLES[1]}",
    )
    with pytest.raises(PiecesFailed) as failed:
        board.outcome.raise_if_failed()
    assert str(failed.value) == f"a piece failed: {TITLES[1]}: no room; 2 that need it were skipped"


def test_a_piece_that_another_is_at_is_tried_again_after_a_while() -> None:
    clock = Clock()
    board = Board(plan(replace(STUDY, chains=()), controls=False), wait=clock.told.append, clock=clock)
    do(board, BASE, held="in use by 7")
    assert (board.ready(), board.is_over, board.seconds_to_wait, clock.told) == ([], False, 2.0, ["in use by 7"])
    clock.now = 2.0
    do(board, BASE)
    assert (board.is_over, len(board.outcome.done)) == (True, 1)


def test_after_its_time_nothing_begins_and_what_is_left_is_told() -> None:
    clock = Clock()
    board = Board(plan(STUDY, controls=False), seconds=60, clock=clock)
    board.begin(BASE)
    clock.now = 60.0
    assert (board.ready(), board.is_over) == ([], False)
    board.finish(Finished(piece=BASE))
    assert (board.is_over, len(board.outcome.left)) == (True, 5)


def test_what_two_studies_ask_by_other_settings_is_two_pieces() -> None:
    other = replace(STUDY, config=with_overrides(STUDY.config, ["evaluate.samples=4"]))
    graph = plan_together([STUDY, other], controls=False)
    board = Board(graph)
    assert len(board.ready()) == 6
    do(board, graph[1])
    assert sum(title == TITLES[3] for title in titles(board.ready())) == 1
