"""`heldout data list` shows the sources and their licences; `heldout data fetch` brings one here."""

import json
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from heldout.cli import main
from heldout.data.catalogue import sources
from heldout.envs.registry import open_suite

Said = Callable[[], str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder of data, and no suite that was opened over another."""
    data = tmp_path / "data"
    data.mkdir()
    monkeypatch.setenv("HELDOUT_DATA", str(data))
    open_suite.cache_clear()
    yield data
    open_suite.cache_clear()


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    return lambda: capsys.readouterr().out


def test_every_source_is_listed_with_its_licence_and_what_is_here(folder: Path, said: Said) -> None:
    (folder / "textcraft").mkdir()
    (folder / "textcraft" / "recipes.tar.xz").touch()
    assert main(["data", "list", "--json"]) == 0
    listed = {entry["name"]: entry for entry in json.loads(said())["sources"]}
    assert list(listed) == [source.name for source in sources()]
    assert (listed["textcraft"]["here"], listed["textcraft"]["files"], listed["textcraft"]["bytes"]) == (1, 1, None)
    assert (listed["agentgym_ids"]["here"], listed["agentgym_ids"]["licence"]) == (0, "CC BY-NC 4.0")
    assert main(["data", "list"]) == 0
    told = said()
    assert "  licence  CC BY-NC 4.0\n" in told
    assert told.count("  sums     all known\n") == 3
    assert "  sums     first fetch is trusted, of 1 of 3 files\n" in told
    assert "  sums     first fetch is trusted\n" in told
    assert listed["alfworld"]["first_fetch_trusted"] == ["alfworld/json_2.1.1"]


def test_the_list_ends_with_what_can_be_played(folder: Path, said: Said) -> None:
    for split in ("train/babyai_train.json", "eval/babyai_test.json"):
        (folder / "agentgym_item_ids" / split).parent.mkdir(parents=True)
        (folder / "agentgym_item_ids" / split).write_text("[]")
    assert main(["data", "list"]) == 0
    *_, textcraft, babyai, searchqa, webshop, alfworld = said().splitlines()
    assert babyai == "babyai: its real tasks can be played (--set source.kind=real)"
    for line, name in (
        (textcraft, "textcraft"),
        (searchqa, "searchqa"),
        (webshop, "webshop"),
        (alfworld, "alfworld"),
    ):
        command = f"heldout data fetch {name} agentgym_ids"
        assert line == f"{name}: its real tasks cannot be played; what brings the rest: {command}"


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("env", ["alfworld", "webshop", "searchqa"])
def test_an_evaluation_without_the_data_is_told_the_command_that_brings_it(
    env: str, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["evaluate", "--model", "oracle", "--envs", env, "--set", "source.kind=real"]
    assert main(call) == 2
    err = capsys.readouterr().err.strip()
    assert err.endswith(f": heldout data fetch {env} agentgym_ids brings them")
    assert err.count("\n") == 0


def test_only_searchqa_has_something_to_prepare(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "prepare", "webshop"]) == 2
    assert "webshop reads its files as they were published: there is nothing" in capsys.readouterr().err
    assert main(["data", "prepare", "webshap"]) == 2
    assert main(["data", "prepare", "searchqa"]) == 2
    assert "heldout data fetch agentgym_ids searchqa brings them" in capsys.readouterr().err
    assert list(folder.iterdir()) == []


def test_a_list_needs_no_folder(said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HELDOUT_DATA", raising=False)
    assert main(["data", "list"]) == 0
    assert said().endswith(
        "HELDOUT_DATA is not set: it names the folder that `heldout data fetch NAME` brings them to.\n"
    )


def test_the_licence_is_said_before_anything_is_fetched(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "fetch", "agentgym_ids", "--from", (tmp_path / "nowhere").as_uri()]) == 1
    out, err = capsys.readouterr()
    assert out.splitlines()[1].startswith("licence: CC BY-NC 4.0; https://huggingface.co/")
    assert err.startswith(f"heldout: could not fetch file://{tmp_path}/nowhere/alfworld_train.json: ")
    assert err.endswith("what came is kept: heldout data fetch agentgym_ids\n")
    assert err.count("\n") == 1
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_a_mirror_with_other_content_is_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    (mirror / "alfworld_train.json").write_text("[]")
    assert main(["data", "fetch", "agentgym_ids", "--from", mirror.as_uri()]) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert "is not what it was: 2 bytes, not 266172; nothing was kept" in said
    assert [path for path in folder.rglob("*") if path.is_file()] == []


@pytest.mark.usefixtures("folder")
def test_an_unknown_source_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "fetch", "webshops"]) == 2
    assert capsys.readouterr().err.startswith("heldout: unknown source 'webshops'; did you mean 'webshop'?")


def test_without_a_folder_the_variable_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("HELDOUT_DATA", raising=False)
    assert main(["data", "fetch", "textcraft"]) == 2
    assert capsys.readouterr().err.startswith("heldout: HELDOUT_DATA is not set")


@pytest.mark.slow
@pytest.mark.realdata
@pytest.mark.skipif("HELDOUT_DATA" not in os.environ, reason="HELDOUT_DATA is not set")
def test_what_is_fetched_is_what_the_environments_read(
    tmp_path: Path, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, mirror, data = Path(os.environ["HELDOUT_DATA"]), tmp_path / "mirror", tmp_path / "data"
    mirror.mkdir()
    for path in real.glob("agentgym_item_ids/*/*.json"):
        shutil.copy(path, mirror)
    [recipes] = next(source for source in sources() if source.name == "textcraft").files
    with tarfile.open(real / recipes.path) as packed:
        packed.extractall(tmp_path / "unpacked", filter="data")
    with tarfile.open(mirror / Path(recipes.url).name, "w:gz") as tar:
        tar.add(tmp_path / "unpacked" / "recipes", f"AgentGym-main/{recipes.inside}")
    data.mkdir()
    monkeypatch.setenv("HELDOUT_DATA", str(data))
    for name in ("agentgym_ids", "textcraft"):
        assert main(["data", "fetch", name, "--from", mirror.as_uri(), "--json"]) == 0
        assert {file["state"] for file in json.loads(said())} == {"fetched"}
        assert main(["data", "fetch", name, "--json"]) == 0
        assert {file["state"] for file in json.loads(said())} == {"there"}
    assert main(["data", "check", "--envs", "textcraft", "babyai", "--json"]) == 0
    checks = json.loads(said())["checks"]
    assert {check["source"]: check["good"] for check in checks}["textcraft/recipes.tar.xz"] == 860
    assert not any(check["missing"] for check in checks)


def test_a_fetch_without_a_known_sum_says_that_it_is_trusted(folder: Path, tmp_path: Path, said: Said) -> None:
    (tmp_path / "wiki-18.jsonl.gz").write_bytes(b"passages")
    call = ["data", "fetch", "wiki18", "--from", tmp_path.as_uri()]
    assert main(call) == 0
    told = said()
    assert "first fetch is trusted, since no sum is known: searchqa/wiki-18.jsonl.gz\n" in told
    assert "fetched; first fetch is trusted, later ones are held to its sum" in told
    (folder / "searchqa" / "wiki-18.jsonl.gz").unlink()
    assert main(call) == 0
    assert "first fetch is trusted" not in said()
    (folder / "searchqa" / "wiki-18.jsonl.gz").unlink()
    (tmp_path / "wiki-18.jsonl.gz").write_bytes(b"other")
    assert main(call) == 1
