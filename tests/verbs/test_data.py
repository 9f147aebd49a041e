"""`heldout data check` says what is there, what is good of it, and what is wrong."""

import json
import os
from importlib import import_module
from pathlib import Path

import pytest

from heldout.cli import main
from heldout.config import Source
from heldout.data.check import Check
from heldout.envs import babyai
from heldout.errors import BadCall
from heldout.verbs.data import format_checks


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HELDOUT_DATA", str(tmp_path))
    return tmp_path


def listed(folder: Path, split: str, *ids: str) -> None:
    path = folder / "agentgym_item_ids" / split
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([{"item_id": item} for item in ids]))


def test_what_is_not_there_is_no_fault(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "check", "--envs", "babyai", "textcraft", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {check["source"] for check in found["checks"] if check["missing"]} == {
        "agentgym_item_ids/train/babyai_train.json",
        "agentgym_item_ids/eval/babyai_test.json",
        "agentgym_item_ids/train/textcraft_train.json",
        "agentgym_item_ids/eval/textcraft_test.json",
        "textcraft/recipes.tar.xz",
    }
    assert [(state["env"], state["playable"], state["mend"]) for state in found["environments"]] == [
        ("babyai", False, "heldout data fetch agentgym_ids"),
        ("textcraft", False, "heldout data fetch textcraft agentgym_ids"),
    ]
    assert list(folder.iterdir()) == []


@pytest.mark.usefixtures("folder")
def test_what_is_not_there_is_told_with_the_fetch_that_brings_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "check", "--envs", "textcraft"]) == 0
    out = capsys.readouterr().out
    assert (
        "textcraft/recipes.tar.xz: HELDOUT_DATA has to name a folder with it (heldout data fetch textcraft" in out
    )
    assert (
        "agentgym_item_ids/eval/textcraft_test.json: HELDOUT_DATA has to name a folder with it (heldout data" in out
    )


def test_what_is_damaged_cannot_be_played_and_is_told_with_what_mends_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed(folder, "train/babyai_train.json", "babyai_0")
    listed(folder, "eval/babyai_test.json", "doors_1")
    assert main(["data", "check", "--envs", "babyai"]) == 1
    test = "agentgym_item_ids/eval/babyai_test.json"
    assert capsys.readouterr().out.splitlines()[-1] == (
        f"babyai: its real tasks cannot be played: {test} is not what it should be; "
        f"if it is damaged, remove {test} from HELDOUT_DATA, then: heldout data fetch agentgym_ids"
    )


