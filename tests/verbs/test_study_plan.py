"""`heldout study plan` as people and programs read it."""

import json
from pathlib import Path

import pytest

from heldout.cli import main


def test_a_plan_says_pieces_trainings_cost_and_questions(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    call = "study plan pocket-sequence --envs textcraft,babyai --seeds 0 --limit 3 --metric avg@2 --no-controls"
    assert main(call.split()) == 0
    said = capsys.readouterr().out
    assert said.startswith(
        "runs/pocket-sequence, base pocket\nsequence: 4 chains, 1 seed, 4 cells of 3 tasks, avg@2"
    )
    assert "\nbabyai " in said
    assert "\n  > textcraft " in said
    assert "not matched: 7,680 against 3,840 training episodes" in said
    assert not list(tmp_path.iterdir())
    assert main([*call.split(), "--json"]) == 0
    [plan] = json.loads(capsys.readouterr().out)
    assert plan["pieces"]["train"]["episodes_left"] == 4 * 3840
    assert plan["pieces"]["measure"]["count"] == 5 * 4
    assert [each["finding"] for each in plan["studies"][0]["endpoints"]] == [
        "forgetting",
        "forgetting",
        "downstream",
    ]


def test_a_plan_that_cannot_be_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "plan", "pocket-transfr"]) == 2
    assert "unknown recipe 'pocket-transfr'; did you mean 'pocket-transfer'?" in capsys.readouterr().err
