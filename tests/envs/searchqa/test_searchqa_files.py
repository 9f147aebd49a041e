"""Corpora and question files of others, and what of them become tasks."""

import json
import lzma
import sys
from collections import Counter
from pathlib import Path
from subprocess import run

import pyarrow.parquet
import pytest

from heldout.config import Option, Source
from heldout.data.folder import ids_path
from heldout.envs.base import Suite, find_task
from heldout.envs.searchqa import suite
from heldout.envs.searchqa.files import read_passages, read_questions
from heldout.envs.searchqa.options import SearchQAOptions
from heldout.envs.searchqa.pools import UNPUBLISHED
from heldout.envs.searchqa.published import checks, retriever
from heldout.errors import BadCall, HeldoutError
from heldout.records import Ending, Json, digest

IDS = ids_path("searchqa", "test")
CORPUS = (
    {"id": "0", "contents": '"Ada Grant"\nAda Grant was born in Oak Hill.'},
    {"id": 1, "title": "Ben &amp; Co", "text": "Ben &amp; Co was founded in 1901."},
)


def lines(path: Path, rows: object) -> Path:
    text = "".join(json.dumps(row) + "\n" for row in rows)  # type: ignore[attr-defined]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(lzma.compress(text.encode()) if path.suffix == ".xz" else text.encode())
    return path


