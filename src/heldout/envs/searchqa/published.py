"""SearchQA's real tasks: questions of published sets over passages of Wikipedia."""

import os
from collections.abc import Container, Iterator, Sequence
from functools import cache, partial
from hashlib import sha256
from pathlib import Path

from heldout.data.check import Check, Noted, check_source
from heldout.data.folder import VARIABLE, Needs, data_folder, ids_path, published_ids, refuse_lacking
from heldout.data.pools import refuse_twins
from heldout.envs.lazy import refuse_unknown_split
from heldout.envs.searchqa.bm25 import Bm25
from heldout.envs.searchqa.files import Row, read_passages, read_questions
from heldout.envs.searchqa.options import SearchQAOptions
from heldout.envs.searchqa.passages import Corpus, Retriever
from heldout.envs.searchqa.pools import Pools, number_of, pools_of
from heldout.envs.searchqa.released import CORPUS, QUESTIONS, freshness
from heldout.envs.searchqa.service import Service
from heldout.envs.searchqa.sets import number_of as number_in
from heldout.envs.searchqa.world import Question, World
from heldout.errors import BadCall
from heldout.records import Task, digest

EASY_SETS = frozenset({"nq", "triviaqa", "popqa", "hotpotqa"})
"""Sets whose questions mostly take one fact or two."""

NEEDS: Needs = ((QUESTIONS,), (CORPUS,), (ids_path("searchqa", "test"),))
"""What the questions are read from, and what is searched where no service is."""

_HEAD = 1 << 20
"""Bytes of a corpus that go into its digest, beside its size: a whole wiki-18 has fourteen gigabytes."""


def published_tasks(split: str, options: SearchQAOptions) -> Sequence[Task]:
    """The questions of one split; no demonstrations, since nobody wrote down the facts behind a question.

    Which are in which says `pools.py`.
    """
    refuse_unknown_split(split)
    return _tasks(*_places(options))[split]


def left_out(options: SearchQAOptions) -> int:
    """How many questions are asked in neither split, since another has their words."""
    return len(_pools(*_places(options)).left_out)


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
    splits = _tasks(*_places(options))
    searched = options.retriever or _file_digest(_file(options.corpus, CORPUS))
    asked = {split: [digest({"env": task.env, "world": task.world}) for task in splits[split]] for split in splits}
    return digest([asked, searched])


def checks(data: Path) -> Iterator[Check]:
    """The passages, the questions on them, whether both are of today's sets, and the published test ids."""
    passages, questions, ids = data / CORPUS, data / QUESTIONS, ids_path("searchqa", "test")
    yield check_source(data, CORPUS, "passages that are read", partial(read_passages, passages), bool)
    asked = cache(partial(_read_pools, questions, data if (data / ids).exists() else None, False))
    read = partial(read_questions, questions)
    yield check_source(data, QUESTIONS, "questions that are asked", read, lambda row: _is_asked(row, asked()))
    yield from freshness(data)

    def listed() -> list[str]:
        tested.update(map(number_of, asked().test) if questions.exists() else ())
        return published_ids(data, "searchqa", "test")

    tested = set[int]()
    yield check_source(data, ids, "ids with a question that is asked", listed, partial(_is_there, tested))


def _is_asked(row: Row, pools: Pools) -> bool:
    if reason := pools.left_out.get(row.line):
        raise Noted(reason)
    return row.answerable


def _is_there(there: Container[int], item: str) -> bool:
    if (number := number_in(item)) is None:
        raise BadCall(f"{item!r} is no id such as bamboogle_51622")
    return number in there


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
def _tasks(questions: Path, data: Path | None, unanswerable: bool) -> dict[str, list[Task]]:
    pools = _pools(questions, data, unanswerable)
    return {
        "test": [_task(row, "test") for row in pools.test],
        "train": [_task(row, "train") for row in pools.train],
        "demonstrations": [],
    }


def _read_pools(questions: Path, data: Path | None, unanswerable: bool) -> Pools:
    ids = _published_numbers(data) if data else []
    rows = (row for row in read_questions(questions) if row.answerable or unanswerable)
    return pools_of(rows, frozenset(ids))


def _published_numbers(data: Path) -> list[int]:
    """The numbers in the list of test ids; one that stands there twice is refused."""
    listed = map(number_in, published_ids(data, "searchqa", "test"))
    ids = [number for number in listed if number is not None]
    refuse_twins(data, "searchqa", {"test": [(f"searchqa_{number}", number) for number in ids]})
    return ids


def _task(row: Row, split: str) -> Task:
    return Task(
        env="searchqa",
        split=split,
        id=f"searchqa_{number_of(row)}",
        difficulty="easy" if row.dataset in EASY_SETS else "hard",
        world={"question": row.text, "answers": list(row.answers), "dataset": row.dataset},
    )


_pools = cache(_read_pools)


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
