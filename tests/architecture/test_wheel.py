"""The wheel holds the whole package, with the pocket model and the tables of tasks, and nothing else."""

import os
import re
import subprocess
import sys
import tomllib
from configparser import ConfigParser
from pathlib import Path
from zipfile import ZipFile

import pytest

from heldout.version import __version__

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


def test_the_packages_page_leads_into_the_repository_where_that_is_named(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    named = os.environ | {"HELDOUT_REPOSITORY": "https://code.example/us/heldout/"}
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, env=named)
    [built] = tmp_path.glob("*.whl")
    [metadata] = [name for name in ZipFile(built).namelist() if name.endswith("/METADATA")]
    page = ZipFile(built).read(metadata).decode()
    assert "Project-URL: Issues, https://code.example/us/heldout/issues\n" in page
    links = re.findall(r"\]\(([^)]+)\)", page)
    assert "https://code.example/us/heldout/raw/main/docs/curve.svg" in links
    assert "https://code.example/us/heldout/blob/main/docs/models.md" in links
    assert [link for link in links if not link.startswith("https://")] == []


def test_every_link_of_the_readme_leads_somewhere() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_a_package_has_one_version_in_constraints() -> None:
    pins = re.findall(r"^([\w-]+)==", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert len(pins) == len(set(pins))


def test_every_requirement_is_imported_somewhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    source = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    wanted = {re.split(r"[><=]", each)[0] for each in project["dependencies"]}
    assert [name for name in sorted(wanted) if not re.search(rf"\b(import|from) {name}\b", source)] == []


def test_an_extra_has_one_spelling() -> None:
    # pip before 24 does not find an extra "a_b": its name in the package's metadata is "a-b"
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "optional-dependencies"
    ]
    assert [name for name in extras if not name.isalnum()] == []


def test_the_citation_is_of_this_version() -> None:
    assert f"version: {__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_the_wheel_is_the_package(wheel: ZipFile) -> None:
    files = [*PACKAGE.rglob("*"), ROOT / "src" / "heldout_verifiers.py"]
    there = {path.relative_to(ROOT / "src").as_posix() for path in files if path.is_file()}
    held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert held == {name for name in there if "__pycache__" not in name}
    assert held >= CARRIED


def test_the_wheel_says_its_licence_and_its_command(wheel: ZipFile) -> None:
    [licence] = [name for name in wheel.namelist() if name.endswith("/licenses/LICENSE")]
    [commands] = [name for name in wheel.namelist() if name.endswith("/entry_points.txt")]
    assert wheel.read(licence) == (ROOT / "LICENSE").read_bytes()
    said = ConfigParser()
    said.read_string(wheel.read(commands).decode())
    assert dict(said["console_scripts"]) == {"heldout": "heldout.__main__:main"}
    assert dict(said["inspect_ai"]) == {"heldout": "heldout.integrations.inspect_ai"}
