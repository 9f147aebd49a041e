"""What a study's folder has of what the study asks for: rows and temperatures, read without any environment."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import final

from heldout.analysis.alike import count_repeated, each_once
from heldout.analysis.scores import Cell
from heldout.chains import Chain, chain_name, parse_chain, training_chain
from heldout.errors import BadCall
from heldout.records import Json, Row, from_json, to_json
from heldout.store import schema
from heldout.store.files import read_json
from heldout.store.gathered import gather
from heldout.store.rows import Rows
from heldout.store.runs import EvaluationFolder, StageFolder, StudyFolder
from heldout.study.controls import Drift, Matched, Tuned
from heldout.study.facts import CellFacts, tuning_digest
from heldout.study.plan import Measured, Study

Read = Callable[[Rows[Row]], Iterable[Row]]
"""How a file of rows is read; by default one that is damaged is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """What every chain of a study folder starts from."""

    name: str
    """What people call it."""
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestEntry:
    """What one study asked of the folder."""

    study: Mapping[str, Json] = field(hash=False)
    chain: str
    """What the model that its chains start from went through before; `base` for nothing."""
    step: int
    cells: Mapping[str, Json] = field(hash=False)
    """`CellFacts` by the names of what is measured."""
    models: Mapping[str, str] = field(hash=False)
    """What names each checkpoint that is measured, and the base: by the chain's name in the study and the seed."""
    made_with: Mapping[str, Json] = field(default_factory=dict, hash=False)
    controls: bool = field(default_factory=lambda: True, metadata={"written": "changed"})
    """Whether it was asked with its controls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A study's folder: one base, and all that was ever asked of it."""

    base: Base
    entries: Mapping[str, Json] = field(default_factory=dict, hash=False)
    """`ManifestEntry` by the studies' digests."""


def read_manifest(folder: StudyFolder) -> Manifest | None:
    """What the folder holds; None where it holds nothing yet."""
    if not folder.study.exists():
        return None
    value = schema.read(folder.study)
    del value["schema"]
    return from_json(Manifest, value)


def write_manifest(folder: StudyFolder, manifest: Manifest) -> None:
    """Says what the folder holds."""
    schema.replace(folder.study, to_json(manifest))


def model_key(chain: Chain, seed: int) -> str:
    """What a checkpoint is found by among those that a study measures."""
    return f"{chain_name(chain)}, seed {seed}"


def entries_of(folder: StudyFolder) -> list[ManifestEntry]:
    """What each study asked of the folder, in the order that they came; nothing where none did."""
    manifest = read_manifest(folder)
    return [from_json(ManifestEntry, entry) for entry in manifest.entries.values()] if manifest else []


def stage_of(study: Study, folder: StudyFolder, chain: Chain, seed: int) -> StageFolder:
    """Where the training lies that ends a chain, however long it is."""
    return stage_in(_entry(study, folder), folder, chain, seed)


def stage_in(entry: ManifestEntry, folder: StudyFolder, chain: Chain, seed: int) -> StageFolder:
    """The same of what a study asked."""
    return folder.stage(chain_name(training_chain((*parse_chain(entry.chain), *chain))), seed)


def evaluation_of(study: Study, folder: StudyFolder, chain: Chain, seed: int) -> EvaluationFolder:
    """Where the measurements of a chain's end, or of the base, are kept."""
    return evaluation_in(_entry(study, folder), folder, chain, study.last_step(chain), seed)


def evaluation_in(
    entry: ManifestEntry, folder: StudyFolder, chain: Chain, step: int, seed: int
) -> EvaluationFolder:
    """Where those of a chain's checkpoint, or of the base, are kept, of what a study asked."""
    full = (*parse_chain(entry.chain), *chain)
    return folder.evaluation(chain_name(training_chain(full) if full else ()), step if chain else entry.step, seed)


def read_match(study: Study, folder: StudyFolder, chain: Chain, seed: int) -> Matched | None:
    """The temperature at which the base is as random as the chain's end, where it was sought."""
    path = evaluation_of(study, folder, chain, seed).matched(study.config.evaluate.temperature)
    return Matched(**read_json(path)) if path.exists() else None


def read_tuned(study: Study, folder: StudyFolder, cell: Cell) -> Tuned | None:
    """The temperature at which the base does best on training tasks of the cell's kind, where it was sought."""
    facts = from_json(CellFacts, _entry(study, folder).cells[cell.name])
    evaluation = evaluation_of(study, folder, (), study.seeds[0])
    path = evaluation.tuned(cell.name, tuning_digest(facts, study.config))
    return Tuned(**read_json(path)) if path.exists() else None


def read_drift(study: Study, folder: StudyFolder, chain: Chain, seed: int, env: str) -> Drift | None:
    """The forward KL from the base to a chain's end in an environment, where it was taken."""
    path = evaluation_of(study, folder, chain, seed).drift(env, study.config.evaluate.temperature)
    return Drift(**read_json(path)) if path.exists() else None


