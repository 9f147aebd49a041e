"""`heldout study status`: how far a study's folder is, from any terminal or machine that sees it."""

import time
from json import dumps
from pathlib import Path

from heldout.printable import printable_line
from heldout.progress import span
from heldout.records import Json
from heldout.reporting.tables import Table, align
from heldout.store.runs import StudyFolder
from heldout.study.kinds import kind_of
from heldout.study.status import DONE, STATES, WAITING, PieceStatus, StudyStatus, read_status

HEADER = ("STATE", "PIECE", "FAR", "WHO, WHY")


def study_status(*, folder: Path, as_json: bool) -> None:
    """Prints of each study that the folder was asked what is done, running, failed and left."""
    found = read_status(StudyFolder(folder))
    if as_json:
        print(dumps([_study_as_json(each) for each in found], indent=2))
        return
    for status in found:
        print(printable_line(_headline(status)))
        told = [each for each in status.pieces if each.state not in (DONE, WAITING)]
        if told:
            told.sort(key=lambda each: STATES.index(each.state))
            print(align(Table(HEADER, [_row(each) for each in told])))


def _headline(status: StudyStatus) -> str:
    """Such as `demo of pocket: 12 of 18 pieces done, 1 running, 5 not begun; about 3:10 left`."""
    counts = [(state, status.count(state)) for state in STATES if state != DONE]
    told = [f"{count} {state}" for state, count in counts if count]
    done = f"{status.count(DONE)} of {len(status.pieces)} pieces done"
    left = ""
    if told and status.seconds_left:
        left = f"; about {span(status.seconds_left)} left"
    elif told and status.seconds_left is None:
        left = "; how long it takes is not known yet"
    return f"{status.study.name} of {status.study.base}: {', '.join([done, *told])}{left}"


def _row(piece: PieceStatus) -> list[str]:
    since = f"{piece.where}, since {time.strftime('%H:%M:%S', time.localtime(piece.since))}" if piece.where else ""
    why = f"{piece.error} ({piece.log})" if piece.log else piece.error
    return [piece.state, piece.piece.work.title, f"{piece.made}/{piece.wanted} {piece.unit}", since or why]


def _study_as_json(status: StudyStatus) -> dict[str, Json]:
    return {
        "study": status.study.name,
        "digest": status.study.digest,
        "base": status.study.base,
        "seconds_left": status.seconds_left,
        "counts": {state: status.count(state) for state in STATES},
        "pieces": [_piece_as_json(each) for each in status.pieces],
    }


def _piece_as_json(piece: PieceStatus) -> dict[str, Json]:
    return {
        "title": piece.piece.work.title,
        "kind": kind_of(piece.piece.work),
        "state": piece.state,
        "made": piece.made,
        "wanted": piece.wanted,
        "unit": piece.unit,
        "episodes_left": piece.episodes_left,
        "where": piece.where or None,
        "since": piece.since or None,
        "error": piece.error or None,
        "log": str(piece.log) if piece.log else None,
    }
