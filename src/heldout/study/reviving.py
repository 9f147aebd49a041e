"""Trainings whose checkpoints were pruned and are needed after all: they are made again, and that is said."""

from collections.abc import Sequence

from heldout.study.executors.board import Key, key_of, needs_of
from heldout.study.perform import is_left
from heldout.study.plan import PlannedWork
from heldout.study.pruning import revive
from heldout.study.site import Site
from heldout.study.status import begins_with
from heldout.study.work import TrainWork


def revive_what_is_needed(site: Site, graph: Sequence[PlannedWork]) -> None:
    """Has every pruned checkpoint made again that a piece which is not done begins with."""
    works = [(site.workspace(piece.study), piece.work) for piece in graph]
    stages = (place.stage(work.chain, work.seed) for place, work in works if isinstance(work, TrainWork))
    if not any(stage.pruned_path.exists() for stage in stages):
        return
    needed = set[Key]()
    for piece in reversed(graph):  # each after those that need it
        workspace, work = site.workspace(piece.study), piece.work
        stage = workspace.stage(work.chain, work.seed) if isinstance(work, TrainWork) else None
        if stage and isinstance(work, TrainWork) and key_of(piece) in needed and stage.is_pruned(work.until):
            revive(stage, work.until)
            site.watch.news(f"{work.title}: its checkpoint was pruned and is needed: it is trained again")
        if not is_left(workspace, work):
            continue
        needed.update(needs_of(piece))
        if stage and not stage.resumable():
            needed.update((piece.study.config, each) for each in begins_with(piece))
            if stage.checkpoints():
                site.watch.news(f"{work.title}: its optimizer's state was pruned: it is trained from the beginning")
