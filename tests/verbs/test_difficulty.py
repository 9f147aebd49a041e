"""`heldout difficulty` measures by draws of its own; what it writes is what `--difficulty` then means."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from heldout.agents import agent_of
from heldout.chains import Stage
from heldout.cli import main
from heldout.config import Config, Source, without_paths
from heldout.envs.registry import open_suite
from heldout.records import Row, digest
from heldout.store.difficulty import read
from heldout.store.rows import Rows
from heldout.store.runs import StudyFolder
from heldout.study.halves import reference_name
from heldout.training.job import Job
from heldout.training.pocket_recipe import Recipe

MEASURE = "difficulty --model random-legal --envs textcraft --n-samples 2 --limit 12 --json"
Measured = Callable[..., dict[str, Any]]


@pytest.fixture
def measured(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Measured:
    """Runs the verb in a folder and gives what it prints."""

    def run(call: str = MEASURE, folder: str = "measured") -> dict[str, Any]:
        capsys.readouterr()
        assert main([*call.split(), "--out", str(tmp_path / folder)]) == 0
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    return run


def rows_in(path: Path) -> list[Row]:
    return list(Rows(path, Row))


def test_the_halves_are_written_shown_and_made_again_without_playing(measured: Measured, tmp_path: Path) -> None:
    found = measured()
    [textcraft] = found["envs"]
    assert textcraft["sizes"]["train"] == {"easy": 6, "hard": 6}
    assert textcraft["oracle"]["train"]["rank_correlation"] < 0
    assert (textcraft["oracle"]["test"]["n"], textcraft["k"]) == (12, 2)
    written = read(found["file"])
    assert (written.digest, written.model) == (found["hash"], "random-legal")
    report = tmp_path / "measured" / "report"
    assert {path.name for path in report.iterdir()} == {"README.md", "summary.json", "turns.png", "turns.svg"}
    rows = StudyFolder(tmp_path / "measured").difficulty("seed_0").rows("textcraft").path
    before = rows.read_bytes()
    assert measured() == found
    assert rows.read_bytes() == before


@pytest.mark.slow
def test_more_tasks_are_the_same_and_others(measured: Measured) -> None:
    few, more = read(measured()["file"]), read(measured(MEASURE.replace("12", "20"))["file"])
    scores = {each.task: each.score for each in more.envs[0].tasks}
    assert {each.task: each.score for each in few.envs[0].tasks}.items() <= scores.items()
    assert len(scores) == 40


@pytest.mark.slow
def test_no_draw_that_measures_difficulty_scores_a_model(measured: Measured, tmp_path: Path) -> None:
    measured()
    call = "evaluate --model random-legal --envs textcraft --metric avg@2 --limit 40 --json --out"
    assert main([*call.split(), str(tmp_path / "measured")]) == 0
    study = StudyFolder(tmp_path / "measured")
    difficulty = rows_in(study.difficulty("seed_0").rows("textcraft").path)
    scored = rows_in(study.evaluation("base", 0, 0).rows("textcraft").path)
    assert {row.stream.partition("/")[0] for row in difficulty} == {"difficulty"}
    assert {row.stream.partition("/")[0] for row in scored} == {"evaluate"}
    both = {(row.task, row.attempt): row.score for row in difficulty if row.split == "test"}
    again = {(row.task, row.attempt): row.score for row in scored}
    shared = both.keys() & again.keys()
    assert any(again[key] != both[key] for key in shared)


def test_evaluations_say_easy_and_hard_as_the_file_does(
    measured: Measured, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    found = measured()
    out = tmp_path / "evaluated"
    call = "evaluate --model oracle --envs textcraft --metric avg@1 --json"
    assert main([*call.split(), "--difficulty-file", found["file"], "--out", str(out)]) == 0
    sizes = {cell["difficulty"]: cell["n"] for cell in json.loads(capsys.readouterr().out)}
    assert sizes == {**found["envs"][0]["sizes"]["test"], "all": 12}
    rows = rows_in(StudyFolder(out).evaluation("base", 0, 0).rows("textcraft").path)
    assert {row.difficulty_source for row in rows} == {found["hash"]}
    half = {each.task: each.difficulty for each in read(found["file"]).envs[0].of_split("test")}
    assert {row.task: row.difficulty for row in rows} == half


@pytest.mark.slow
def test_a_training_is_of_a_file_by_what_it_says_not_by_where_it_lies(measured: Measured, tmp_path: Path) -> None:
    first, copy = Path(measured()["file"]), tmp_path / "copy.json"
    copy.write_bytes(first.read_bytes())
    other = Path(measured(MEASURE.replace("random-legal", "oracle"), "other")["file"])
    assert job(str(first)).training == job(str(copy)).training
    assert len({digest(job(file).training) for file in (str(first), str(other), "")}) == 3


def job(file: str) -> Job:
    source = Source(difficulty=file)
    return Job(
        base="pocket",
        chain=(Stage(("textcraft",), "easy"),),
        suites=(open_suite("textcraft", source),),
        config=Config(source=source),
        seed=0,
    )


def test_a_configuration_without_its_path_is_otherwise_the_same() -> None:
    assert without_paths(Config(source=Source(difficulty="a.json", seed=3))) == Config(source=Source(seed=3))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (f"{MEASURE} --set source.difficulty=x", "difficulty is measured on an environment's own tasks"),
        (f"{MEASURE} --limit 1", "textcraft: halves take two training tasks or more, not 1"),
        ("play textcraft --difficulty-file nowhere.json", "no difficulty file 'nowhere.json' (choose from: pocket"),
    ],
)
def test_a_wrong_call_is_one_line(
    call: str, said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(call.split()) in (1, 2)
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"heldout: {said}")


def test_people_see_tables_and_where_the_file_is(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main([*MEASURE.removesuffix(" --json").split(), "--out", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["env", "k", "threshold"]
    assert lines[-1] == f"{tmp_path}/difficulty.json; with a figure: {tmp_path}/report/README.md"


def test_the_file_that_is_shipped_is_of_the_shipped_model_and_fits_the_pocket_tasks() -> None:
    shipped = read("pocket")
    how = "measure it again (docs/difficulty.md has the command)"
    assert shipped.model == reference_name(agent_of("pocket")), how
    assert {env_split.env for env_split in shipped.envs} == set(Recipe().envs), how
    for env_split in shipped.envs:
        suite = open_suite(env_split.env, Source(difficulty="pocket"))
        levels = [task.difficulty for task in suite.tasks("train")]
        assert 0 <= levels.count("easy") - levels.count("hard") <= 1
        assert len(suite.tasks("train")) == len(env_split.of_split("train")), how
        assert len(suite.tasks("test")) == len(env_split.of_split("test")), how
