"""docs/your-own-environment.md: its files are a package, its commands print what it says."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "your-own-environment.md"
FILES = ["__init__.py", "env.py", "players.py", "tasks.py", "world.py"]
SETTINGS = ROOT / "pyproject.toml"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page's files, in a folder of their own."""
    folder = tmp_path_factory.mktemp("yard")
    blocks = re.findall(
        r"^```(?:python|toml)\n# (\S+)\n(.*?)^```$", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    for name, text in blocks:
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def installed(written: Path, tmp_path: Path) -> Path:
    """A folder of packages that has the page's, built as its pyproject.toml says."""
    called(written, "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist"))
    [wheel] = (tmp_path / "dist").glob("*.whl")
    ZipFile(wheel).extractall(tmp_path / "site")
    return tmp_path / "site"


def called(folder: Path, *words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env=os.environ | {"MYPYPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_page_is_an_environment_of_five_short_files(written: Path) -> None:
    assert sorted(path.name for path in (written / "shunting").iterdir()) == FILES
    assert all(len((written / "shunting" / name).read_text("utf-8").splitlines()) <= 60 for name in FILES)


@pytest.mark.very_slow
def test_the_pages_code_is_formatted_and_typed_as_ours_is(written: Path) -> None:
    called(written, "ruff", "check", "--no-cache", "--config", str(SETTINGS), "shunting")
    called(written, "ruff", "format", "--no-cache", "--check", "--config", str(SETTINGS), "shunting")
    called(written, "mypy", "--config-file", str(SETTINGS), "shunting")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_pages_commands_print_what_it_says(
    written: Path, installed: Path, run_page: Callable[..., None]
) -> None:
    run_page(PAGE, written, os.pathsep.join([str(installed), str(ROOT / "src")]))


SMALL = [
    *("limits.reply_tokens=8", "processes=1", "evaluate.samples=1", "evaluate.tasks=1", "evaluate.max_turns=2"),
    *("train.steps=1", "train.tasks=2", "train.group_size=2", "train.max_turns=2"),
]


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", [pytest.param("shunting", marks=pytest.mark.very_slow), "shunting:suite"])
def test_the_demo_trains_in_it_and_measures_it_beside_what_the_pocket_model_has_met(
    written: Path, installed: Path, name: str, tmp_path: Path
) -> None:
    packages = os.pathsep.join([*([str(installed)] if name == "shunting" else []), str(ROOT / "src")])
    environment = os.environ | {"PYTHONPATH": packages}
    call = [
        sys.executable,
        "-m",
        "heldout",
        "demo",
        "--env",
        name,
        "--out",
        str(tmp_path / "demo"),
        "--set",
        *SMALL,
    ]
    done = subprocess.run(call, cwd=written, env=environment, capture_output=True, text=True, check=True)
    assert f"Trained on {name} (easy)" in done.stdout
    assert "alfworld" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("name", ["shunting", "shunting:suite"])
def test_a_server_gives_it_to_programs_of_others(written: Path, installed: Path, name: str) -> None:
    packages = os.pathsep.join([*([str(installed)] if name == "shunting" else []), str(ROOT / "src")])
    environment = os.environ | {"PYTHONPATH": packages}
    program = [sys.executable, "-m", "heldout"]
    with subprocess.Popen(
        [*program, "serve", name, "--port", "0", "--json"], cwd=written, env=environment, stdout=subprocess.PIPE
    ) as server:
        assert server.stdout
        address = json.loads(server.stdout.readline())["url"]
        try:
            there = f"agentgym:{name}@{address}"
            words = [
                "evaluate",
                "--model",
                "oracle",
                "--envs",
                there,
                "--metric",
                "avg@1",
                "--limit",
                "2",
                "--json",
            ]
            done = subprocess.run(
                [*program, *words], cwd=written, env=environment, capture_output=True, text=True, check=True
            )
        finally:
            server.send_signal(signal.SIGINT)
    assert {score["score"] for score in json.loads(done.stdout)} == {1.0}
