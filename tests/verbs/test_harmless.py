"""Hostile text of an environment, a file or a name goes through every verb that prints, and is shown harmlessly."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from heldout.cli import main
from heldout.printable import printable

Said = Callable[[], tuple[str, str]]

HOSTILE = "\x1b]0;owned\x07\x1b[2J\u202egnp\u200b\x9b1m\ud83d\U000e0041"
SHOWN = printable(HOSTILE)
NAME = f"{HOSTILE}\n# <b>|`[a](https://b)`"

MODULE = f'''
from dataclasses import replace

from heldout.config import Source
from heldout.envs import corridor

HOSTILE, NAME = {HOSTILE!r}, {NAME!r}
GOOD = corridor.suite(Source())


class Hostile:
    """The corridor, whose every word is hostile."""

    def __init__(self, env):
        self._env = env

    @property
    def world(self):
        return self._env.world

    def start(self):
        return self._said(self._env.start())

    def step(self, action):
        if action == "break":
            raise RuntimeError(NAME)
        return self._said(self._env.step(action))

    def _said(self, step):
        return replace(step, observation=f"{{step.observation}} {{HOSTILE}}")


def tasks(split):
    return [replace(each, id=f"{{each.id}} {{NAME}}") for each in GOOD.tasks(split)]


SUITE = replace(
    GOOD, tasks=tasks, open=lambda task: Hostile(GOOD.open(task)), source=NAME, actions=(NAME,),
    players=replace(GOOD.players, mistakes=lambda world: [corridor.oracle(world)]),
)


def broken(source):
    raise ValueError(NAME)
'''


@pytest.fixture(autouse=True)
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module with hostile environments, in the folder that the command is called from."""
    (tmp_path / "hostile.py").write_bytes(MODULE.encode())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "hostile", raising=False)


def assert_harmless(*texts: str) -> None:
    for text in texts:
        assert printable(text) == text
        assert "\n# <b>" not in text


def test_what_an_environment_says_in_play(monkeypatch: pytest.MonkeyPatch, said: Said) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(":hint\nread note\nopen pink door\n:quit\n"))
    assert main(["play", "hostile:SUITE"]) == 0
    out, err = said()
    assert_harmless(out, err)
    assert out.count(SHOWN) >= 4  # the task's id, and each observation


def test_laws_that_name_a_hostile_task(said: Said) -> None:
    assert main(["laws", "hostile:SUITE", "--limit", "2"]) == 1
    out, err = said()
    assert_harmless(out, err)
    assert SHOWN in out


def test_json_keeps_the_exact_text(said: Said) -> None:
    assert main(["laws", "hostile:SUITE", "--limit", "2", "--json"]) == 1
    out, err = said()
    assert_harmless(out, err)
    assert any(NAME in result["smallest"] for result in json.loads(out))


@pytest.mark.parametrize(
    "call",
    [
        ["play", NAME],
        [NAME],
        ["envs", "--set", f"{NAME}=1"],
        ["envs", f"--{HOSTILE}"],
        ["laws", "hostile:broken"],
        ["play", "hostile:SUITE", "--task", NAME],
        ["evaluate", "--model", f"./{NAME}", "--envs", "textcraft"],
        ["train", "--model", "pocket", "--env", NAME],
        ["replay", NAME.replace("\x00", "").replace("\ud83d", "")],
        ["data", "fetch", NAME],
        ["study", "unlock", HOSTILE.replace("\ud83d", "")],
    ],
    ids=lambda call: " ".join(call)[:12].encode("ascii", "replace").decode(),
)
def test_an_error_that_repeats_what_it_was_given_is_one_harmless_line(call: list[str], said: Said) -> None:
    assert main(call) in (1, 2)
    out, err = said()
    assert_harmless(out, err)
    assert err.startswith("heldout: ")
    assert err.count("\n") == 1
    out.encode()
    err.encode()


def test_a_log_with_hostile_episodes(tmp_path: Path, said: Said) -> None:
    steps = [{"action": HOSTILE, "observation": HOSTILE}]
    values = [
        {"id": NAME, "env": "babyai", "task": {"level": 1, "seed": 0}, "kind": "expert", "steps": steps},
        {"id": "b", "env": NAME, "task": {}, "kind": "expert", "steps": steps},
        {NAME: 1},
        NAME,
    ]
    path = tmp_path / "log.jsonl"
    path.write_text("".join(f"{json.dumps(value)}\n" for value in values))
    assert main(["replay", str(path), "--out", str(tmp_path / "out.jsonl")]) == 1
    out, err = said()
    assert_harmless(out, err)
    assert SHOWN in out
    assert json.loads((tmp_path / "out.jsonl").read_text())["id"] == NAME


def test_data_with_hostile_ids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: Said) -> None:
    lists = tmp_path / "data" / "agentgym_item_ids"
    for name in ("train/babyai_train.json", "eval/babyai_test.json"):
        (lists / name).parent.mkdir(parents=True)
        (lists / name).write_text(json.dumps([{"item_id": NAME}]))
    monkeypatch.setenv("HELDOUT_DATA", str(tmp_path / "data"))
    assert main(["data", "check", "--envs", "babyai"]) in (0, 1)
    assert_harmless(*said())


@pytest.mark.slow
def test_an_evaluation_of_hostile_tasks(said: Said) -> None:
    call = "evaluate --model oracle --envs hostile:SUITE --limit 2 --metric avg@1"
    assert main(call.split()) == 0
    assert_harmless(*said())
    assert main([*call.split(), "--json"]) == 0
    assert_harmless(*said())
