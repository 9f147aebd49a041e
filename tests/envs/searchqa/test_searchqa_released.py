"""The published question sets: fetched, made into questions and passages once, and asked."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from heldout.config import Option, Source
from heldout.data.catalogue import source_of
from heldout.data.fetch import fetch, from_mirror
from heldout.data.folder import ids_path
from heldout.envs.base import Suite
from heldout.envs.searchqa import suite
from heldout.envs.searchqa.files import read_passages, read_questions
from heldout.envs.searchqa.released import CORPUS, QUESTIONS, freshness, prepare
from heldout.envs.searchqa.sets import SETS, QuestionSet
from heldout.errors import BadCall, HeldoutError
from heldout.records import Ending, Json

TOWNS = ("Oak Hill", "Elm Bay", "Ash Ford")

SMALL = tuple(replace(each, size=3) for each in SETS)
"""All the sets, as if each had three questions."""


def question(each: QuestionSet, place: int) -> dict[str, Json]:
    """A question as FlashRAG has it; those of three sets have passages beside them, each in another form."""
    town, name = TOWNS[place], f"{each.name} {each.split} {place}"
    row = {"id": f"{each.split}_{place}", "question": f"where was {name} born", "golden_answers": [town]}
    titles, texts = [name, town], [[f"{name} was born in {town}.", " It rained."], ["A town."]]
    metadata: dict[str, Json] = {
        "hotpotqa": {"context": {"title": titles, "sentences": texts}},
        "2wikimultihopqa": {"context": {"title": titles, "content": texts}},
        "musique": {"paragraphs": [{"title": name, "paragraph_text": " ".join(texts[0])}]},
    }
    return row | {"metadata": metadata.get(each.name, {})}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the nine sets, fetched from a mirror, and three published ids: no passage answers the last."""
    mirror, data = tmp_path / "mirror", tmp_path / "data"
    for each in SMALL:
        path = mirror / each.name / f"{each.split}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(question(each, place)) + "\n" for place in range(3)))
    source = from_mirror(source_of("searchqa"), mirror.as_uri())
    for file in source.files:
        fetch(source, file, data, lambda _: None)
    ids = data / ids_path("searchqa", "test")
    ids.parent.mkdir(parents=True)
    listed = ("hotpotqa_29191", "2wikimultihopqa_36597", "bamboogle_51588")
    ids.write_text(json.dumps([{"item_id": item} for item in listed]))
    monkeypatch.setenv("HELDOUT_DATA", str(data))
    return data


def made(data: Path) -> list[str]:
    return prepare(data, lambda _: None, SMALL)


def real(**options: str) -> Suite:
    return suite(Source(kind="real", options=tuple(Option("searchqa", *each) for each in sorted(options.items()))))


def test_fetched_sets_are_made_into_questions_and_the_oracle_answers_them(folder: Path) -> None:
    assert made(folder) == [QUESTIONS, CORPUS]
    found = real()
    tasks = {task.id: task for task in found.tasks("test")}
    assert {"searchqa_29191", "searchqa_36597"} < tasks.keys()
    for number, town in (("29191", "Elm Bay"), ("36597", "Ash Ford")):
        task = tasks[f"searchqa_{number}"]
        assert task.world["answers"] == [town]
        episode = found.open(task)
        step = episode.start()
        step = episode.step(f"<search>{task.world['question']}</search>")
        assert f"born in {town}" in step.observation
        while step.ending is None:
            step = episode.step(found.players.oracle(episode.world))
        assert step.ending is Ending.SOLVED


def test_kept_are_published_ids_what_passages_answer_and_what_is_trained_on(folder: Path) -> None:
    made(folder)
    rows = list(read_questions(folder / QUESTIONS))
    assert {(row.dataset, row.split) for row in rows} == {
        ("hotpotqa", "dev"),
        ("2wikimultihopqa", "dev"),
        ("musique", "dev"),
        ("bamboogle", "test"),
        ("nq", "train"),
        ("hotpotqa", "train"),
    }
    assert [row.id for row in rows if row.dataset == "bamboogle"] == ["test_0"]
    assert {row.dataset for row in rows if row.answerable} == {"hotpotqa", "2wikimultihopqa", "musique"}
    passages = list(read_passages(folder / CORPUS))
    assert [passage.name for passage in passages].count("Oak Hill") == 1  # two sets have it
    assert len(passages) == 9 + 3
    assert passages[0].text == "hotpotqa dev 0 was born in Oak Hill. It rained."


def test_a_service_is_asked_what_the_passages_do_not_answer(folder: Path) -> None:
    made(folder)
    (folder / CORPUS).unlink()
    with pytest.raises(BadCall, match=r"which has no searchqa/corpus\.jsonl\.xz: heldout data fetch searchqa"):
        real()
    served = real(retriever="http://127.0.0.1:9")
    assert "searchqa_51588" in {task.id for task in served.tasks("test")}
    assert {task.world["dataset"] for task in served.tasks("train")} == {"nq", "hotpotqa"}


def test_what_is_fresh_is_not_made_again_and_what_is_stale_is(folder: Path) -> None:
    made(folder)
    assert made(folder) == []
    assert [check.faults for check in freshness(folder, SMALL)] == [(), ()]
    path = folder / SETS[0].place
    path.write_text(path.read_text().replace("nq", "NQ"))
    assert [check.faults for check in freshness(folder, SMALL)] == [
        (f"it was made of another {SETS[0].place}: heldout data prepare searchqa",)
    ] * 2
    assert made(folder) == [QUESTIONS, CORPUS]
    path.unlink()
    assert [check.faults for check in freshness(folder, SMALL)] == [(), ()]


def test_what_was_put_there_by_hand_is_kept(folder: Path) -> None:
    (folder / QUESTIONS).write_bytes(b"mine")
    with pytest.raises(BadCall, match=r"questions\.jsonl\.xz was put there by hand, and is kept"):
        made(folder)
    assert (folder / QUESTIONS).read_bytes() == b"mine"
    assert list(freshness(folder, SMALL)) == []


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (lambda text: text + text.splitlines()[0] + "\n", "has 4 questions, not the 3 that the published numbers"),
        (lambda text: text.replace('"question"', '"asked"', 1), "line 1 is no question; if it is damaged, remove"),
        (lambda text: text[:-5], "line 3 is not JSON"),
    ],
)
def test_a_set_that_is_not_the_published_one_makes_nothing(
    folder: Path, change: Callable[[str], str], wrong: str
) -> None:
    path = folder / "searchqa" / "musique" / "dev.jsonl"
    path.write_text(change(path.read_text()))
    with pytest.raises(HeldoutError, match=wrong):
        made(folder)
    assert not (folder / QUESTIONS).exists()


def test_a_set_that_is_missing_is_named_with_what_brings_it(folder: Path) -> None:
    (folder / SETS[1].place).unlink()
    with pytest.raises(
        BadCall, match=r"has no searchqa/triviaqa/test\.jsonl: heldout data fetch searchqa brings it"
    ):
        made(folder)