def test_ids_that_lead_nowhere_are_named_and_the_status_is_1(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed(folder, "train/babyai_train.json", "babyai_0", "babyai_4", "babyai_24")
    listed(folder, "eval/babyai_test.json", "babyai_0", "doors_1")
    assert main(["data", "check", "--envs", "babyai"]) == 1
    out, err = capsys.readouterr()
    assert "babyai_train.json: babyai_24 is of level 25, for which no tasks were published" in out
    assert "babyai_test.json: 'doors_1' is no id such as babyai_0" in out
    assert err.splitlines()[-1].startswith("heldout: 2 of 2 looks found faults: agentgym_item_ids/train/babyai")


def test_goals_whose_recipes_are_not_there_are_unresolved(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for split in ("train/textcraft_train.json", "eval/textcraft_test.json"):
        listed(folder, split, *(f"textcraft_{number + len(split)}" for number in (0, 5)))
    assert main(["data", "check", "--envs", "textcraft", "--json"]) == 0
    _, train, test, _ = json.loads(capsys.readouterr().out)["checks"]
    assert (train["there"], train["good"], train["unresolved"], train["faults"]) == (2, 0, 2, [])
    assert test["unresolved"] == 2


def test_many_faults_are_counted_and_the_first_are_shown() -> None:
    check = Check(source="games", what="games that load", there=9, good=2, faults=tuple("abcdefg"))
    lines = format_checks([check]).splitlines()
    assert lines[2].split() == ["games", "games", "that", "load", "9", "2", "0", "7"]
    assert lines[3:] == [*(f"games: {fault}" for fault in "abcde"), "games: … and 2 more"]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("data check --envs babiai", "unknown environment 'babiai'; did you mean 'babyai'?"),
        ("data", "data: say what (choose from: check, leakage, list, fetch, prepare)"),
        ("data chekc", "unknown data 'chekc'; did you mean 'check'?"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_wrong_call_is_one_line(call: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(call.split()) == 2
    assert capsys.readouterr().err.startswith(f"heldout: {said}")


def test_a_folder_that_is_not_there_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HELDOUT_DATA", str(folder / "data"))
    assert main(["data", "check"]) == 2
    assert capsys.readouterr().err == f"heldout: HELDOUT_DATA names {folder}/data, which is no folder\n"


@pytest.mark.slow
@pytest.mark.realdata
@pytest.mark.skipif("HELDOUT_DATA" not in os.environ, reason="HELDOUT_DATA is not set")
def test_the_real_data_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "check", "--envs", "textcraft", "babyai", "--json"]) == 0
    found = {
        check["source"]: (check["there"], check["good"]) for check in json.loads(capsys.readouterr().out)["checks"]
    }
    assert found == {
        "textcraft/recipes.tar.xz": (860, 860),
        "agentgym_item_ids/train/textcraft_train.json": (374, 374),
        "agentgym_item_ids/eval/textcraft_test.json": (100, 100),
        "agentgym_item_ids/train/babyai_train.json": (810, 810),
        "agentgym_item_ids/eval/babyai_test.json": (90, 90),
        "agentgym_item_ids": (900, 897),  # of babyai: in three pairs of training seeds the worlds are one
    }


@pytest.mark.parametrize(
    ("train", "test", "told"),
    [
        ((0, 1), (1, 1, 40), "babyai_1 is in the test ids and in the train ids, and 1 more are as wrong"),
        ((0, 1), (40, 40), "babyai_40 stands twice in the test ids"),
        ((0, 0), (40,), "babyai_0 stands twice in the train ids"),
    ],
)
def test_lists_that_overlap_or_repeat_are_refused_and_reported(
    folder: Path, capsys: pytest.CaptureFixture[str], train: tuple[int, ...], test: tuple[int, ...], told: str
) -> None:
    listed(folder, "train/babyai_train.json", *(f"babyai_{number}" for number in train))
    listed(folder, "eval/babyai_test.json", *(f"babyai_{number}" for number in test))
    with pytest.raises(BadCall, match=told):
        babyai.suite(Source(kind="real"))
    assert main(["data", "check", "--envs", "babyai"]) == 1
    printed = capsys.readouterr()
    assert f"agentgym_item_ids: {told.partition(',')[0]}\n" in printed.out
    assert "babyai: its real tasks cannot be played: agentgym_item_ids" in printed.out


def test_two_ids_of_one_world_are_a_fault_in_two_splits_and_noted_in_one(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed(folder, "train/babyai_train.json", "babyai_43", "babyai_1323")
    listed(folder, "eval/babyai_test.json", "babyai_0")
    assert main(["data", "check", "--envs", "babyai"]) == 0
    assert "babyai_1323 (train) is the same task as babyai_43 (train)" in capsys.readouterr().out
    listed(folder, "train/babyai_train.json", "babyai_43")
    listed(folder, "eval/babyai_test.json", "babyai_1323")
    assert main(["data", "check", "--envs", "babyai"]) == 1
    assert "babyai_1323 (test) is the same task as babyai_43 (train)" in capsys.readouterr().out


@pytest.mark.realdata
@pytest.mark.parametrize("env", ["textcraft", "webshop", "alfworld"])
def test_overlapping_lists_are_refused_in_every_environment_that_has_two(
    env: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "HELDOUT_DATA" not in os.environ:
        pytest.skip("HELDOUT_DATA is not set")
    for source in Path(os.environ["HELDOUT_DATA"]).iterdir():
        if source.is_dir() and source.name != "agentgym_item_ids":
            (tmp_path / source.name).symlink_to(source)
    listed(tmp_path, f"train/{env}_train.json", f"{env}_3", f"{env}_4")
    listed(tmp_path, f"eval/{env}_test.json", f"{env}_4")
    monkeypatch.setenv("HELDOUT_DATA", str(tmp_path))
    suite = import_module(f"heldout.envs.{env}").suite  # anew: that of the registry is kept for its folder
    with pytest.raises(BadCall, match=f"{env}_4 is in the test ids and in the train ids"):
        suite(Source(kind="real")).tasks("test")
