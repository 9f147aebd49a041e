"""What a study's endpoints can show before it runs: the smallest change of each, and what more of it would buy."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from heldout.agents import suites_of
from heldout.analysis.components import POCKET, Components, measure_components
from heldout.analysis.endpoints import Endpoint
from heldout.analysis.power import Design, Detectable, detectable
from heldout.analysis.scores import ALL, Cell
from heldout.config import under_variant
from heldout.errors import BadCall, HeldoutError
from heldout.store.runs import StudyFolder
from heldout.study.perform import facts_of
from heldout.study.plan import Study
from heldout.study.results import read_manifest, read_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """What one study can detect."""

    components: Components
    detectable: Mapping[Endpoint, Detectable]
    """Without an endpoint that the design is too small for."""


def power_of(study: Study, folder: StudyFolder) -> Power:
    """By the variances that the folder shows, or, where it shows none yet, by assumed ones."""
    components, design = _components(study, folder), _design(study)
    found = dict[Endpoint, Detectable]()
    for endpoint in study.endpoints:
        try:
            found[endpoint] = detectable(endpoint, components, design)
        except BadCall:  # a cell of fewer than two tasks
            continue
    return Power(components=components, detectable=found)


def _components(study: Study, folder: StudyFolder) -> Components:
    manifest = read_manifest(folder)
    if manifest and study.digest in manifest.entries:
        try:
            return measure_components(read_rows(study, folder).by_chain, source=f"measured in {folder.root}")
        except HeldoutError:  # nothing by two seeds yet
            pass
    return replace(
        POCKET, source=f"{POCKET.source}: {study.base} may have others" if study.base != "pocket" else POCKET.source
    )


def _design(study: Study) -> Design:
    tasks = dict[Cell, int]()
    for each in study.measured:
        config = under_variant(study.config, each.variant)
        suite = suites_of(config)(each.cell.env)
        count = len(facts_of(suite, each.cell, each.tasks or config.evaluate.tasks).tasks)
        if each.cell not in tasks:
            tasks[each.cell] = count
            if each.cell.difficulty != ALL:
                whole = replace(each.cell, difficulty=ALL)
                tasks[whole] = tasks.get(whole, 0) + count
    return Design(seeds=len(study.seeds), tasks=tasks, k=study.config.evaluate.samples)
