"""What a study comes to before it runs: what of it is there, and what the rest takes. No model is loaded."""

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, replace

from heldout.agents import device, processes_of, suites_of
from heldout.chains import BASE, Chain, chain_name
from heldout.config import under_variant
from heldout.evaluation.difficulty import cells_of
from heldout.model.load import POCKET, hub_name_of
from heldout.records import from_json, to_json
from heldout.store.pieces import PieceRecord
from heldout.store.runs import StudyFolder
from heldout.study.halves import with_halves
from heldout.study.kinds import kind_of
from heldout.study.perform import Watch, facts_of, open_workspace
from heldout.study.plan import PlannedWork, Study, plan_together
from heldout.study.pocket_rates import POCKET_RATES, POCKET_RATES_SAID
from heldout.study.results import ManifestEntry, model_key, read_manifest
from heldout.study.run import entry_of
from heldout.study.sizes import Sizes, sizes_of
from heldout.study.status import DONE, LEFT, PieceStatus, gone_on_from, pieces_of, seconds_left
from heldout.study.work import DifficultyWork, TrainWork

EPISODE = 5000.0
"""About what an episode takes on disk, in bytes, its row and its compressed trajectory: the pocket model's took
5,700 where eight were kept at a time, and take less where hundreds are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """One training by all its seeds: a shared prefix is trained once."""

    chain: Chain
    looks: tuple[int, ...]
    """The steps at which it is looked at, or gone on from."""
    seeds: int
    done: int
    """By how many seeds it is at its end."""
    episodes: int
    """Of one seed, its own stage alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What pieces still take."""

    pieces: int
    done: int
    episodes: int
    """Left to play."""
    seconds: float | None
    """One piece after another; None where no rate is known."""
    gpu_seconds: float | None
    """None where no rate is known; 0 where nothing is held on a GPU."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """Several studies of one folder, before they run."""

    studies: tuple[Study, ...]
    folder: StudyFolder
    trainings: tuple[Training, ...]
    by_kind: dict[str, Cost]
    whole: Cost
    rates: str
    """What the rates are from."""
    sizes: Sizes | None
    checkpoints: int
    """That are still to be written, all of them kept."""

    @property
    def disk(self) -> float | None:
        """Bytes that are still to be written."""
        if self.sizes is None:
            return None
        return self.checkpoints * self.sizes.checkpoint + self.whole.episodes * EPISODE


def prospect(studies: Sequence[Study], folder: StudyFolder, *, controls: bool) -> Prospect:
    """What the studies ask for, what the folder has of it, and what the rest takes."""
    graph = plan_together(studies, controls)
    pieces = _statuses(graph, folder, controls)
    base = studies[0].base
    kinds = defaultdict[str, list[PieceStatus]](list)
    for each in pieces:
        kinds[kind_of(each.piece.work)].append(each)
    records, rates = _records(folder, base, kinds)
    cost = _coster(records)
    config = studies[0].config
    return Prospect(
        studies=tuple(studies),
        folder=folder,
        trainings=tuple(_trainings(pieces)),
        by_kind={kind: cost(own) for kind, own in kinds.items()},
        whole=cost(pieces),
        rates=rates,
        sizes=sizes_of(base, config, device(), processes_of(config)),
        checkpoints=sum(_checkpoints_left(each) for each in pieces),
    )


def _statuses(graph: Sequence[PlannedWork], folder: StudyFolder, controls: bool) -> list[PieceStatus]:
    """How far each piece is, in the graph's order."""
    by_study = defaultdict[Study, list[PlannedWork]](list)
    for piece in graph:
        by_study[piece.study].append(piece)
    found = {
        (each.piece.study, each.piece.work): each
        for study, own in by_study.items()
        for each in pieces_of(study, _entry(study, folder, controls), folder, own)
    }
    return [_with_halving(found[piece.study, piece.work]) for piece in graph]


def _with_halving(status: PieceStatus) -> PieceStatus:
    """With the episodes that telling easy from hard takes, which only its environments know."""
    work, config = status.piece.work, status.piece.study.config
    if not isinstance(work, DifficultyWork) or status.state == DONE:
        return status
    suites = [suites_of(config)(env) for env in work.envs]
    tasks = [len(suite.tasks(cell.split)[: work.tasks]) for suite in suites for cell in cells_of(suite)]
    return replace(status, episodes_left=sum(tasks) * work.samples)


