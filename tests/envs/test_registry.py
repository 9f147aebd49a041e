"""Where environments come from: ours, entry points, places; and that one more changes nothing else."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from heldout.config import Source
from heldout.envs import corridor
from heldout.envs.base import Suite
from heldout.envs.named import under_name
from heldout.envs.registry import names, open_suite
from heldout.errors import BadCall
from heldout.records import Task

ROOT = Path(__file__).parents[2]

PLACE = "heldout.envs.corridor:suite"

ASKING = [
    "tests/envs/test_guard.py",
    "tests/envs/test_options.py",
    "tests/envs/test_renaming.py",
    "tests/envs/test_variants.py",
    "tests/integrations/test_gymnasium.py",
    "tests/study/test_plan.py",
    "tests/training/test_pocket_card.py",
    "tests/verbs/test_difficulty.py",
]
"""Where tests ask for every environment, or for those that the pocket model has met."""


def test_a_place_is_an_environment_wherever_a_name_is() -> None:
    suite = open_suite(PLACE, Source())
    [first, *_] = suite.tasks("test")
    assert (suite.name, first.env, first.id) == (PLACE, PLACE, "corridor_2")
    assert suite.open(first).start().observation.startswith("A corridor with a red door and a green door.")
    assert [task.env for task in suite.tasks("test")[:3]] == [PLACE] * 3
    assert suite.tasks("train")[-1].id == corridor.tasks("train")[-1].id


def test_a_suites_own_functions_are_given_its_tasks_as_it_made_them() -> None:
    met = list[str]()

    def opened(task: Task) -> corridor.Corridor:
        met.append(task.env)
        left, right = task.world["doors"]
        return corridor.Corridor(corridor.World((left, right), task.world["way_out"]))

    suite = under_name(replace(corridor.suite(Source()), open=opened), "doors")
    suite.open_privileged(suite.tasks("test")[0])
    suite.open(suite.tasks("test")[1])
    assert met == ["corridor", "corridor"]


def test_a_suite_has_its_own_name_where_it_is_opened_by_it() -> None:
    suite: Suite = corridor.suite(Source())
    assert under_name(suite, "corridor") is suite


@pytest.mark.parametrize("name", ["corridoor", "agentgim", ""])
def test_a_name_of_nothing_is_told_how_yours_is_named(name: str) -> None:
    with pytest.raises(BadCall, match=r"yours is named by an entry point heldout\.suites, or as MODULE:SUITE"):
        open_suite(name, Source())


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder of packages in which one says that the corridor is an environment."""
    about = tmp_path / "site" / "corridor-1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: corridor\nVersion: 1\n")
    (about / "entry_points.txt").write_text(f"[heldout.suites]\ncorridor = {PLACE}\n")
    return tmp_path / "site"


def run(site: Path, *words: str) -> str:
    """What a program prints to which the corridor is registered; it has to end well."""
    path = os.pathsep.join([str(site), str(ROOT / "src")])
    call = [sys.executable, "-m", *words]
    done = subprocess.run(
        call, cwd=ROOT, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_an_entry_point_adds_an_environment_to_those_that_there_are(site: Path) -> None:
    said = run(site, "heldout", "envs")
    rows = said.partition("\n\n")[0].splitlines()
    assert [row.split()[0] for row in rows[2:]] == [*names(), "corridor"]
    assert rows[-1].split()[-3:] == ["3", "20", "20"]


@pytest.mark.very_slow
@pytest.mark.timeout(900)
def test_an_environment_more_changes_nothing_of_the_others(site: Path) -> None:
    assert "[corridor]" in run(site, "pytest", "-p", "no:cacheprovider", "--collect-only", ASKING[0])
    run(site, "pytest", "-p", "no:cacheprovider", *ASKING)
