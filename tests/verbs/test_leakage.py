"""`heldout data leakage` compares the splits of each environment."""

import json

import pytest

from heldout.cli import main

CORRIDOR = "heldout.envs.corridor:suite"


def test_a_line_a_comparison_in_two_tables_of_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "leakage", "--envs", "textcraft", "alfworld", "--limit", "20"]) == 0
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.split()[0] for line in lines if " : " in line and "TASKS" not in line] == [
        *["textcraft"] * 3,
        *["alfworld"] * 3,
    ] * 2
    assert " ".join(lines[4].split()) == "textcraft test : train 20 20 0.0 % 0.0 % 0.0 %"


def test_the_same_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "leakage", "--envs", CORRIDOR, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(each["env"], each["of"], each["among"], each["tasks"], each["others"]) for each in found] == [
        (CORRIDOR, "test", "train", 20, 20),
        (CORRIDOR, "test", "demonstrations", 20, 20),
        (CORRIDOR, "train", "train", 20, 19),
    ]
    # Two doors make one opening, whichever leads out: the instruction cannot be told from what is seen.
    assert found[0]["content"] == 0.0
    assert found[0]["instruction"] == found[0]["opening"] > 0
    assert found[0]["nearest_opening"]["most"] == 1.0


def test_a_source_is_set_as_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    call = "data leakage --envs textcraft --limit 5 --json --set source.profile=standard --variant words=17"
    assert main(call.split()) == 0
    assert len(json.loads(capsys.readouterr().out)) == 3


def test_an_unknown_environment_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "leakage", "--envs", "babiai"]) == 2
    assert "unknown environment 'babiai'; did you mean 'babyai'?" in capsys.readouterr().err
