"""`heldout evaluate`: what was lost is told, and what was measured otherwise is never averaged with it."""

import json
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest

from heldout.analysis.scores import summarise
from heldout.cli import main
from heldout.errors import HeldoutError
from heldout.store.runs import StudyFolder

SHAKY = """
from dataclasses import replace

from heldout.config import Source
from heldout.envs import corridor
from heldout.errors import Unavailable

GOOD = corridor.suite(Source())
SHUT = set()


def open_(task):
    if task.id in SHUT or "every" in SHUT:
        raise Unavailable("the corridor is shut")
    return GOOD.open(task)


SUITE = replace(GOOD, open=open_)
"""
CALL = "evaluate --model oracle --envs shaky:SUITE --metric avg@2 --limit 4 --split train --out run"

Said = Callable[[], tuple[str, str]]


@pytest.fixture(autouse=True)
def shut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """The tasks at which a module of somebody's breaks off; it is imported once, since suites are kept."""
    (tmp_path / "shaky.py").write_text(SHAKY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    shut: set[str] = import_module("shaky").SHUT
    yield shut
    shut.clear()


def test_attempts_that_were_lost_are_told_under_the_table(said: Said, shut: set[str]) -> None:
    shut.add("corridor_4")
    assert main(CALL.split()) == 0
    told = "shaky:SUITE.easy.train: 2 of 8 attempts lost to errors, counted in no figure"
    assert said()[0].splitlines()[-1] == told
    shut.clear()
    assert main(CALL.split()) == 0
    assert "lost" not in said()[0]


def test_attempts_that_were_lost_are_in_json_and_a_cell_without_any_other_is_told_beside_it(
    said: Said, shut: set[str]
) -> None:
    shut.add("corridor_1")
    assert main([*CALL.split(), "--json"]) == 0
    out, err = said()
    counts = {
        cell["difficulty"]: [cell[name] for name in ("n", "k", "asked", "played", "lost")]
        for cell in json.loads(out)
    }
    assert counts == {"all": [7, 2, 16, 14, 2], "easy": [4, 2, 8, 8, 0], "hard": [3, 2, 8, 6, 2]}
    assert "heldout: shaky:SUITE.hard.train: 2 of 8 attempts lost to errors, counted in no figure\n" in err
    shut.add("every")
    assert main([*CALL.replace("run", "other").split(), "--json"]) == 0
    out, err = said()
    assert json.loads(out) == []
    assert "shaky:SUITE.easy.train: 8 of 8 attempts lost to errors" in err
    assert "shaky:SUITE.hard.train: 8 of 8 attempts lost to errors" in err


def test_a_folder_that_holds_two_turn_limits_is_evaluated_by_either_and_averaged_by_none(said: Said) -> None:
    scores = []
    for turns in ("1", "3", "1"):
        assert main([*CALL.split(), "--json", "--max-turns", turns]) == 0
        scores.append({cell["difficulty"]: cell["score"] for cell in json.loads(said()[0])})
    nothing, everything = (dict.fromkeys(("all", "easy", "hard"), score) for score in (0.0, 1.0))
    assert scores == [nothing, everything, nothing]
    rows = list(StudyFolder(Path("run")).evaluation("base", 0, 0).rows("shaky:SUITE"))
    assert len(rows) == 32
    with pytest.raises(
        HeldoutError, match=r"shaky:SUITE.easy.train: rows of different max_turns .* averaged: 1 and 3"
    ):
        summarise(rows)


def test_how_many_tasks_one_of_k_attempts_does_is_told_for_each_k(said: Said) -> None:
    call = CALL.replace("oracle", "random").replace("avg@2", "avg@3").split()
    assert main([*call, "--pass-at", "--json"]) == 0
    [whole, *_] = json.loads(said()[0])
    assert list(whole["pass_at"]) == ["1", "2", "3"]
    shares = [point["share"] for point in whole["pass_at"].values()]
    assert shares == sorted(shares)
    assert shares[0] == pytest.approx(whole["success"])
    assert main([*call, "--pass-at"]) == 0
    _, table = said()[0].split("Of 100 tasks, those that one of k attempts did, and 95 % intervals:\n")
    for number, share in enumerate(shares, start=1):
        assert f"PASS@{number}" in table
        assert f" {100 * share:.1f} [" in table


def test_a_curve_is_of_one_agent(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*CALL.split(), "--pass-at", "--controls"]) == 2
    assert "--pass-at is of one agent, and --controls measures several" in capsys.readouterr().err
