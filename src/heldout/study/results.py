"""What a study's folder has of what the study asks for: rows and temperatures, read without any environment."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace

from heldout.analysis.alike import each_once
from heldout.chains import Chain, chain_name, parse_chain, training_chain
from heldout.errors import BadCall
from heldout.records import Json, Row, from_json, to_json
from heldout.store import schema
from heldout.store.files import read_json
from heldout.store.runs import EvaluationFolder, StageFolder, StudyFolder
from heldout.study.controls import Matched
from heldout.study.plan import Measured, Study


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """What every chain of a study folder starts from."""

    name: str
    """What people call it."""
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CellFacts:
    """What a cell was when the study asked for it: its rows are told from others by this."""

    tasks: tuple[str, ...]
    data: str
    rules: str
    rules_version: int
    prompt: str
    variant: str
    difficulty_source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestEntry:
    """What one study asked of the folder."""

    study: Mapping[str, Json] = field(hash=False)
    chain: str
    """What the model that its chains start from went through before; `base` for nothing."""
    step: int
    cells: Mapping[str, Json] = field(hash=False)
    """`CellFacts` by the cells' names."""
    models: Mapping[str, str] = field(hash=False)
    """What names each checkpoint that is measured, and the base: by the chain's name in the study and the seed."""
    made_with: Mapping[str, Json] = field(default_factory=dict, hash=False)


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


def stage_of(study: Study, folder: StudyFolder, chain: Chain, seed: int) -> StageFolder:
    """Where the training lies that ends a chain, however long it is."""
    full = (*parse_chain(_entry(study, folder).chain), *chain)
    return folder.stage(chain_name(training_chain(full)), seed)


def evaluation_of(study: Study, folder: StudyFolder, chain: Chain, seed: int) -> EvaluationFolder:
    """Where the measurements of a chain's end, or of the base, are kept."""
    return _evaluation_in(_entry(study, folder), study, folder, chain, seed)


def read_match(study: Study, folder: StudyFolder, chain: Chain, seed: int) -> Matched | None:
    """The temperature at which the base is as random as the chain's end, where it was sought."""
    path = evaluation_of(study, folder, chain, seed).matched
    return Matched(**read_json(path)) if path.exists() else None


def rows_of(study: Study, folder: StudyFolder, chain: Chain, seed: int, temperature: float) -> list[Row]:
    """What the study wanted to know of a chain's end, or of the base, and has played, each episode once.

    One that broke off is there too: it was lost. All are of the folder's base, whatever it was called then.
    """
    manifest = _manifest(study, folder)
    entry = _entry_in(manifest, study)
    model = entry.models[model_key(chain, seed)]
    evaluation = _evaluation_in(entry, study, folder, chain, seed)
    played = {env: each_once(evaluation.rows(env)) for env in study.envs}
    return [
        replace(row, base=manifest.base.name)
        for each in study.measured
        for row in _wanted_rows(
            study, each, from_json(CellFacts, entry.cells[each.cell.name]), played[each.cell.env], temperature
        )
        if (row.seed, row.model) == (seed, model)
    ]


def seconds_of(folder: StudyFolder) -> float:
    """How long all sessions took together."""
    return float(sum(session["seconds"] for _, session in folder.sessions))


def _wanted_rows(
    study: Study, measured: Measured, facts: CellFacts, rows: Iterable[Row], temperature: float
) -> Iterator[Row]:
    """The rows of a cell as the study measures it, by task and attempt; those of other settings lie beside them."""
    places = {task: place for place, task in enumerate(facts.tasks)}
    limits, samples = study.config.limits, study.samples(temperature)
    expected = {
        "split": measured.cell.split,
        "temperature": temperature,
        "max_turns": study.config.evaluate.max_turns,
        "response_budget": limits.response_budget,
        "reply_tokens": limits.reply_tokens,
        **{name: value for name, value in asdict(facts).items() if name != "tasks"},
    }
    found = [
        row
        for row in rows
        if row.task in places
        and row.attempt < samples
        and all(getattr(row, name) == value for name, value in expected.items())
    ]
    return iter(sorted(found, key=lambda row: (places[row.task], row.attempt)))


def _entry(study: Study, folder: StudyFolder) -> ManifestEntry:
    return _entry_in(_manifest(study, folder), study)


def _entry_in(manifest: Manifest, study: Study) -> ManifestEntry:
    return from_json(ManifestEntry, manifest.entries[study.digest])


def _evaluation_in(
    entry: ManifestEntry, study: Study, folder: StudyFolder, chain: Chain, seed: int
) -> EvaluationFolder:
    full = (*parse_chain(entry.chain), *chain)
    name = chain_name(training_chain(full) if full else ())
    return folder.evaluation(name, study.last_step(chain) if chain else entry.step, seed)


def _manifest(study: Study, folder: StudyFolder) -> Manifest:
    """What the folder holds; one that was never asked the study is refused."""
    manifest = read_manifest(folder)
    if not manifest or study.digest not in manifest.entries:
        raise BadCall(f"{folder.root} was never asked this study {study.name!r}: run it first")
    return manifest
