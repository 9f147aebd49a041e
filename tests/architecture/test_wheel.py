"""The wheel holds the whole package, with the pocket model and the tables of tasks, and nothing else."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "heldout"
CARRIED = {
    "heldout/py.typed",
    "heldout/envs/babyai/tasks.json",
    "heldout/envs/textcraft/goal_order.txt",
    "heldout/pocket/config.json",
    "heldout/pocket/model.safetensors",
    "heldout/pocket/tokenizer.json",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [built] = folder.glob("*.whl")
    return ZipFile(built)


def test_the_wheel_is_the_package(wheel: ZipFile) -> None:
    there = {path.relative_to(ROOT / "src").as_posix() for path in PACKAGE.rglob("*") if path.is_file()}
    held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert held == {name for name in there if "__pycache__" not in name}
    assert held >= CARRIED


def test_the_wheel_says_its_licence_and_its_command(wheel: ZipFile) -> None:
    [licence] = [name for name in wheel.namelist() if name.endswith("/licenses/LICENSE")]
    [commands] = [name for name in wheel.namelist() if name.endswith("/entry_points.txt")]
    assert wheel.read(licence) == (ROOT / "LICENSE").read_bytes()
    assert wheel.read(commands).decode() == "[console_scripts]\nheldout = heldout.__main__:main\n"