def rows_of(
    study: Study, folder: StudyFolder, chain: Chain, seed: int, temperature: float | Mapping[Cell, float]
) -> list[Row]:
    """What the study wanted to know of a chain's end, or of the base, and has played, each episode once.

    One that broke off is there too: it was lost. All are of the folder's base, whatever it was called then; cells
    that have no temperature are left out.
    """
    return _Reading(study, folder).rows(chain, seed, temperature)


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRows:
    """A study's rows, and what of its files is not among them."""

    by_chain: Mapping[str, Sequence[Row]]
    """Of the base and of each chain's end, by all seeds, at the study's own temperature."""
    left_out: tuple[str, ...]
    """A line for each file that is damaged, torn, or has attempts more than once: why, and how much."""


def read_rows(study: Study, folder: StudyFolder) -> StudyRows:
    """All that can be read of what the study wanted to know: one damaged file does not take the others with it."""
    warm, left_out = study.config.evaluate.temperature, dict[str, None]()

    def read(file: Rows[Row]) -> Sequence[Row]:
        found = gather([file])
        if file.path.exists():  # what was not measured yet is a missing cell, told elsewhere
            left_out.update(dict.fromkeys([*found.left_out, *_repeated(file, found.rows)]))
        return found.rows

    reading = _Reading(study, folder, read)
    by_chain = {
        chain_name(chain): [row for seed in study.seeds for row in reading.rows(chain, seed, warm)]
        for chain in ((), *study.chains)
    }
    return StudyRows(by_chain=by_chain, left_out=tuple(left_out))


def _repeated(file: Rows[Row], rows: Iterable[Row]) -> Iterable[str]:
    found = count_repeated(rows)
    if found.again or found.broken:
        yield (
            f"{file.path}: {found.again} rows are there again, and {found.broken} attempts broke off and "
            "were tried again: each attempt counts once"
        )


def player_rows(study: Study, folder: StudyFolder, player: str, seed: int) -> list[Row]:
    """What a player was measured to do in the study's cells."""
    return _Reading(study, folder).player_rows(player, seed)


@final
class _Reading:
    """Reads the rows of a study that the folder was asked; what the folder holds is looked up once."""

    def __init__(self, study: Study, folder: StudyFolder, read: Read = list) -> None:
        self._study, self._folder, self._read = study, folder, read
        self._manifest = _manifest(study, folder)
        self._entry = _entry_in(self._manifest, study)

    def rows(self, chain: Chain, seed: int, temperature: float | Mapping[Cell, float]) -> list[Row]:
        """Of a chain's end, or of the base."""
        warm = temperature if isinstance(temperature, Mapping) else dict.fromkeys(self._study.cells, temperature)
        step, base = self._study.last_step(chain), self._manifest.base.name
        found = self._rows_in(
            evaluation_in(self._entry, self._folder, chain, step, seed), warm, self._study.samples
        )
        model = self._entry.models[model_key(chain, seed)]
        return [replace(row, base=base) for row in found if (row.seed, row.model) == (seed, model)]

    def player_rows(self, player: str, seed: int) -> list[Row]:
        """Of a player."""
        settings = self._study.config.evaluate
        warm = dict.fromkeys(self._study.cells, settings.temperature)
        found = self._rows_in(self._folder.evaluation(player, 0, seed), warm, lambda _: settings.samples)
        return [row for row in found if (row.seed, row.model) == (seed, player)]

    def _rows_in(
        self, place: EvaluationFolder, temperatures: Mapping[Cell, float], samples: Callable[[float], int]
    ) -> list[Row]:
        """The rows of the study's cells, each at its temperature and with so many attempts as that has."""
        played = {env: each_once(self._read(place.rows(env))) for env in self._study.envs}
        return [
            row
            for each in self._study.measured
            if (temperature := temperatures.get(each.cell)) is not None
            for row in wanted_rows(self._study, each, self._entry, temperature, played[each.cell.env])
            if row.attempt < samples(temperature)
        ]


def seconds_of(folder: StudyFolder) -> float:
    """How long all sessions took together."""
    return float(sum(session["seconds"] for _, session in folder.sessions))


def wanted_rows(
    study: Study, measured: Measured, entry: ManifestEntry, temperature: float, rows: Iterable[Row]
) -> list[Row]:
    """A cell's rows as the study measures it, by task and attempt; those of other settings lie beside them."""
    facts, limits = from_json(CellFacts, entry.cells[measured.name]), study.config.limits
    places = {task: place for place, task in enumerate(facts.tasks)}
    expected = {
        "split": measured.cell.split,
        "temperature": temperature,
        "max_turns": study.config.evaluate.max_turns,
        "response_budget": limits.response_budget,
        "reply_tokens": limits.reply_tokens,
        **facts.suite,
    }
    found = [
        row
        for row in rows
        if row.task in places and all(getattr(row, name) == value for name, value in expected.items())
    ]
    return sorted(found, key=lambda row: (places[row.task], row.attempt))


def _entry(study: Study, folder: StudyFolder) -> ManifestEntry:
    return _entry_in(_manifest(study, folder), study)


def _entry_in(manifest: Manifest, study: Study) -> ManifestEntry:
    return from_json(ManifestEntry, manifest.entries[study.digest])


def _manifest(study: Study, folder: StudyFolder) -> Manifest:
    """What the folder holds; one that was never asked the study is refused."""
    manifest = read_manifest(folder)
    if not manifest or study.digest not in manifest.entries:
        raise BadCall(f"{folder.root} was never asked this study {study.name!r}: run it first")
    return manifest
