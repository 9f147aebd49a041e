"""Removes checkpoints that no study of a folder goes on from: a training that was made stays made.

Needed are the checkpoints that a piece which is not done yet begins with, and of a training that is not at its end
the last one. What was removed is said in `pruned.json` beside the metrics; what is asked later and needs it is told
before anything runs, and it is trained again.
"""

import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import final

from heldout.errors import BadCall, choose_from
from heldout.records import to_json
from heldout.store import schema
from heldout.store.files import partial_of
from heldout.store.folders import ACCOUNT
from heldout.store.lease import Held, hold
from heldout.store.published import OPTIMIZER
from heldout.store.runs import Pruned, StageFolder, StudyFolder
from heldout.study.outcome import Finished, Removed
from heldout.study.plan import PlannedWork
from heldout.study.status import DONE, LEFT, PieceStatus, begins_with, read_status
from heldout.study.work import TrainWork

ALL, ENDS, NONE = "all", "ends", "none"
"""What may be kept beside what is needed: each training's last checkpoint, without its optimizer; or nothing."""


@dataclass(slots=True)
class _Needed:
    """What of a training's checkpoints something still begins with."""

    asked: set[int]
    """Steps that were asked."""
    weights: set[int]
    states: set[int]
    """To go on from with the same training."""


def prune(folder: StudyFolder, keep: str) -> list[Removed]:
    """Removes what is not to be kept of each training that a study of the folder asked for."""
    if keep not in (ENDS, NONE):
        raise BadCall(f"nothing is pruned to keep {keep!r} ({choose_from(keep, (ENDS, NONE))})")
    with hold(folder.lease, purpose="prune"):  # nobody asks for more meanwhile
        needed = _needed(piece for status in read_status(folder) for piece in status.pieces)
        found = [_prune_stage(StageFolder(root), needs, keep) for root, needs in needed.items()]
    return [each for each in found if each.checkpoints or each.states or each.held]


@final
class Tidying:
    """Prunes while a study runs: as soon as no piece is left that begins with a training's checkpoint."""

    def __init__(self, folder: StudyFolder, keep: str, graph: Iterable[PlannedWork]) -> None:
        self._folder, self._keep = folder, keep
        self._left = Counter((piece.study.config, work) for piece in graph for work in begins_with(piece))
        self.removed = list[Removed]()

    def after(self, finished: Finished) -> None:
        """Looks whether it was the last that began with something."""
        if finished.error or self._keep == ALL:
            return
        begun = Counter((finished.piece.study.config, work) for work in begins_with(finished.piece))
        self._left -= begun
        if begun and not begun.keys() <= self._left.keys():
            self.prune()

    def prune(self) -> None:
        """Removes what is not to be kept by now; where somebody begins a study in the folder, later."""
        if self._keep != ALL:
            with suppress(Held):
                self.removed += prune(self._folder, self._keep)


def _needed(pieces: Iterable[PieceStatus]) -> dict[Path, _Needed]:
    """By the folders of the trainings."""
    found = defaultdict[Path, _Needed](lambda: _Needed(set(), set(), set()))
    for piece in pieces:
        if isinstance(piece.piece.work, TrainWork):
            assert piece.stage
            found[piece.stage.root].asked.add(piece.piece.work.until)
        if piece.state in (DONE, LEFT):
            continue
        for step, stage, with_state in _begun_with(piece):
            found[stage.root].weights.add(step)
            found[stage.root].states.update({step} if with_state else ())
    return dict(found)


def _begun_with(piece: PieceStatus) -> Iterator[tuple[int, StageFolder, bool]]:
    """The checkpoints that a piece begins with, and whether it needs the optimizer's state of each, to go on."""
    own = piece.stage.root if piece.stage else None
    for need, stage in piece.begins_with:
        yield need.until, stage, stage.root == own
    if piece.stage and (there := [step for step in piece.stage.resumable() if step < piece.wanted]):
        yield max(there), piece.stage, True


def _prune_stage(stage: StageFolder, needs: _Needed, keep: str) -> Removed:
    try:
        with hold(stage.lease, purpose="prune") as lease:
            there, known = stage.checkpoints(), stage.pruned
            kept = needs.weights | ({max(there)} if there and keep == ENDS else set())
            gone = [step for step in there if step not in kept]
            stateless = [
                step
                for step in there
                if step in kept
                and step not in needs.states
                and (stage.checkpoint(step) / OPTIMIZER).exists()
                and stage.was_made(max(needs.asked, default=step))
            ]
            lease.check()
            written = Pruned(
                checkpoints=tuple(sorted({*known.checkpoints, *gone})),
                states=tuple(sorted({*known.states, *stateless} - {*gone})),
            )
            if written != known:
                schema.replace(stage.pruned_path, to_json(written))
            freed = sum(_remove_folder(stage.checkpoint(step)) for step in gone)
            freed += sum(_remove_state(stage.checkpoint(step)) for step in stateless)
    except Held as held:
        return Removed(stage=stage, checkpoints=(), states=(), bytes_freed=0, held=str(held))
    return Removed(stage=stage, checkpoints=tuple(gone), states=tuple(stateless), bytes_freed=freed)


def _remove_folder(folder: Path) -> int:
    """Its bytes, when it is gone; it loses its name first, so that half of it is never taken for a checkpoint."""
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    nameless = partial_of(folder.with_name(f"{folder.name}.old"))
    folder.rename(nameless)
    shutil.rmtree(nameless)
    return size


def _remove_state(folder: Path) -> int:
    """The bytes of the optimizer's state, when it is gone; the account of the folder says so first."""
    path = folder / OPTIMIZER
    size = path.stat().st_size
    account = schema.read(folder / ACCOUNT)
    account["files"].pop(OPTIMIZER, None)
    schema.replace(folder / ACCOUNT, account)
    with suppress(FileNotFoundError):
        path.unlink()
    return size


def revive(stage: StageFolder, step: int) -> None:
    """A step whose checkpoint was removed is to be made again, and so is what was removed after it."""
    known = stage.pruned
    kept = tuple(each for each in known.checkpoints if each < step)
    schema.replace(stage.pruned_path, to_json(replace(known, checkpoints=kept)))
