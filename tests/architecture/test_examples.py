"""Every example is short, is told of in the README, runs, and says what its reader came for."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
TRAINING = ("03_train_and_measure.py", "04_train_with_trl.py")
RUN = [pytest.param(path, marks=pytest.mark.slow if path.name in TRAINING else ()) for path in EXAMPLES]
LINES = 60

LONGER = {"02_your_own_environment.py": 120}
"""A whole environment, which is about the shortest that there can be."""

SAYS = {
    "01_play_and_read.py": ("Goal: craft", "\nAction: ", "solved: ", "\n7  ", "advantage +", "advantage -"),
    "02_your_own_environment.py": ("Every law is kept.\n", "oracle: 10 of 10 found", "random: ", ": Found.\n"),
    "03_train_and_measure.py": (
        "step 2: reward",
        "useful groups",
        "\nbase  ",
        "\ntextcraft.easy  ",
        "95 % interval",
    ),
    "04_train_with_trl.py": ("step 1: reward ", "\nstep 2: reward ", ", score "),
}


def test_the_examples_are_numbered_and_told_of_in_the_readme_in_their_order() -> None:
    assert [path.name for path in EXAMPLES] == list(SAYS)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    places = [readme.index(f"(examples/{name})") for name in SAYS]
    assert places == sorted(places)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_can_be_read_at_once(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGER.get(path.name, LINES)


@pytest.mark.parametrize("path", RUN, ids=lambda path: path.name)
def test_an_example_runs_and_says_what_its_reader_came_for(path: Path, tmp_path: Path) -> None:
    call = [sys.executable, "-W", "error", str(path)]
    done = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert [words for words in SAYS[path.name] if words not in done.stdout] == []
    assert list(tmp_path.iterdir()) == []
