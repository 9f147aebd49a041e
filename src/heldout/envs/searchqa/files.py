"""Passages and questions, read from files of others: wiki-18's form, FlashRAG's and our own."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from importlib import import_module
from itertools import chain
from pathlib import Path

from heldout.envs.searchqa.passages import Passage, readable
from heldout.envs.searchqa.sets import NAMES
from heldout.envs.searchqa.splits import split_of
from heldout.errors import BadCall
from heldout.extras import how_to_install
from heldout.records import Json
from heldout.store.lines import read_lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A question of a published set."""

    dataset: str
    split: str
    """As its file says it; empty where it does not."""
    id: str
    text: str
    answers: tuple[str, ...]
    answerable: bool
    """Whether an answer stands in the corpus, as far as the file says."""
    line: int
    """Where it stands in its file, from 1."""


ANSWERS = ("answers", "golden_answers", "answer")
"""Where gold answers stand: in our files, in FlashRAG's, in NQ-open's."""

FIELDS = ("question", *ANSWERS, "dataset", "data_source", "split", "id", "extra_info", "answer_in_corpus")
"""What is read of a row of Parquet; the other columns may be large."""


def read_passages(path: Path) -> Iterator[Passage]:
    """The passages of a corpus of JSON lines: `{id, contents}` as wiki-18, or `{id, title, text}`."""
    for number, value in _objects(path):
        if "contents" in value:
            contents = value["contents"]
        else:
            # Some sources have their titles, and only these, as HTML.
            contents = f'"{unescape(str(value.get("title", "")))}"\n{value.get("text", "")}'
        if not isinstance(contents, str) or not contents.strip('"\n '):
            raise BadCall(f"{path}: line {number} is no passage: it has neither contents nor title and text")
        yield Passage(readable(str(value.get("id", number))), readable(contents))


def read_questions(path: Path) -> Iterator[Row]:
    """The questions of a file of JSON lines or Parquet, each with `question` and one of `ANSWERS`."""
    for number, value in _parquet(path) if path.suffix == ".parquet" else _objects(path):
        text, answers = value.get("question"), answers_in(value)
        if not isinstance(text, str) or not text.strip() or not answers:
            raise BadCall(f"{path}: line {number} has no question, or no answers to it")
        yield Row(
            dataset=_dataset_of(value, path),
            split=_split_of(value, path, number),
            id=str(value.get("id", "")),
            text=_format_question(text),
            answers=answers,
            answerable=value.get("answer_in_corpus") is not False,
            line=number,
        )


def _dataset_of(value: dict[str, Json], path: Path) -> str:
    """The set that a row is of: FlashRAG's rows do not say it, but lie in a folder of its name."""
    said = value.get("dataset") or value.get("data_source")
    return str(said or (path.parent.name if path.parent.name in NAMES else ""))


def _split_of(value: dict[str, Json], path: Path, number: int) -> str:
    try:
        return split_of(value, path)
    except BadCall as error:
        raise BadCall(f"{path}: line {number}: {error}") from None


def answers_in(value: Json) -> tuple[str, ...]:
    """The gold answers in a row, whichever name they have there; one may stand bare."""
    found = next((value[name] for name in ANSWERS if value.get(name) is not None), None)
    several = [found] if isinstance(found, str) else found
    if not isinstance(several, list) or not all(isinstance(answer, str) for answer in several):
        return ()
    return tuple(several)


def _format_question(text: str) -> str:
    """A question as the original puts it (spec §2.7)."""
    stripped = readable(text).strip()
    return stripped if stripped.endswith("?") else f"{stripped}?"


def _parquet(path: Path) -> Iterator[tuple[int, dict[str, Json]]]:
    """The rows of a file of Parquet, by the columns that are read."""
    _refuse_missing(path)
    try:
        arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    except ModuleNotFoundError:
        raise BadCall(f"{path} is Parquet, and {how_to_install('pyarrow')}") from None
    try:
        with parquet.ParquetFile(path) as file:
            columns = [name for name in FIELDS if name in file.schema_arrow.names]
            rows = chain.from_iterable(batch.to_pylist() for batch in file.iter_batches(columns=columns))
            yield from enumerate(rows, start=1)
    except (arrow.ArrowException, OSError) as error:
        raise BadCall(f"{path} is no Parquet that can be read: {error}") from None


def _refuse_missing(path: Path) -> None:
    if not path.is_file():
        raise BadCall(f"there is no file {path}: HELDOUT_DATA has to name the folder with the real tasks' data")


def _objects(path: Path) -> Iterator[tuple[int, dict[str, Json]]]:
    _refuse_missing(path)
    for number, value in read_lines(path):
        if not isinstance(value, dict):
            raise BadCall(f"{path}: line {number} is no object, but {value!r:.60}")
        yield number, value