def question(number: int, dataset: str = "hotpotqa", split: str = "dev", **more: Json) -> dict[str, Json]:
    row = {"dataset": dataset, "split": split, "id": f"{split}_{number}", "question": f"Who is {number}?"}
    return row | {"answers": [f"Mr {number}"]} | more


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of data: two passages, and questions from three splits."""
    rows = [*(question(n) for n in range(500)), *(question(n, "nq", "train") for n in range(500, 520))]
    rows += [question(n, "bamboogle", "test") for n in (33, 34)] + [question(999, answer_in_corpus=False)]
    rows[33]["question"] += " (1)"
    rows[34]["question"] += " (1)"
    lines(tmp_path / "searchqa" / "questions.jsonl.xz", rows)
    lines(tmp_path / "searchqa" / "corpus.jsonl.xz", CORPUS)
    (tmp_path / IDS).parent.mkdir(parents=True)
    (tmp_path / IDS).write_text('[{"item_id": "bamboogle_51622"}, {"item_id": "nq_17"}]')
    monkeypatch.setenv("HELDOUT_DATA", str(tmp_path))
    return tmp_path


def real(**options: str) -> Suite:
    return suite(Source(kind="real", options=tuple(Option("searchqa", *each) for each in sorted(options.items()))))


def test_passages_are_read_in_wiki_18_s_form_and_in_ours(tmp_path: Path) -> None:
    for name in ("corpus.jsonl", "corpus.jsonl.xz"):
        first, second = read_passages(lines(tmp_path / name, CORPUS))
        assert (first.id, first.title, first.text) == ("0", '"Ada Grant"', "Ada Grant was born in Oak Hill.")
        assert (second.id, second.title, second.text) == ("1", '"Ben & Co"', "Ben &amp; Co was founded in 1901.")


def test_questions_are_read_in_flashrag_s_form_and_in_ours(tmp_path: Path) -> None:
    rows = [{"id": "dev_7", "question": " who won ", "golden_answers": ["Ada"]}, question(3, answers="Ben")]
    first, second = read_questions(lines(tmp_path / "q.jsonl", rows))
    assert (first.text, first.answers, first.id, first.dataset) == ("who won?", ("Ada",), "dev_7", "")
    assert (second.answers, second.dataset, second.split, second.line) == (("Ben",), "hotpotqa", "dev", 2)


@pytest.mark.parametrize("name", ["answer", "answers", "golden_answers"])
def test_gold_answers_stand_under_nq_open_s_name_too(tmp_path: Path, name: str) -> None:
    [row] = read_questions(lines(tmp_path / "q.jsonl", [{"question": "who won", name: ["Ada", "Ada Grant"]}]))
    assert row.answers == ("Ada", "Ada Grant")


def test_questions_are_read_from_parquet_as_from_lines(tmp_path: Path) -> None:
    rows = [{**row, "prompt": [{"role": "user", "content": "x"}]} for row in towns("train")]
    parquet = tmp_path / "queries.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), parquet)
    assert list(read_questions(parquet)) == list(read_questions(lines(tmp_path / "queries.jsonl", rows)))
    parquet.write_bytes(b"PAR1")
    with pytest.raises(BadCall, match=r"queries\.parquet is no Parquet that can be read: "):
        list(read_questions(parquet))
    with pytest.raises(BadCall, match=r"there is no file .*nowhere\.parquet"):
        list(read_questions(tmp_path / "nowhere.parquet"))


def test_without_pyarrow_one_line_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "q.parquet").write_bytes(b"PAR1")
    code = "import sys; sys.modules['pyarrow'] = None; from pathlib import Path\n"
    code += "from heldout.envs.searchqa.files import read_questions\n"
    code += f"list(read_questions(Path({str(tmp_path / 'q.parquet')!r})))"
    ran = run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stderr.strip().endswith("pyarrow is not installed: pip install 'heldout[parquet]'")


def test_half_a_surrogate_pair_is_read_as_a_question_mark(tmp_path: Path) -> None:
    [passage] = read_passages(lines(tmp_path / "c.jsonl", [{"id": "\ud800", "contents": "a\ud800"}]))
    [row] = read_questions(lines(tmp_path / "q.jsonl", [question(1, question="who\ud800")]))
    assert (passage.id, passage.contents, row.text) == ("?", "a?", "who?")


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        ([], "line 1 is no object"),
        ({"question": "Who?"}, "no question, or no answers"),
        ({"question": "Who?", "answers": [3]}, "no question, or no answers"),
        ({"question": " ", "answers": ["x"]}, "no question, or no answers"),
    ],
)
def test_a_line_that_is_no_question_is_named(tmp_path: Path, row: Json, wrong: str) -> None:
    with pytest.raises(BadCall, match=wrong):
        list(read_questions(lines(tmp_path / "q.jsonl", [row])))


def test_a_line_that_is_no_passage_is_named(tmp_path: Path) -> None:
    for row in ({"id": 1}, {"contents": 3}, {"title": "", "text": ""}):
        with pytest.raises(BadCall, match="line 1 is no passage"):
            list(read_passages(lines(tmp_path / "c.jsonl", [row])))
    (tmp_path / "c.jsonl").write_text("{")
    with pytest.raises(HeldoutError, match="line 1 is not JSON"):
        list(read_passages(tmp_path / "c.jsonl"))


@pytest.mark.usefixtures("folder")
def test_test_tasks_are_published_ids_first_and_never_of_a_training_split() -> None:
    test, train = real().tasks("test"), real().tasks("train")
    assert (len(test), len(train), len(real().tasks("demonstrations"))) == (400, 122, 0)
    assert "searchqa_51622" in {task.id for task in test}  # bamboogle's test_34
    assert not any(task.world["dataset"] == "nq" for task in test)
    assert Counter(task.world["dataset"] for task in train)["nq"] == 20
    assert {digest(task.world) for task in test}.isdisjoint(digest(task.world) for task in train)


@pytest.mark.usefixtures("folder")
def test_a_task_has_its_published_number_where_the_file_says_its_place() -> None:
    ids = {task.world["question"]: task.id for split in ("test", "train") for task in real().tasks(split)}
    assert ids["Who is 7?"] == "searchqa_29197"
    assert ids["Who is 505?"] == "searchqa_52218"
    difficulties = {task.world["dataset"]: task.difficulty for task in [*real().tasks("test")]}
    assert difficulties == {"hotpotqa": "easy", "bamboogle": "hard"}


def test_a_task_without_one_is_numbered_by_its_line(folder: Path) -> None:
    path = lines(folder / "q.jsonl", [question(1, id="5a77ec"), question(2, "musique", id="2hop__1_2")])
    tasks = real(questions=str(path)).tasks("test")
    assert {task.id for task in tasks} == {f"searchqa_{UNPUBLISHED + 1}", f"searchqa_{UNPUBLISHED + 2}"}


@pytest.mark.usefixtures("folder")
def test_what_the_corpus_cannot_answer_is_asked_only_of_a_service() -> None:
    asked = {task.world["question"] for split in ("test", "train") for task in real().tasks(split)}
    assert "Who is 999?" not in asked
    served = real(retriever="http://127.0.0.1:9")
    assert "Who is 999?" in {task.world["question"] for split in ("test", "train") for task in served.tasks(split)}
    assert served.data != real().data


def test_the_corpus_is_another_file_where_one_is_named(folder: Path) -> None:
    other = lines(folder / "mine.jsonl", [{"id": "9", "contents": "Mine\nThe mine is deep."}])
    [passage] = retriever(SearchQAOptions(corpus=str(other))).search("mine", 3)
    assert passage.id == "9"
    assert real(corpus=str(other)).data != real().data
    assert retriever(SearchQAOptions(corpus=str(other))) is retriever(SearchQAOptions(corpus=str(other)))
    empty = folder / "none.jsonl"
    empty.write_text("")
    with pytest.raises(BadCall, match="holds no passages"):
        retriever(SearchQAOptions(corpus=str(empty)))


@pytest.mark.usefixtures("folder")
def test_the_oracle_searches_a_real_question_before_it_answers() -> None:
    real_suite = real()
    episode = real_suite.open(real_suite.tasks("test")[0])
    first = real_suite.players.oracle(episode.world)
    assert first == f"<search>{episode.world.question.text}</search>"
    step, turns = episode.start(), 0
    while step.ending is None:
        step, turns = episode.step(real_suite.players.oracle(episode.world)), turns + 1
    assert (step.ending, turns) == (Ending.SOLVED, 3)


def test_without_the_folder_one_line_says_what_to_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("HELDOUT_DATA", raising=False)
    with pytest.raises(BadCall, match="HELDOUT_DATA is not set: it names the folder"):
        real()
    monkeypatch.setenv("HELDOUT_DATA", str(tmp_path))
    with pytest.raises(
        BadCall, match=r"no searchqa/questions\.jsonl\.xz, .*: heldout data fetch searchqa agentgym_ids"
    ):
        real()
    lines(tmp_path / "searchqa" / "questions.jsonl.xz", [question(1)])
    with pytest.raises(
        BadCall, match=r"which has no agentgym_item_ids/eval/searchqa_test\.json: heldout data fetch"
    ):
        real(retriever="http://127.0.0.1:9")
    (tmp_path / IDS).parent.mkdir(parents=True)
    (tmp_path / IDS).write_text("[]")
    with pytest.raises(BadCall, match=r"no searchqa/corpus\.jsonl\.xz: heldout data fetch searchqa brings it"):
        real()
    assert len(real(retriever="http://127.0.0.1:9").tasks("test")) == 1


def test_a_look_through_the_data_counts_passages_questions_and_ids(folder: Path) -> None:
    passages, questions, ids = checks(folder)
    assert (passages.there, passages.good, passages.faults) == (2, 2, ())
    assert (questions.there, questions.good, questions.unresolved) == (523, 522, 1)
    assert (ids.there, ids.good, ids.unresolved) == (2, 1, 1)
    (folder / IDS).write_text('[{"item_id": "squad_1"}, {"item_id": "nq_x"}]')
    *_, ids = checks(folder)
    assert ids.faults == ("'squad_1' is no id such as bamboogle_51622", "'nq_x' is no id such as bamboogle_51622")
    (folder / "searchqa" / "questions.jsonl.xz").unlink()
    _, questions, ids = checks(folder)
    assert (questions.missing, ids.unresolved, len(ids.faults)) == (True, 0, 2)


@pytest.mark.slow
@pytest.mark.realdata
def test_the_real_questions_and_passages_load(data: Path) -> None:
    assert data.is_dir()
    found = real()
    test, train = found.tasks("test"), found.tasks("train")
    assert (len(test), len(train)) == (400, 3869)
    sets = Counter(task.world["dataset"] for task in test)
    assert sets == {"2wikimultihopqa": 179, "popqa": 94, "musique": 53, "hotpotqa": 45, "bamboogle": 29}
    assert Counter(task.difficulty for task in train) == {"hard": 1980, "easy": 1889}
    counted = [(check.there, check.good, check.unresolved, check.faults) for check in checks(data)]
    assert counted == [(35881, 35881, 0, ()), (4689, 4269, 420, ()), (400, 29, 371, ())]
    [passage, *_] = retriever(SearchQAOptions()).search("George Rankin politician", 3)
    assert "Rankin" in passage.name


@pytest.mark.slow
@pytest.mark.realdata
def test_the_oracle_solves_the_real_test_questions(data: Path) -> None:
    assert data.is_dir()
    found = real()
    for task in found.tasks("test"):
        episode = found.open(task)
        step, turns = episode.start(), 0
        while step.ending is None and turns < 5:
            step, turns = episode.step(found.players.oracle(episode.world)), turns + 1
        assert step.ending is Ending.SOLVED, task


def towns(split: str, count: int = 12) -> list[dict[str, Json]]:
    return [
        {
            "id": f"train_{n}",
            "question": f"which country is town {n} in",
            "golden_answers": [f"country {n}"],
            "data_source": "nq",
            "extra_info": {"split": split, "index": n},
        }
        for n in range(count)
    ]


def splits(path: Path) -> dict[str, list[str]]:
    """The ids of the questions of a file, where no passage has to answer them."""
    found = real(questions=str(path), retriever="http://127.0.0.1:9")
    return {split: sorted(task.id for task in found.tasks(split)) for split in ("test", "train")}


@pytest.mark.usefixtures("folder")
def test_a_split_is_said_by_an_id_and_by_extra_info_as_well_as_by_a_field(tmp_path: Path) -> None:
    rows = towns("train")
    assert splits(lines(tmp_path / "q.jsonl", rows)) == {
        "test": [],
        "train": [f"searchqa_{51713 + n}" for n in range(12)],
    }
    bare = [{name: value for name, value in row.items() if name != "extra_info"} for row in rows]
    assert splits(lines(tmp_path / "bare.jsonl", bare))["test"] == []
    said = [row | {"id": f"town {n}"} for n, row in enumerate(rows)]
    assert splits(lines(tmp_path / "said.jsonl", said))["test"] == []


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", ["train.jsonl", "nq_train.jsonl.xz", "train/questions.jsonl", "nq/train.jsonl"])
def test_a_split_is_said_by_the_name_of_the_file_or_its_folder(tmp_path: Path, name: str) -> None:
    rows = [{"id": n, "question": f"which country is town {n} in", "golden_answers": ["A"]} for n in range(3)]
    assert [len(found) for found in splits(lines(tmp_path / name, rows)).values()] == [0, 3]
    both = splits(lines(tmp_path / "train_and_test.jsonl", rows))
    assert [len(found) for found in both.values()] == [3, 0]  # nothing says it of any of them


@pytest.mark.usefixtures("folder")
def test_a_set_that_lies_in_its_folder_as_flashrag_has_it_keeps_its_published_numbers(tmp_path: Path) -> None:
    rows = [{"id": f"test_{n}", "question": f"who is {n}", "golden_answers": [f"Mr {n}"]} for n in (0, 34)]
    found = splits(lines(tmp_path / "bamboogle" / "test.jsonl", rows))
    assert found == {"test": ["searchqa_51588", "searchqa_51622"], "train": []}


@pytest.mark.usefixtures("folder")
def test_fields_that_say_two_splits_are_refused_with_their_values(tmp_path: Path) -> None:
    wrong = r"q\.jsonl: line 1: a question is of one split, but extra_info\.split is 'test' and id 'train_0'"
    with pytest.raises(BadCall, match=wrong):
        splits(lines(tmp_path / "q.jsonl", towns("test")))
    with pytest.raises(BadCall, match=r"split is 'dev' and the file's name 'train\.jsonl'"):
        splits(lines(tmp_path / "train.jsonl", [question(1)]))
    # Some call a development set their test set: neither is trained on.
    both = splits(lines(tmp_path / "test.jsonl", [question(1, extra_info={"split": "test"})]))
    assert both == {"test": ["searchqa_29191"], "train": []}


def river(dataset: str, place: str, answer: str = "Joni Mitchell", words: str = "who wrote the song river") -> Json:
    return {"data_source": dataset, "id": place, "question": words, "golden_answers": [answer]}


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("backwards", [False, True])
def test_equal_words_never_move_a_published_question(folder: Path, listed: bool, backwards: bool) -> None:
    (folder / IDS).write_text('[{"item_id": "nq_2"}]' if listed else "[]")
    rows = [river("nq", "test_2"), river("nq", "train_5", words="Who wrote the song  River?"), question(7)]
    lines(folder / "searchqa" / "questions.jsonl.xz", rows[::-1] if backwards else rows)
    found = real()
    assert {task.id for task in found.tasks("test")} == {"searchqa_2", "searchqa_29197"}
    assert found.tasks("train") == []
    assert found.source.endswith("; 1 are left out, whose words another has")
    _, questions, ids = checks(folder)
    twin, kept = (2, 3) if backwards else (2, 1)
    reason = f"line {twin} (nq_51718) is left out: it has the words of line {kept} (nq_2)"
    assert (questions.there, questions.good, questions.faults, questions.noted) == (3, 2, (), (reason,))
    assert (ids.there, ids.good) == (int(listed), int(listed))


def test_of_equal_words_and_other_answers_the_published_one_of_each_id_stays(folder: Path) -> None:
    (folder / IDS).write_text('[{"item_id": "nq_2"}, {"item_id": "popqa_14926"}]')
    rows = [river("nq", "test_2"), river("mine", "a", "Leon Bridges"), river("popqa", "test_3", "Leon Bridges")]
    lines(folder / "searchqa" / "questions.jsonl.xz", [*rows, river("nq", "test_2", "Bruce Springsteen")])
    found = real()
    answers = {task.id: task.world["answers"] for task in found.tasks("test")}
    assert answers == {"searchqa_2": ["Joni Mitchell"], "searchqa_14926": ["Leon Bridges"]}
    assert found.tasks("train") == []
    _, questions, ids = checks(folder)
    assert (questions.good, len(questions.noted), ids.good) == (2, 2, 2)


def test_one_published_number_for_two_questions_is_refused(folder: Path) -> None:
    rows = [river("nq", "test_2"), river("nq", "test_2", words="who wrote the song hallelujah")]
    lines(folder / "searchqa" / "questions.jsonl.xz", rows)
    with pytest.raises(BadCall, match=r"lines 1 and 2 are two questions, .*, and both are nq_2 \(id 'test_2'\)"):
        real()


@pytest.mark.usefixtures("folder")
def test_a_number_past_the_end_of_a_set_is_no_other_set_s(tmp_path: Path) -> None:
    rows = [question(7404), question(7405), question(99999), question(0, "nq", "dev")]
    found = splits(lines(tmp_path / "q.jsonl", rows))["test"]
    assert found == ["searchqa_1000002", "searchqa_1000003", "searchqa_1000004", "searchqa_36594"]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("spelled", ["bamboogle_51622", "searchqa_51622", "51622", "bamboogle/test_34"])
def test_a_question_is_found_however_its_published_id_is_spelled(spelled: str) -> None:
    assert find_task(real(), spelled).id == "searchqa_51622"


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("other", ["nq_51622", "hotpotqa_dev_99999", "hotpotqa_129189", "bamboogle_test_125"])
def test_a_number_of_another_set_is_no_question(other: str) -> None:
    with pytest.raises(
        BadCall, match=rf"searchqa has no task '{other}' in test or train \(choose from 522, the nearest: searchqa_"
    ):
        find_task(real(), other)


def test_the_published_list_may_spell_its_ids_by_the_set_or_by_the_environment(folder: Path) -> None:
    (folder / IDS).write_text('[{"item_id": "searchqa_51622"}, {"item_id": 51621}]')
    assert {"searchqa_51621", "searchqa_51622"} < {task.id for task in real().tasks("test")}


def test_a_published_id_that_stands_twice_is_refused(folder: Path) -> None:
    (folder / IDS).write_text('[{"item_id": "searchqa_51622"}, {"item_id": "bamboogle_51622"}]')
    with pytest.raises(BadCall, match=r"searchqa_test\.json: searchqa_51622 stands twice in the test ids"):
        real()
