"""Runs studies of one folder: what they ask for and it does not have is trained and measured.

Running again is resuming. A folder is a union: another seed, chain, cell, or more samples or steps add to it, and
what decides a row or a training tells what is missing. What cannot be in one folder is refused by its name. A piece
that fails does not stop those that can do without it.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from heldout.agents import Backends, suites_of
from heldout.chains import Chain, chain_name
from heldout.config import under_variant
from heldout.errors import BadCall
from heldout.records import to_json
from heldout.store.folders import sweep
from heldout.store.lineage import Training
from heldout.store.provenance import provenance
from heldout.store.runs import StudyFolder
from heldout.study.executors import here
from heldout.study.executors.board import Board
from heldout.study.outcome import Outcome
from heldout.study.perform import (
    Watch,
    Workspace,
    episodes_left,
    facts_of,
)
from heldout.study.plan import PlannedWork, Study, plan_together
from heldout.study.pruning import ALL, Tidying
from heldout.study.results import Base, Manifest, ManifestEntry, model_key, read_manifest, write_manifest
from heldout.study.reviving import revive_what_is_needed
from heldout.study.site import Site, hold_for_a_moment, recording
from heldout.study.work import DifficultyWork, TrainWork, Work
from heldout.training.identity import apart
from heldout.training.stage import refuse_another, refuse_untrainable

Executor = Callable[[Board, Site], None]
"""Who does what a board says is ready, here or elsewhere, until it is over."""


def run(
    studies: Sequence[Study],
    folder: StudyFolder,
    watch: Watch,
    controls: bool = True,
    executor: Executor = here.walk,
    *,
    seconds: float | None = None,
    keep: str = ALL,
) -> Outcome:
    """Everything that the studies ask for and the folder does not have yet; after so many seconds nothing begins.

    They have one base. What cannot be as a whole is refused before anything is done; a piece that fails is told in
    what comes back. `keep` says which checkpoints are kept that nothing goes on from.
    """
    begun, graph = time.monotonic(), plan_together(studies, controls)
    with Backends() as backends:
        site = Site(folder, watch, backends)
        first = [piece for piece in graph if isinstance(piece.work, DifficultyWork)]
        if any(not folder.halves.exists() for _ in first):
            board = Board(first, seconds=seconds, tell=(watch.finished,), stand=watch.stands, wait=watch.waiting)
            executor(board, site)
            if not folder.halves.exists():  # it failed, or the time was over: no task is known
                return board.outcome
        claim(site, studies, graph, controls=controls)
        watch.expects(sum(episodes_left(site.workspace(piece.study), piece.work) for piece in graph))
        left = None if seconds is None else seconds - (time.monotonic() - begun)
        tidying = Tidying(folder, keep, graph)
        board = Board(
            graph, seconds=left, tell=(watch.finished, tidying.after), stand=watch.stands, wait=watch.waiting
        )
        executor(board, site)
        if backends.used or any(each.is_new for each in board.outcome.done):
            session = {"study": studies[0].digest, "seconds": time.monotonic() - begun, **provenance()}
            with recording(folder):
                folder.sessions.add([session])
    tidying.prune()
    return replace(board.outcome, removed=tuple(tidying.removed))


def claim(site: Site, studies: Sequence[Study], graph: Sequence[PlannedWork], *, controls: bool) -> None:
    """Says in the folder what the studies ask of it; one with another base, or other trainings, is refused.

    So is a base that cannot be loaded, without a folder that is left behind.
    """
    folder, workspaces = site.folder, [site.workspace(study) for study in studies]
    _refuse_two_bases(workspaces)
    entries = {each.study.digest: entry_of(each, controls) for each in workspaces}
    _load_before_claim(site, studies[0])
    base = Base(name=workspaces[0].agent.base, digest=workspaces[0].agent.digest)
    with hold_for_a_moment(folder.lease, purpose=f"begin {studies[0].name}"):
        sweep(folder.root)
        manifest = read_manifest(folder) or Manifest(base=base)
        _refuse_another_base(folder, manifest.base, base)
        _refuse_other_trainings((site.workspace(piece.study), piece.work) for piece in graph)
        known = dict(manifest.entries)
        new = {digest: entry for digest, entry in entries.items() if _is_news(known.get(digest), entry)}
        if new:
            written = {digest: to_json(entry) for digest, entry in new.items()}
            write_manifest(folder, Manifest(base=manifest.base, entries={**known, **written}))
        revive_what_is_needed(site, graph)


def _is_news(known: object, entry: ManifestEntry) -> bool:
    """Whether it is asked for the first time, with controls now, or by other tasks, data or rules than before."""
    if not isinstance(known, dict):
        return True
    return known["cells"] != entry.cells or (entry.controls and not known.get("controls", True))


def _load_before_claim(site: Site, study: Study) -> None:
    """Loads the base of a study that has no folder yet: one that cannot be loaded leaves none behind."""
    with hold_for_a_moment(
        site.folder.lease, purpose=f"begin {study.name}"
    ):  # somebody else's folder is told at once
        is_new = read_manifest(site.folder) is None
    if is_new:
        site.watch.loading(study.base)
        config = study.chains[0][0].apply_to(study.config) if study.chains else study.config
        site.backends.open(config, study.base)


def entry_of(workspace: Workspace, controls: bool) -> ManifestEntry:
    """What the study asks of its folder; environments and settings that cannot be are refused."""
    study, agent = workspace.study, workspace.agent
    return ManifestEntry(
        study=to_json(study),
        chain=chain_name(agent.chain),
        step=agent.step,
        cells=_cell_facts(study),
        models={
            model_key(chain, seed): _model(workspace, chain, seed)
            for chain in ((), *study.chains)
            for seed in study.seeds
        },
        made_with=provenance(),
        controls=controls,
    )


def _refuse_other_trainings(planned: Iterable[tuple[Workspace, Work]]) -> None:
    """Refuses, before anything is done, what cannot train, and two trainings of one name, there or asked."""
    asked = dict[Path, Training]()
    for workspace, work in planned:
        if not isinstance(work, TrainWork):
            continue
        stage, job = workspace.stage(work.chain, work.seed), workspace.job(work.chain, work.until, work.seed)
        if stage.config.exists():
            refuse_another(job, stage)
        else:
            refuse_untrainable(job)
        if differs := apart(asked.setdefault(stage.root, job.training), job.training):
            raise BadCall(f"{job.name} is asked as two trainings: {differs} (say the change in the stage)")


def _refuse_two_bases(workspaces: Sequence[Workspace]) -> None:
    """Studies of one folder start from one model."""
    if not workspaces:
        raise BadCall("no study was given: there is nothing to run")
    first, *others = (each.agent for each in workspaces)
    for other in others:
        if other.digest != first.digest:
            raise BadCall(
                f"studies of one folder start from one base, not from {first.base} ({first.digest}) and "
                f"{other.base} ({other.digest}): run them in two folders"
            )


def _refuse_another_base(folder: StudyFolder, known: Base, asked: Base) -> None:
    if known.digest != asked.digest:
        raise BadCall(
            f"{folder.root} holds another study: its base is {known.name} ({known.digest}) there, and {asked.name} "
            f"({asked.digest}) was asked: choose another folder with --out"
        )


def _cell_facts(study: Study) -> dict[str, object]:
    """What each cell is now, by its name."""
    return {
        each.name: to_json(
            facts_of(
                suites_of(under_variant(study.config, each.variant))(each.cell.env),
                each.cell,
                each.tasks or study.config.evaluate.tasks,
            )
        )
        for each in study.measured
    }


def _model(workspace: Workspace, chain: Chain, seed: int) -> str:
    return workspace.identity(chain, workspace.study.last_step(chain), seed).model
