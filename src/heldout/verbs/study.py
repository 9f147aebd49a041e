"""`heldout study`: what is done with a study's folder as a whole."""

from pathlib import Path

from heldout.errors import BadCall
from heldout.printable import printable_line
from heldout.store.lease import holder, unlock
from heldout.store.runs import leases_in


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
