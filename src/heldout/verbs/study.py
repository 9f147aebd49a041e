"""`heldout study`: what is done with a study's folder as a whole."""

from collections.abc import Sequence
from pathlib import Path

from heldout.errors import BadCall
from heldout.printable import printable_line
from heldout.store.lease import holder, unlock
from heldout.store.runs import StudyFolder, leases_in
from heldout.study.outcome import Removed
from heldout.study.pruning import ALL, prune

MEGABYTE = 10**6


def study_prune(*, folder: Path, keep: str) -> None:
    """Removes the checkpoints of a study's folder that nothing goes on from, and says what that frees."""
    if keep == ALL:
        raise BadCall(f"--keep {ALL} removes nothing: give --keep ends or --keep none")
    print_pruned(folder, prune(StudyFolder(folder), keep))


def print_pruned(folder: Path, removed: Sequence[Removed]) -> None:
    """Says what was removed, and how much of the disk that frees."""
    for each in removed:
        if each.held:
            print(printable_line(f"left as it is: {each.held}"))
    checkpoints = sum(len(each.checkpoints) for each in removed)
    states = sum(len(each.states) for each in removed)
    freed = sum(each.bytes_freed for each in removed) / MEGABYTE
    print(
        printable_line(
            f"{folder}: {checkpoints} checkpoints removed, of {states} others the optimizer's state: "
            f"{freed:.1f} MB of the disk are free again"
        )
    )


def study_unlock(*, folder: Path) -> None:
    """Takes every lease in a study's folder away from whoever holds it, and says who that was."""
    if not folder.is_dir():
        raise BadCall(f"no study in {folder}: it is no folder")
    held = [path for path in leases_in(folder) if holder(path)]
    for path in held:
        found = unlock(path)
        if found:
            print(printable_line(f"{path.parent}: taken from {found.described}"))
    if not held:
        print(printable_line(f"{folder}: nobody holds anything"))
