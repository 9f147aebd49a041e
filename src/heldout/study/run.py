"""Runs a study: what it asks for and its folder does not have is trained and measured.

Running again is resuming. A folder is a union: another seed, chain, cell, or more samples or steps add to it, and
what decides a row or a training tells what is missing. What cannot be in one folder is refused by its name.
"""

import time
from collections.abc import Callable, Iterable
from functools import partial

from heldout.agents import Backends, suites_of
from heldout.chains import Chain, chain_name
from heldout.config import under_variant
from heldout.errors import BadCall
from heldout.records import to_json
from heldout.store.folders import sweep
from heldout.store.lease import hold
from heldout.store.provenance import provenance
from heldout.store.runs import StudyFolder
from heldout.study.executors import here
from heldout.study.perform import (
    Watch,
    Workspace,
    episodes_left,
    facts_of,
    open_workspace,
    perform,
    refuse_other_trainings,
)
from heldout.study.plan import PlannedWork, Study, plan
from heldout.study.results import Base, Manifest, ManifestEntry, model_key, read_manifest, write_manifest
from heldout.study.work import Work

Executor = Callable[[Iterable[PlannedWork], Callable[[Work], None]], None]
"""Who walks the graph of work: each piece is done after those that it needs."""


def run(
    study: Study, folder: StudyFolder, watch: Watch, controls: bool = True, executor: Executor = here.walk
) -> None:
    """Everything that the study asks for and the folder does not have yet."""
    begun = time.monotonic()
    workspace, graph = open_workspace(study, folder, watch), plan(study, controls)
    entry = entry_of(workspace)
    with Backends() as backends:
        load_before_claim(workspace, backends)
        claim(workspace, graph, entry)
        watch.expects(sum(episodes_left(workspace, planned.work) for planned in graph))
        executor(graph, partial(perform, workspace, backends=backends))
        if backends.used:
            folder.sessions.add([{"study": study.digest, "seconds": time.monotonic() - begun, **provenance()}])


def load_before_claim(workspace: Workspace, backends: Backends) -> None:
    """Loads the base of a study that has no folder yet: one that cannot be loaded leaves none behind."""
    study = workspace.study
    with hold(workspace.folder.lease, purpose=f"begin {study.name}"):  # somebody else's folder is told at once
        is_new = read_manifest(workspace.folder) is None
    if is_new:
        workspace.watch.loading(study.base)
        backends.open(study.chains[0][0].apply_to(study.config) if study.chains else study.config, study.base)


def entry_of(workspace: Workspace) -> ManifestEntry:
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
    )


def claim(workspace: Workspace, graph: Iterable[PlannedWork], entry: ManifestEntry) -> None:
    """Says in the folder what the study asks of it; one with another base, or other trainings, is refused."""
    study, folder, agent = workspace.study, workspace.folder, workspace.agent
    base = Base(name=agent.base, digest=agent.digest)
    with hold(folder.lease, purpose=f"begin {study.name}"):
        sweep(folder.root)
        manifest = read_manifest(folder) or Manifest(base=base)
        _refuse_another_base(folder, manifest.base, base)
        refuse_other_trainings(workspace, [planned.work for planned in graph])
        known = manifest.entries.get(study.digest)
        if not known or known["cells"] != entry.cells:  # by other tasks, data or rules now: it is asked anew
            write_manifest(
                folder, Manifest(base=manifest.base, entries={**manifest.entries, study.digest: to_json(entry)})
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
