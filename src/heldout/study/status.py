"""How far a study's folder is, read from any machine that sees it: without an environment, a model or a lease.

A piece is *running* where its lease is held, by whom the lease says; *begun* where something of it is there and
nobody is at it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from heldout.analysis.alike import each_once
from heldout.chains import Chain, training_chain
from heldout.errors import BadCall
from heldout.records import Row, from_json
from heldout.store.files import read_json
from heldout.store.lease import Holder, holder
from heldout.store.pieces import PieceRecord
from heldout.store.runs import EvaluationFolder, StageFolder, StudyFolder
from heldout.study.controls import CALIBRATION, GRID, TUNING
from heldout.study.facts import CellFacts, tuning_digest
from heldout.study.kinds import envs_of, kind_of
from heldout.study.outcome import LEFT_OUT
from heldout.study.plan import Measured, PlannedWork, Study, plan
from heldout.study.results import ManifestEntry, entries_of, evaluation_in, model_key, stage_in, wanted_rows
from heldout.study.work import DifficultyWork, DriftWork, MatchWork, MeasureWork, TrainWork, TuneWork, Work

DONE, RUNNING, FAILED, LEFT, BEGUN, WAITING = "done", "running", "failed", "left out", "begun", "not begun"
"""What a piece can be."""
STATES = (RUNNING, FAILED, BEGUN, WAITING, LEFT, DONE)
"""In the order in which people are told of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceStatus:
    """How far one piece is."""

    piece: PlannedWork
    state: str
    """One of `STATES`."""
    made: int
    """Of a training steps, of other pieces episodes."""
    wanted: int
    episodes_left: int
    where: str = ""
    """Who is at it."""
    since: float = 0.0
    """Seconds since 1970."""
    error: str = ""
    """Why it failed, or was left out."""
    log: Path | None = None
    stage: StageFolder | None = None
    """Where a training lies."""
    begins_with: tuple[tuple[TrainWork, StageFolder], ...] = ()
    """Of which trainings it takes the checkpoint, and where these lie."""

    @property
    def unit(self) -> str:
        """Of what so many are made."""
        units = {TrainWork: "steps", DriftWork: "figures", DifficultyWork: "files"}
        return units.get(type(self.piece.work), "episodes")


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyStatus:
    """How far a study is that the folder was asked."""

    study: Study
    pieces: tuple[PieceStatus, ...]
    seconds_left: float | None
    """With as many at work as now, one at least; None where nothing was measured yet that tells."""

    def count(self, state: str) -> int:
        """How many pieces are so."""
        return sum(each.state == state for each in self.pieces)


def read_status(folder: StudyFolder) -> list[StudyStatus]:
    """Each study that the folder was asked, in the order that they came."""
    entries = entries_of(folder)
    if not entries:
        raise BadCall(f"{folder.root} was asked no study: nothing is to be told of it")
    records, found = list(folder.pieces), list[StudyStatus]()
    for entry in entries:
        study = from_json(Study, entry.study)
        look = _Look(study, entry, folder)
        pieces = tuple(look.at(piece) for piece in plan(study, entry.controls))
        found.append(StudyStatus(study=study, pieces=pieces, seconds_left=seconds_left(pieces, records)))
    return found


def pieces_of(
    study: Study, entry: ManifestEntry, folder: StudyFolder, graph: Iterable[PlannedWork]
) -> tuple[PieceStatus, ...]:
    """How far pieces of a study are that the folder may never have been asked; `entry` is what it asks."""
    look = _Look(study, entry, folder)
    return tuple(look.at(piece) for piece in graph)


def gone_on_from(piece: PlannedWork) -> int:
    """The step up to which another piece trains the same stage, where this one only goes on with it."""
    work = piece.work
    if not isinstance(work, TrainWork):
        return 0
    return max(
        (need.until for need in piece.needs if isinstance(need, TrainWork) and need.chain == work.chain), default=0
    )


def seconds_left(
    pieces: Sequence[PieceStatus], records: Iterable[PieceRecord], at_work: int | None = None
) -> float | None:
    """By what episodes took here: of the same kind in the same environments, else of the kind, else of any.

    So many are `at_work`, or as many as now.
    """
    took = defaultdict[tuple[object, ...], list[PieceRecord]](list)
    for record in records:
        for key in ((record.kind, record.envs), (record.kind,), ()):
            took[key].append(record)
    left = [each for each in pieces if each.state not in (DONE, LEFT)]
    if not took:
        return None if left else 0.0
    at_work = at_work or max(1, sum(each.state == RUNNING for each in left))
    return sum(each.episodes_left * _rate(took, each.piece.work) for each in left) / at_work


def _rate(took: dict[tuple[object, ...], list[PieceRecord]], work: Work) -> float:
    """Seconds an episode."""
    kind = kind_of(work)
    known = next(took[key] for key in ((kind, envs_of(work)), (kind,), ()) if key in took)
    return sum(each.seconds for each in known) / max(1, sum(each.episodes for each in known))


def begins_with(piece: PlannedWork) -> Iterator[TrainWork]:
    """The trainings whose checkpoint a piece takes: those that it needs, and that of the stage before."""
    yield from (need for need in piece.needs if isinstance(need, TrainWork))
    if isinstance(piece.work, TrainWork) and (before := piece.work.chain[:-1]):
        until = piece.study.last_step(before)
        yield TrainWork(chain=training_chain(before), until=until, seed=piece.work.seed)


