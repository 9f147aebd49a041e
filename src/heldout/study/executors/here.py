"""Does a study's pieces in this process, one after another."""

from time import sleep

from heldout.study.executors.board import Board
from heldout.study.site import Site


def walk(board: Board, site: Site) -> None:
    """Does each piece in turn; one that another process is at is tried again later."""
    while not board.is_over:
        ready = board.ready()
        if not ready:
            sleep(board.seconds_to_wait)
            continue
        board.begin(ready[0])
        board.finish(site.do(ready[0]))
