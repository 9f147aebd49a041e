"""Recorded episodes of SearchQA: played again by `heldout replay`, over what their retriever found."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from heldout.cli import main
from heldout.envs.searchqa.passages import Passage
from heldout.envs.searchqa.protocol import format_passages, passages_in
from heldout.envs.searchqa.replay import from_question
from heldout.records import Json

TASK = {
    "question": "Who won?",
    "golden_answers": ["Ada", "Ada Grant"],
    "docs": [{"id": "0", "contents": '"Cup"\nThe cup was won by Ada.'}],
}
FOUND = '<information>Doc 1(Title: "Cup") The cup was won by Ada.</information>'
RIGHT = "Congratulations! You have answered the question correctly."
STEPS = (
    {"action": "<search>cup</search>", "observation": FOUND, "reward": 0.0, "done": False},
    {"action": "<answer>Ben</answer><answer>Ada</answer>", "observation": RIGHT, "reward": 1.0, "done": True},
    {"action": "<answer>ada grant</answer>", "observation": RIGHT, "reward": 1.0, "done": True},
)


def recorded(folder: Path, task: Json, start: str = "Think first, then act.\n\n Question: Who won?") -> str:
    path = folder / "episodes.jsonl"
    path.write_text(json.dumps({"env": "searchqa", "id": "one", "task": task, "start": start, "steps": STEPS}))
    return str(path)


def test_an_episode_replays_over_the_passages_that_were_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", recorded(tmp_path, TASK)]) == 0
    assert capsys.readouterr().out == "episodes: 1, steps: 3, differences: 0\n"


def test_our_rules_answer_as_the_table_of_quirks_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", recorded(tmp_path, TASK), "--rules", "fixed"]) == 1
    out = capsys.readouterr().out
    assert "one, step 2" in out
    assert "one, step 3" not in out
    assert out.endswith("episodes: 1, steps: 3, differences: 1\n")


def test_an_opening_is_compared_from_its_question_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert from_question("Any prompt. Question: who? Question: Who won?") == "Question: Who won?"
    assert from_question("nothing asked") == "nothing asked"
    assert main(["replay", recorded(tmp_path, TASK, "Question: Who lost?")]) == 1
    assert "one, start" in capsys.readouterr().out


def test_what_was_played_by_ours_replays_without_a_difference(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = tmp_path / "ours.jsonl"
    assert main(["replay", recorded(tmp_path, TASK), "--out", str(ours)]) == 0
    assert main(["replay", str(ours)]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("task", "wrong"),
    [
        ({}, r"has a question and golden_answers, .* \(there are: none\)"),
        ({"question": "Who?"}, "there are: question"),
        (TASK | {"golden_answers": 3}, "has a question and golden_answers"),
        (TASK | {"docs": "none"}, "docs is a list of objects with contents, not 'none'"),
        (TASK | {"docs": [{"id": 1}]}, "one of docs is an object with contents"),
    ],
)
def test_a_task_that_is_none_is_named(
    tmp_path: Path, task: Json, wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", recorded(tmp_path, task)]) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert re.search(rf"line 1: .*{wrong}", err)


PROMPT = "Reason first, then act.\n\n Question: Who won?"
SAID = (
    "Reason, then search.",
    "Ok.",
    PROMPT,
    "<think>I look.</think>\n<search> cup </search>",
    FOUND,
    "<think>Ada.</think><answer>Ada</answer>",
    RIGHT,
)


def dialogue(folder: Path, said: Sequence[str] = SAID, reward: float = 1) -> str:
    talk = [{"from": ("human", "gpt")[at % 2], "loss": None, "value": text} for at, text in enumerate(said)]
    path = folder / "dialogues.json"
    path.write_text(json.dumps([{"item_id": "searchqa_7", "conversations": talk, "reward": reward}], indent=4))
    return str(path)


def questions(folder: Path, text: str) -> list[str]:
    path = folder / "questions.jsonl"
    path.write_text(json.dumps({"question": text, "golden_answers": ["Ada"]}) + "\n")
    corpus = folder / "corpus.jsonl"
    corpus.write_text(json.dumps({"id": "0", "contents": '"Cup"\nThe cup.'}) + "\n")
    option = "source.options.searchqa"
    return ["--set", "source.kind=real", f"{option}.questions={path}", f"{option}.corpus={corpus}"]


def test_a_dialogue_is_played_over_what_its_retriever_found_and_the_published_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = questions(tmp_path, "Who won")
    assert main(["replay", dialogue(tmp_path), *asked]) == 0
    assert capsys.readouterr().out == "episodes: 1, steps: 2, differences: 0\n"
    wrong = dialogue(tmp_path, [*SAID[:-2], "<answer>Ben</answer>", RIGHT])
    assert main(["replay", wrong, *asked]) == 1
    out = capsys.readouterr().out
    assert "observation" in out
    assert "reward" in out


def test_a_dialogue_on_a_question_that_is_not_there_is_not_played(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", dialogue(tmp_path), *questions(tmp_path, "Who lost")]) == 1
    assert capsys.readouterr().err.endswith(
        "item 1: no question of the file of questions is 'Who won?', so its right answer is not known\n"
    )


def test_passages_are_read_back_from_an_answer_to_a_search() -> None:
    passages = (Passage("0", '"Cup (film) of 1990"\nIt (first) was won.'), Passage("1", "Cup -\nA title."))
    told = format_passages(passages, exact_original=True)
    assert passages_in(told) == passages
    assert passages_in("Nothing found.") == ()
