"""SearchQA's real tasks: questions of published sets over passages of Wikipedia."""

import json
import os
import re
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path

from heldout.config import SearchQA
from heldout.envs.searchqa.bm25 import Bm25
from heldout.envs.searchqa.files import Row, read_passages, read_questions
from heldout.envs.searchqa.passages import Corpus, Retriever
from heldout.envs.searchqa.service import Service
from heldout.envs.searchqa.world import Question, World
from heldout.errors import BadCall, unknown
from heldout.records import Task, digest

CORPUS = Path("searchqa", "corpus.jsonl.xz")
QUESTIONS = Path("searchqa", "questions.jsonl.xz")
IDS = Path("agentgym_item_ids", "eval", "searchqa_test.json")
"""All under HELDOUT_DATA; the ids are CC BY-NC, so never part of this package."""

FIRST = {
    ("nq", "test"): 0,
    ("triviaqa", "test"): 3610,
    ("popqa", "test"): 14923,
    ("hotpotqa", "dev"): 29190,
    ("2wikimultihopqa", "dev"): 36595,
    ("musique", "dev"): 49171,
    ("bamboogle", "test"): 51588,
    ("nq", "train"): 51713,
    ("hotpotqa", "train"): 130881,
}
"""The published number of each set's first question (spec §2.7)."""

UNPUBLISHED = 1_000_000
"""From here on: questions whose place in their set the file does not say, by their line."""

TEST_SIZE = 400
"""As in the paper (Table 5)."""

EASY_SETS = frozenset({"nq", "triviaqa", "popqa", "hotpotqa"})
"""Sets whose questions mostly take one fact or two."""

_PLACE = re.compile(r"(train|dev|test)_(\d+)")
_HEAD = 1 << 20
"""Bytes of a corpus that go into its digest, beside its size: a whole wiki-18 has fourteen gigabytes."""


def published(pool: str, options: SearchQA) -> Sequence[Task]:
    """The questions of one pool; no demonstrations, since nobody wrote down the facts behind a question.

    `test` has the published ids that are there, then questions drawn by their hash; none of a set's own training
    split. `train` has all others.
    """
    if pool not in ("demonstrations", "train", "test"):
        raise unknown("pool", pool, ("demonstrations", "train", "test"))
    return _pools(options, _data()).get(pool, [])


def opened(task: Task, options: SearchQA, *, exact_original: bool) -> World:
    """The world of a real task."""
    asked = Question(task.world["question"], tuple(task.world["answers"]))
    return World(asked, retriever(options), exact_original=exact_original)


def retriever(options: SearchQA) -> Retriever:
    """The service that is named, or BM25 over the file of passages; made once for all episodes."""
    return _service(options.retriever) if options.retriever else _index(_corpus(options))


def data_digest(options: SearchQA) -> str:
    """A digest of the questions in their pools, and of what is searched."""
    pools = _pools(options, _data())
    searched = options.retriever or _file_digest(_corpus(options))
    return digest([{pool: [task.digest for task in tasks] for pool, tasks in pools.items()}, searched])


def _data() -> Path | None:
    folder = os.environ.get("HELDOUT_DATA")
    return Path(folder) if folder else None


def _corpus(options: SearchQA) -> Path:
    return _file(options.corpus, _data(), CORPUS)


def _file(chosen: str, data: Path | None, usual: Path) -> Path:
    """A file that a setting names, else the usual one."""
    if chosen:
        return Path(chosen)
    if data is None:
        raise BadCall(f"HELDOUT_DATA is not set: it names the folder with {usual}")
    return data / usual


@cache
def _pools(options: SearchQA, data: Path | None) -> dict[str, list[Task]]:
    rows = [*read_questions(_file(options.questions, data, QUESTIONS))]
    answerable = [row for row in rows if row.answerable or options.retriever]
    ids = _published_ids(data)
    drawn = sorted(answerable, key=lambda row: (f"{row.dataset}_{_number(row)}" not in ids, _draw(row)))
    test = [row for row in drawn if not row.split.startswith("train")][:TEST_SIZE]
    tested = {row.line for row in test}
    train = [row for row in drawn if row.line not in tested]
    return {
        "test": [_task(row, "test") for row in sorted(test, key=_draw)],
        "train": [_task(row, "train") for row in sorted(train, key=_draw)],
    }


def _published_ids(data: Path | None) -> frozenset[str]:
    """The 400 published test ids, such as `bamboogle_51622`; none where their file is not there."""
    path = data / IDS if data else None
    if path is None or not path.exists():
        return frozenset()
    try:
        return frozenset(str(item["item_id"]) for item in json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BadCall(f"{path} is no list of objects with an item_id such as bamboogle_51622 ({error})") from None


def _number(row: Row) -> int:
    """The published number of a question whose id is its place in its set, else one of ours."""
    place = _PLACE.fullmatch(row.id)
    first = FIRST.get((row.dataset, place[1])) if place else None
    return UNPUBLISHED + row.line if place is None or first is None else first + int(place[2])


def _draw(row: Row) -> str:
    return digest(["searchqa", row.text])


def _task(row: Row, pool: str) -> Task:
    return Task(
        env="searchqa",
        split=pool,
        id=f"searchqa_{_number(row)}",
        difficulty="easy" if row.dataset in EASY_SETS else "hard",
        world={"question": row.text, "answers": list(row.answers), "dataset": row.dataset},
    )


@cache
def _index(path: Path) -> Bm25:
    corpus = Corpus(read_passages(path))
    if not len(corpus):
        raise BadCall(f"{path} holds no passages")
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