@final
class _Look:
    """Reads the files of one study; each file of rows once."""

    def __init__(self, study: Study, entry: ManifestEntry, folder: StudyFolder) -> None:
        self._study, self._entry, self._folder = study, entry, folder
        self._rows = dict[Path, list[Row]]()
        self._models = {
            (training_chain(chain) if chain else (), study.last_step(chain), seed): entry.models[
                model_key(chain, seed)
            ]
            for chain in ((), *study.chains)
            for seed in study.seeds
        }

    def at(self, piece: PlannedWork) -> PieceStatus:
        """How far a piece is."""
        made, wanted, left = self._far(piece)
        is_done = made >= wanted
        known = None if is_done else self._holder(piece.work)
        log = self._folder.failure(piece.work.title)
        told = log.read_text(encoding="utf-8").partition("\n")[0] if not is_done and log.exists() else ""
        if is_done:
            state = DONE
        elif known:
            state = RUNNING
        elif told:
            state = LEFT if told.startswith(LEFT_OUT) else FAILED
        else:
            state = BEGUN if made else WAITING
        return PieceStatus(
            piece=piece,
            state=state,
            made=made,
            wanted=wanted,
            episodes_left=left,
            where=known.place if known else "",
            since=known.since if known else 0.0,
            error=told.removeprefix(LEFT_OUT) if state in (FAILED, LEFT) else "",
            log=log if state == FAILED else None,
            stage=self._stage(piece.work) if isinstance(piece.work, TrainWork) else None,
            begins_with=tuple((each, self._stage(each)) for each in begins_with(piece)),
        )

    def _far(self, piece: PlannedWork) -> tuple[int, int, int]:
        """How much is made, of how much, and how many episodes are left."""
        match work := piece.work:
            case DifficultyWork():
                return (1, 1, 0) if self._folder.halves.exists() else (0, 1, 0)
            case TrainWork():
                return self._trained(work, gone_on_from(piece))
            case MatchWork():
                episodes = len(work.chain[-1].envs) * CALIBRATION[0] * CALIBRATION[1]
                return self._found(self._found_at(work), episodes)
            case TuneWork():
                grid = {*GRID, self._study.config.evaluate.temperature}
                return self._found(self._found_at(work), TUNING[0] * sum(TUNING[1] if warm else 1 for warm in grid))
            case DriftWork():
                return (1, 1, 0) if self._found_at(work).exists() else (0, 1, 0)
            case MeasureWork():
                return self._measured(work)

    def _trained(self, work: TrainWork, after: int) -> tuple[int, int, int]:
        """Of a training that nobody is at, what it would go on from counts; up to `after` it is another piece."""
        stage, settings = self._stage(work), work.chain[-1].apply_to(self._study.config).train
        if stage.was_made(work.until):
            return work.until, work.until, 0
        made = min(work.until - 1, stage.metrics.whole())
        if not self._holder(work):
            made = max((step for step in stage.resumable() if step <= made), default=0)
        return made, work.until, (work.until - max(made, after)) * settings.tasks * settings.group_size

    def _found(self, path: Path, episodes: int) -> tuple[int, int, int]:
        return (episodes, episodes, 0) if path.exists() else (0, episodes, episodes)

    def _measured(self, work: MeasureWork) -> tuple[int, int, int]:
        facts = from_json(CellFacts, self._entry.cells[work.place])
        temperature, samples = work.temperature, work.samples
        if work.found_by:
            path = self._found_at(work.found_by)
            if not path.exists():
                return 0, len(facts.tasks) * samples, len(facts.tasks) * samples
            temperature = float(read_json(path)["temperature"])
            samples = samples if temperature else 1
        assert temperature is not None
        wanted = len(facts.tasks) * samples
        measured = Measured(cell=work.cell, variant=work.variant)
        model = work.player or self._models[work.chain, work.step, work.seed]
        rows = wanted_rows(self._study, measured, self._entry, temperature, self._read(self._place(work), work))
        made = sum(
            row.is_played and row.attempt < samples and (row.model, row.seed) == (model, work.seed) for row in rows
        )
        return made, wanted, wanted - made

    def _read(self, evaluation: EvaluationFolder, work: MeasureWork) -> list[Row]:
        rows = evaluation.rows(work.cell.env)
        if rows.path not in self._rows:
            self._rows[rows.path] = each_once(rows)
        return self._rows[rows.path]

    def _holder(self, work: Work) -> Holder | None:
        """Who is at the piece, if anybody is."""
        match work:
            case DifficultyWork():
                path = self._folder.halves_lease
            case TrainWork():
                path = self._stage(work).lease
            case MatchWork() | TuneWork() | DriftWork():
                found = self._found_at(work)
                path = found.parent / f".{found.stem}.lease"
            case MeasureWork():
                path = self._place(work).lease(work.cell.env)
        known = holder(path) if path.parent.is_dir() else None
        return known if known and known.purpose == work.title and not known.is_over else None

    def _stage(self, work: TrainWork) -> StageFolder:
        return stage_in(self._entry, self._folder, work.chain, work.seed)

    def _place(self, work: MeasureWork | MatchWork | DriftWork) -> EvaluationFolder:
        if isinstance(work, MeasureWork) and work.player:
            return self._folder.evaluation(work.player, 0, work.seed)
        return self._evaluation(work.chain, work.step, work.seed)

    def _evaluation(self, chain: Chain, step: int, seed: int) -> EvaluationFolder:
        return evaluation_in(self._entry, self._folder, chain, step, seed)

    def _found_at(self, work: MatchWork | TuneWork | DriftWork) -> Path:
        config = self._study.config
        if isinstance(work, MatchWork):
            return self._place(work).matched(config.evaluate.temperature)
        if isinstance(work, DriftWork):
            return self._place(work).drift(work.env, config.evaluate.temperature)
        facts = from_json(CellFacts, self._entry.cells[work.cell.name])
        return self._evaluation((), 0, work.seed).tuned(work.cell.name, tuning_digest(facts, config))
