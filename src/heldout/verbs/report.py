"""`heldout report`: what the studies of a folder have found so far, from what lies there alone."""

from json import dumps
from pathlib import Path

from heldout.printable import printable_line
from heldout.reporting.study import answers_as_json, answers_text, studies_in, write_answers
from heldout.store.runs import StudyFolder


def report(*, folder: Path, as_json: bool) -> None:
    """Writes the folder's report anew, and prints each study's endpoints and the paper's tables."""
    place = StudyFolder(folder)
    found = write_answers(studies_in(place), place)
    if as_json:
        print(dumps([answers_as_json(each) for each in found], indent=2))
        return
    print("\n".join(map(answers_text, found)).rstrip())
    print(printable_line(f"with intervals of every cell, and task by task: {place.report}"))
