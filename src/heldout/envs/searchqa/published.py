"""SearchQA's real tasks: questions of published sets over passages of Wikipedia."""

import os
import re
from collections.abc import Iterator, Sequence
from functools import cache, partial
from hashlib import sha256
from pathlib import Path

from heldout.data.check import Check, check_source
from heldout.data.folder import VARIABLE, Needs, data_folder, ids_path, published_ids, refuse_lacking
from heldout.envs.lazy import refuse_unknown_split
from heldout.envs.searchqa.bm25 import Bm25
from heldout.envs.searchqa.files import Row, read_passages, read_questions
from heldout.envs.searchqa.options import SearchQAOptions
from heldout.envs.searchqa.passages import Corpus, Retriever
from heldout.envs.searchqa.released import CORPUS, QUESTIONS, SETS, freshness
from heldout.envs.searchqa.service import Service
from heldout.envs.searchqa.world import Question, World
from heldout.errors import BadCall
from heldout.records import Task, digest

FIRST = {(each.name, each.split): each.first for each in SETS}
"""The published number of each set's first question."""

UNPUBLISHED = 1_000_000
"""From here on: questions whose place in their set the file does not say, by their line."""

TEST_SIZE = 400
"""As in the paper (Table 5)."""

EASY_SETS = frozenset({"nq", "triviaqa", "popqa", "hotpotqa"})
"""Sets whose questions mostly take one fact or two."""

NEEDS: Needs = ((QUESTIONS,), (CORPUS,), (ids_path("searchqa", "test"),))
"""What the questions are read from, and what is searched where no service is."""

_PLACE = re.compile(r"(train|dev|test)_(\d+)")
_HEAD = 1 << 20
"""Bytes of a corpus that go into its digest, beside its size: a whole wiki-18 has fourteen gigabytes."""


def published_tasks(split: str, options: SearchQAOptions) -> Sequence[Task]:
    """The questions of one split; no demonstrations, since nobody wrote down the facts behind a question.

    `test` has the published ids that are there, then questions drawn by their hash; none of a set's own training
    split. `train` has all others.
    """
    refuse_unknown_split(split)
    return _pools(*_places(options)).get(split, [])


def open_task(task: Task, options: SearchQAOptions, *, exact_original: bool) -> World:
    """The world of a real task."""
    asked = Question(task.world["question"], tuple(task.world["answers"]))
    return World(asked, retriever(options), exact_original=exact_original)


def retriever(options: SearchQAOptions) -> Retriever:
    """The service that is named, or BM25 over the file of passages; made once for all episodes."""
    return _service(options.retriever) if options.retriever else _index(_file(options.corpus, CORPUS))


def answers_to(question: str, options: SearchQAOptions) -> tuple[str, ...]:
    """The gold answers to a question of the file of questions; none where it is not among them."""
    return _answers(_file(options.questions, QUESTIONS)).get(question, ())


@cache
def _answers(questions: Path) -> dict[str, tuple[str, ...]]:
    return {row.text: row.answers for row in read_questions(questions)}


def data_digest(options: SearchQAOptions) -> str:
    """A digest of the questions in their splits, and of what is searched."""
    splits = _pools(*_places(options))
    searched = options.retriever or _file_digest(_file(options.corpus, CORPUS))
    return digest([{split: [task.digest for task in tasks] for split, tasks in splits.items()}, searched])


def checks(data: Path) -> Iterator[Check]:
    """The passages, the questions on them, whether both are of today's sets, and the published test ids."""
    passages, questions, ids = data / CORPUS, data / QUESTIONS, ids_path("searchqa", "test")
    yield check_source(data, CORPUS, "passages that are read", partial(read_passages, passages), bool)
    answered = "questions with an answer in the passages"
    yield check_source(data, QUESTIONS, answered, partial(read_questions, questions), lambda row: row.answerable)
    yield from freshness(data)
    there = {_item(row) for row in read_questions(questions)} if questions.exists() else set[str]()
    yield check_source(
        data,
        ids,
        "ids with a question",
        partial(published_ids, data, "searchqa", "test"),
        partial(_is_there, there),
    )


def _is_there(there: set[str], item: str) -> bool:
    dataset, _, number = item.rpartition("_")
    if dataset not in {known for known, _ in FIRST} or not number.isdecimal():
        raise BadCall(f"{item!r} is no id such as bamboogle_51622")
    return item in there


def refuse_missing(options: SearchQAOptions) -> None:
    """Refuses what a source needs of the data folder and is not there, in one line."""
    named = {CORPUS: options.corpus or options.retriever, QUESTIONS: options.questions}
    needs = tuple(group for group in NEEDS if not named.get(group[0]))
    if not (options.questions and VARIABLE not in os.environ):
        refuse_lacking(data_folder(), needs)


def _places(options: SearchQAOptions) -> tuple[Path, Path | None, bool]:
    """The file of questions, the folder with the published ids, and whether questions without a passage are asked.

    Who names a file of questions needs no folder.
    """
    data = None if options.questions and VARIABLE not in os.environ else data_folder()
    return _file(options.questions, QUESTIONS), data, bool(options.retriever)


def _file(chosen: str, usual: str) -> Path:
    """A file that a setting names, else the usual one."""
    return Path(chosen) if chosen else data_folder() / usual


@cache
def _pools(questions: Path, data: Path | None, unanswerable: bool) -> dict[str, list[Task]]:
    rows = (row for row in read_questions(questions) if row.answerable or unanswerable)
    asked = {row.text: row for row in rows}.values()  # two sets may ask the same
    ids = frozenset(published_ids(data, "searchqa", "test")) if data else frozenset[str]()
    drawn = sorted(asked, key=lambda row: (_item(row) not in ids, _draw(row)))
    test = [row for row in drawn if not row.split.startswith("train")][:TEST_SIZE]
    tested = {row.line for row in test}
    train = [row for row in drawn if row.line not in tested]
    return {
        "test": [_task(row, "test") for row in sorted(test, key=_draw)],
        "train": [_task(row, "train") for row in sorted(train, key=_draw)],
    }


def _item(row: Row) -> str:
    """A question's published id."""
    return f"{row.dataset}_{_number(row)}"


def _number(row: Row) -> int:
    """The published number of a question whose id is its place in its set, else one of ours."""
    place = _PLACE.fullmatch(row.id)
    first = FIRST.get((row.dataset, place[1])) if place else None
    return UNPUBLISHED + row.line if place is None or first is None else first + int(place[2])


def _draw(row: Row) -> str:
    return digest(["searchqa", row.text])


def _task(row: Row, split: str) -> Task:
    return Task(
        env="searchqa",
        split=split,
        id=f"searchqa_{_number(row)}",
        difficulty="easy" if row.dataset in EASY_SETS else "hard",
        world={"question": row.text, "answers": list(row.answers), "dataset": row.dataset},
    )


@cache
def _index(path: Path) -> Bm25:
    corpus = Corpus(read_passages(path))
    if not len(corpus):
        raise BadCall(
            f"{path} holds no passages; a service that finds some is named by source.options.searchqa.retriever"
        )
    return Bm25(corpus)


@cache
def _service(address: str) -> Service:
    return Service(address)


@cache
def _file_digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return digest([path.stat().st_size, sha256(file.read(_HEAD)).hexdigest()])
    except OSError as error:
        raise BadCall(f"cannot read the passages in {path}: {error.strerror}") from None
