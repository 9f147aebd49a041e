"""`heldout laws`: on a registered name, on anybody's value or function, and on what is neither."""

import json
import sys
from pathlib import Path

import pytest

from heldout.cli import main
from heldout.envs.laws import LAWS

FAULTY = '''
from dataclasses import replace

from heldout.config import Source
from heldout.envs import corridor

GOOD = corridor.suite(Source())
TEMPTED = replace(GOOD, players=replace(GOOD.players, mistakes=lambda world: [corridor.oracle(world)]))
EMPTY = replace(GOOD, tasks=lambda split: [])
READS = []


class Forgetful:
    """Says something else the third time that a note is read in this program."""

    def __init__(self, env):
        self._env = env
        self.start = env.start

    @property
    def world(self):
        return self._env.world

    def step(self, action):
        step = self._env.step(action)
        if action != "read note":
            return step
        READS.append(action)
        return replace(step, observation=f"{step.observation} {len(READS)}")


def forgetful(source):
    return replace(GOOD, rules=source.rules, open=lambda task: Forgetful(GOOD.open(task)))


def broken(source):
    raise ZeroDivisionError("no tracks")
'''


@pytest.fixture(autouse=True)
def faulty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of somebody's, in the folder that the command is called from."""
    (tmp_path / "faulty.py").write_text(FAULTY)
    (tmp_path / "halfway.py").write_text("import faulty\nfaulty.nothing_there\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "faulty", raising=False)


@pytest.mark.parametrize("name", ["heldout.envs.corridor:suite", "faulty:GOOD"])
def test_a_suite_that_keeps_the_laws_gets_a_line_a_law(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["laws", name]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [["ok", law.__name__] for law in LAWS]
    assert lines[-1].endswith("  No mistake is what the oracle would do.")


def test_a_registered_name_is_looked_up(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["laws", "textcraft", "--limit", "1", "--json"]) == 0
    assert [verdict["breaches"] for verdict in json.loads(capsys.readouterr().out)] == [[]] * len(LAWS)


def test_a_broken_law_is_told_by_its_smallest_example_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["laws", "faulty:TEMPTED"]) == 1
    out, err = capsys.readouterr()
    assert out.splitlines()[-2:] == [
        "BROKEN  mistakes_are_not_the_oracles   No mistake is what the oracle would do.",
        "        corridor_2: the oracle's action is among the mistakes after [] (and 39 more)",
    ]
    assert err == f"heldout: faulty:TEMPTED breaks 1 of {len(LAWS)} laws: mistakes_are_not_the_oracles\n"


def test_of_many_actions_only_those_are_told_that_break_a_law(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["laws", "faulty:forgetful", "--json"]) == 1
    verdicts = {verdict["law"]: verdict for verdict in json.loads(capsys.readouterr().out)}
    smallest = verdicts["same_actions_same_answers"]["smallest"]
    assert smallest.partition(" ")[2] == "answers the same actions differently: ['read note']"
    assert smallest in verdicts["same_actions_same_answers"]["breaches"]
    assert verdicts["the_oracle_solves"] == {
        "law": "the_oracle_solves",
        "says": "The player that sees the world solves at least this share of the tasks of each split.",
        "breaches": [],
        "smallest": "",
    }


def test_a_suite_without_tasks_keeps_nothing_by_having_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["laws", "faulty:EMPTY"]) == 1
    out = capsys.readouterr().out.splitlines()
    assert out[1] == "        the split test is empty (and 1 more)"


def test_fewer_tasks_are_looked_at_where_fewer_are_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["laws", "faulty:TEMPTED", "--limit", "1"]) == 1
    assert capsys.readouterr().out.splitlines()[-1].endswith("after [] (and 1 more)")


@pytest.mark.parametrize(
    ("name", "status", "told"),
    [
        ("textkraft", 2, "unknown environment 'textkraft'; did you mean 'textcraft'?"),
        ("no.where:suite", 2, "module 'no.where' cannot be imported: ModuleNotFoundError"),
        ("halfway:suite", 2, "module 'halfway' cannot be imported: AttributeError"),
        ("faulty:GOOT", 2, "unknown suite in faulty 'GOOT'; did you mean 'GOOD'? (choose from "),
        ("faulty:READS", 2, "faulty:READS is of type list: a Suite is asked for, or a function of a Source"),
        ("faulty:replace", 2, "faulty:replace is of type Source: a Suite is asked for"),
        ("faulty:broken", 1, "faulty:broken raises ZeroDivisionError('no tracks')"),
    ],
)
def test_what_is_no_suite_is_told_in_one_line(
    name: str, status: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["laws", name]) == status
    err = capsys.readouterr().err
    assert err.startswith(f"heldout: {told}")
    assert err.count("\n") == 1
