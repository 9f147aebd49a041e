"""The question sets as FlashRAG publishes them, and what is made of them once: questions, and passages for them."""

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from lzma import LZMAFile
from pathlib import Path

from heldout.data.check import Check, check_source
from heldout.data.fetch import UNDER_WAY
from heldout.data.folder import ids_path, mending, published_ids, refuse_lacking
from heldout.data.prepared import put_prepared, stale, stamps
from heldout.envs.searchqa.files import answers_in
from heldout.envs.searchqa.sets import SETS, QuestionSet
from heldout.errors import BadCall, HeldoutError
from heldout.records import Json
from heldout.store.lines import line, read_lines

CORPUS = "searchqa/corpus.jsonl.xz"
QUESTIONS = "searchqa/questions.jsonl.xz"
"""Under HELDOUT_DATA: what is made, or put there by hand."""

RULE = 1
"""Goes up when the same sets would make other files."""

SAID_WITHOUT_READING = frozenset({"yes", "no"})
"""Answers that no passage has to hold."""

Passage = tuple[str, str]
"""A title and a text."""


def prepare(data: Path, tell: Callable[[int], None], sets: Sequence[QuestionSet] = SETS) -> list[str]:
    """Makes questions and passages of the sets in the folder; the places of both, or none where both are fresh.

    Kept are all questions to train on; of the others those with a published id, and those that the passages
    published with them answer. `tell` hears how many questions are read.
    """
    ids = ids_path("searchqa", "test")
    refuse_lacking(data, ((ids,), *((each.place,) for each in sets)))
    sources, places = (ids, *(each.place for each in sets)), (QUESTIONS, CORPUS)
    if not any(stale(data, place, sources, RULE) for place in places):
        return []
    for place in places:
        if (data / place).exists() and place not in stamps(data):
            raise BadCall(
                f"{data / place} was put there by hand, and is kept: remove it to have it made of the sets"
            )
    folder = data / UNDER_WAY / "searchqa-prepared"
    folder.mkdir(parents=True, exist_ok=True)
    made = {place: folder / Path(place).name for place in places}
    with LZMAFile(made[QUESTIONS], "wb", preset=1) as questions, LZMAFile(made[CORPUS], "wb", preset=1) as corpus:
        _write(_read(data, sets, tell), set(published_ids(data, "searchqa", "test")), questions, corpus)
    put_prepared(data, made, sources, RULE)
    shutil.rmtree(folder)
    return list(places)


def freshness(data: Path, sets: Sequence[QuestionSet] = SETS) -> Iterator[Check]:
    """Whether what was made of the sets is what they would make now; nothing where it was put there by hand."""
    sources = (ids_path("searchqa", "test"), *(each.place for each in sets))

    def is_fresh(place: str) -> bool:
        if reason := stale(data, place, sources, RULE):
            raise HeldoutError(f"{reason}: heldout data prepare searchqa")
        return True

    for place in (QUESTIONS, CORPUS):
        if place in stamps(data):
            yield check_source(
                data, place, "files made of the sets that are here", partial(list, [place]), is_fresh
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A question as it was published, and the passages beside it."""

    row: dict[str, Json]
    number: int
    passages: tuple[Passage, ...]


def _read(data: Path, sets: Sequence[QuestionSet], tell: Callable[[int], None]) -> Iterator[_Asked]:
    read = 0
    for each in sets:
        count = 0
        for count, (number, value) in enumerate(read_lines(data / each.place), start=1):
            if not isinstance(value, dict) or not isinstance(value.get("question"), str):
                raise HeldoutError(f"{data / each.place}: line {number} is no question; {mending(each.place)}")
            yield _parse_question(each, count - 1, value)
            read += 1
            tell(read)
        if count != each.size:
            raise HeldoutError(
                f"{data / each.place} has {count} questions, not the {each.size} that the published numbers count; "
                f"{mending(each.place)}"
            )


def _parse_question(each: QuestionSet, place: int, value: dict[str, Json]) -> _Asked:
    passages = () if each.split == "train" else tuple(_passages(value.get("metadata")))
    answers = list(answers_in(value))
    row: dict[str, Json] = {
        "dataset": each.name,
        "split": each.split,
        "id": f"{each.split}_{place}",
        "question": value["question"],
        "answers": answers,
        "answer_in_corpus": _is_answered(answers, passages),
    }
    return _Asked(row=row, number=each.first + place, passages=passages)


def _write(asked: Iterable[_Asked], ids: set[str], questions: LZMAFile, corpus: LZMAFile) -> None:
    """Writes what is kept of the questions, and each of their passages once."""
    seen = set[bytes]()
    for each in asked:
        row = each.row
        wanted = row["split"] == "train" or f"{row['dataset']}_{each.number}" in ids or row["answer_in_corpus"]
        if not wanted or not row["answers"]:
            continue
        questions.write(line(row))
        for title, text in each.passages:
            contents = f'"{title}"\n{text}'
            if (name := sha256(contents.encode("utf-8", "replace")).digest()[:12]) not in seen:
                corpus.write(line({"id": str(len(seen)), "contents": contents}))
                seen.add(name)


def _is_answered(answers: Sequence[str], passages: Sequence[Passage]) -> bool:
    """Whether an answer stands in the passages, or need not."""
    if not passages:
        return False
    text = "\n".join(f"{title}\n{text}" for title, text in passages).lower()
    return any(answer.lower() in SAID_WITHOUT_READING or answer.lower().strip() in text for answer in answers)


def _passages(metadata: Json) -> Iterator[Passage]:
    """What stands beside a question."""
    beside = metadata if isinstance(metadata, dict) else {}
    for title, text in (*_of_context(beside.get("context")), *_of_paragraphs(beside.get("paragraphs"))):
        joined = (
            " ".join(str(sentence).strip() for sentence in text) if isinstance(text, list) else str(text).strip()
        )
        if title and joined:
            yield str(title).strip(), joined


def _of_context(context: Json) -> list[tuple[Json, Json]]:
    """Titles with sentences: as two lists, or as pairs."""
    if isinstance(context, dict):
        texts = context.get("sentences") or context.get("content") or []
        return list(zip(context.get("title") or [], texts, strict=False))
    return [(pair[0], pair[1]) for pair in context or [] if isinstance(pair, list) and len(pair) == 2]


def _of_paragraphs(paragraphs: Json) -> list[tuple[Json, Json]]:
    """Titles with texts, as MuSiQue has them."""
    found = [each for each in paragraphs or [] if isinstance(each, dict)]
    return [(each.get("title"), each.get("paragraph_text") or "") for each in found]