def _entry(asked: Study, folder: StudyFolder, controls: bool) -> ManifestEntry:
    """What the study asks of its folder; of a model at Hugging Face, which is not looked up, as far as is known.

    Where easy is not told from hard yet the environments' own halves are counted.
    """
    study = with_halves(asked, folder) if folder.halves.exists() else replace(asked, halves=None)
    if not hub_name_of(study.base):
        return entry_of(open_workspace(study, folder, Watch()), controls)
    manifest = read_manifest(folder)
    if manifest and (known := manifest.entries.get(asked.digest)):
        return from_json(ManifestEntry, known)
    return ManifestEntry(
        study=to_json(study),
        chain=BASE,
        step=0,
        cells={
            each.name: to_json(
                facts_of(
                    suites_of(under_variant(study.config, each.variant))(each.cell.env),
                    each.cell,
                    each.tasks or study.config.evaluate.tasks,
                )
            )
            for each in study.measured
        },
        models={model_key(chain, seed): "" for chain in ((), *study.chains) for seed in study.seeds},
    )


def _records(folder: StudyFolder, base: str, kinds: Container[str]) -> tuple[list[PieceRecord], str]:
    """What is known of how long pieces take, and what it is from: this folder, else what is shipped for pocket."""
    own = [each for each in folder.pieces if each.episodes]
    shipped = POCKET_RATES if base == POCKET else ()
    known = {each.kind for each in own}
    missing = [each for each in shipped if each.kind in kinds and each.kind not in known]
    told = (f"{len(own)} pieces that were done here" if own else "", POCKET_RATES_SAID if missing else "")
    return [*own, *missing], " and ".join(filter(None, told))


def _coster(records: Sequence[PieceRecord]) -> Callable[[Sequence[PieceStatus]], Cost]:
    """What pieces cost by these records."""
    on_gpus = [
        replace(each, seconds=each.seconds * each.processes if each.device == "cuda" else 0.0) for each in records
    ]

    def cost(pieces: Sequence[PieceStatus]) -> Cost:
        return Cost(
            pieces=len(pieces),
            done=sum(each.state in (DONE, LEFT) for each in pieces),
            episodes=sum(each.episodes_left for each in pieces if each.state != LEFT),
            seconds=seconds_left(pieces, records, at_work=1),
            gpu_seconds=seconds_left(pieces, on_gpus, at_work=1),
        )

    return cost


def _trainings(pieces: Iterable[PieceStatus]) -> Iterable[Training]:
    """Each training once, its seeds together; what goes on from another comes after it."""
    own = defaultdict[Chain, list[PieceStatus]](list)
    for each in pieces:
        if isinstance(each.piece.work, TrainWork):
            own[each.piece.work.chain].append(each)
    for chain in sorted(own, key=lambda chain: tuple(stage.name for stage in chain)):
        works = [(each, each.piece.work) for each in own[chain] if isinstance(each.piece.work, TrainWork)]
        last = max(work.until for _, work in works)
        settings = chain[-1].apply_to(works[0][0].piece.study.config).train
        yield Training(
            chain=chain,
            looks=tuple(sorted({work.until for _, work in works})),
            seeds=len({work.seed for _, work in works}),
            done=sum(each.state == DONE for each, work in works if work.until == last),
            episodes=last * settings.tasks * settings.group_size,
        )


def _checkpoints_left(status: PieceStatus) -> int:
    """Every `save_every` steps and at the end."""
    work = status.piece.work
    if not isinstance(work, TrainWork) or status.state == DONE:
        return 0
    every = work.chain[-1].apply_to(status.piece.study.config).train.save_every
    begin = max(status.made, gone_on_from(status.piece))
    return sum(step % every == 0 or step == work.until for step in range(begin + 1, work.until + 1))


def line_of(training: Training) -> str:
    """A training below the one that it goes on from: its last stage, as far to the right as there are before it."""
    return "  " * (len(training.chain) - 1) + ("> " if training.chain[1:] else "") + chain_name(training.chain[-1:])
