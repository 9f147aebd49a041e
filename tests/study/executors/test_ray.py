"""Two raylets on this machine, one killed in the middle: the rows and weights are those of a run in one process."""

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from heldout.records import from_json
from heldout.store.files import read_json
from heldout.store.runs import StudyFolder
from heldout.study.perform import Watch
from heldout.study.plan import Study
from heldout.study.run import run

Made = Callable[[Path], dict[str, object]]

pytestmark = [
    pytest.mark.very_slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: pip install 'heldout[ray]'"),
]
SCRIPT = Path(__file__).with_name("two_raylets.py")


def test_a_raylet_is_killed_and_rows_and_weights_are_those_of_one_process(
    tiny: Path, made: Made, tmp_path: Path
) -> None:
    words = [sys.executable, str(SCRIPT), str(tiny), str(tmp_path / "many")]
    ran = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout.splitlines()[-1])
    print(said, ran.stderr)
    assert (said["was_killed"], said["done"], said["lines"], said["again"]) == (True, 11, [], 0)
    assert " needs 2 CPUs, " in said["refused"]
    assert ", and the largest machine of the cluster has 1 CPUs, 0 GPUs, " in said["refused"]
    [asked] = read_json(tmp_path / "many" / "study.json")["entries"].values()
    one = StudyFolder(tmp_path / "one")
    run([from_json(Study, asked["study"])], one, Watch(), controls=False)
    assert made(tmp_path / "many") == made(one.root)
