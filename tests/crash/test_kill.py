"""SIGKILL at random moments of a training, an evaluation and a study by the command line: the files are bit for bit
those of a run that nobody stopped.

`HELDOUT_KILLS=30 pytest -s -m "" tests/crash/test_kill.py` kills each thirty times and says where it hit.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from select import select
from typing import final

import pytest

from heldout.seeds import stream

KILLS = int(os.environ.get("HELDOUT_KILLS", "3"))
pytestmark = [pytest.mark.slow, pytest.mark.timeout(120 + 60 * KILLS)]

Content = Callable[[Path], dict[str, object]]

SMALL = "--max-turns 2 --set limits.reply_tokens=8 limits.response_budget=400"
TRAIN = f"train --env textcraft --difficulty easy --n-samples 4 --out run {SMALL} processes=2 train.steps=6"
TRAIN += " train.tasks=4 train.lr=1e-3 train.save_every=2"
EVALUATE = f"evaluate --envs textcraft --metric avg@8 --limit 24 --json --out run {SMALL} processes=1"
EVALUATE += " evaluate.round=48"
STUDY = "study run --chains textcraft.easy textcraft.easy>babyai.easy --envs textcraft --difficulty easy --seeds 0"
STUDY += " --limit 12 --metric avg@2 --no-controls --out run --set limits.reply_tokens=8 limits.response_budget=400"
STUDY += " processes=1 train.steps=4 train.tasks=2 train.kl=0.01"
STUDY += (
    " train.group_size=4 train.max_turns=2 evaluate.max_turns=2 train.lr=1e-3 train.save_every=1 evaluate.round=8"
)
TIMES = ("pieces.jsonl", "sessions.jsonl")
"""Files of a study that say how long things took."""


STUDIES = [pytest.mark.very_slow, pytest.mark.timeout(1200 + 60 * KILLS)]


@final
class Warm:
    """Calls the command line in copies of a process that has loaded everything, and kills them."""

    def __init__(self) -> None:
        command = [sys.executable, str(Path(__file__).with_name("warm.py"))]
        self._process = subprocess.Popen(command, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def close(self) -> None:
        """It ends when nobody asks any more."""
        self._process.communicate()

    def call(self, words: Sequence[str], folder: Path, after: float | None = None, whole: bool = True) -> int:
        """The status of a call; after so many seconds it is killed, or but its first process of all."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin
        assert stdout
        folder.mkdir(parents=True, exist_ok=True)
        stdin.write(json.dumps({"words": words, "folder": str(folder)}).encode() + b"\n")
        first = int(stdout.readline())
        if not select([stdout], [], [], after)[0]:
            with suppress(ProcessLookupError):
                (os.killpg if whole else os.kill)(first, signal.SIGKILL)
        status = int(stdout.readline())
        wait_for_the_last_of(first)
        return status


def wait_for_the_last_of(group: int) -> None:
    """Workers end with their caller: none is left after some seconds."""
    last = time.monotonic() + 20
    while left := living(group):
        assert time.monotonic() < last, left
        time.sleep(0.05)


def living(group: int) -> list[str]:
    """The processes of a group that still run."""
    found = list[str]()
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = path.read_text().rpartition(")")
        except (FileNotFoundError, ProcessLookupError):
            continue
        state, _, its_group, *_ = rest.split()
        if int(its_group) == group and state != "Z":
            found.append(name)
    return found


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    made = Warm()
    assert made.call(["envs"], tmp_path_factory.mktemp("warm")) == 0
    yield made
    made.close()


@pytest.mark.parametrize(
    ("call", "kills"),
    [
        pytest.param(EVALUATE, 1, id="evaluation, once"),
        pytest.param(TRAIN, KILLS, id="training", marks=pytest.mark.very_slow),
        pytest.param(EVALUATE, KILLS, id="evaluation", marks=pytest.mark.very_slow),
        pytest.param(STUDY, max(20, KILLS), id="study", marks=STUDIES),
        pytest.param(f"{STUDY} --jobs 2", KILLS, id="study in two processes", marks=STUDIES),
    ],
)
def test_killed_at_random_moments_it_ends_with_the_files_of_a_run_never_stopped(
    call: str, kills: int, warm: Warm, tiny: Path, content: Content, tmp_path: Path
) -> None:
    words = [*call.split(), "--model", str(tiny)]
    began = time.monotonic()
    assert warm.call(words, tmp_path / "straight") == 0
    seconds = time.monotonic() - began
    wanted = files(tmp_path / "straight", content)
    rng, hit = stream(0, "kills", call), Counter[str]()
    while hit.total() < kills:
        folder = tmp_path / f"after {hit.total()}"
        status = -signal.SIGKILL
        while status == -signal.SIGKILL:
            after = rng.uniform(0, seconds) if hit.total() < kills else None
            whole = rng.random() < 0.7
            status = warm.call([*words, *resumed(words, folder)], folder, after, whole)
            if status:
                hit[f"{'all' if whole else 'the first'} killed at {how_far(folder)}"] += 1
        assert (status, (folder / "err").read_text().count("heldout:")) == (0, 0), (folder / "err").read_text()
        assert files(folder, content) == wanted
        assert list(folder.rglob(".*.partial")) == []
    print(f"\n{hit.total()} kills in {seconds:.1f} s", *sorted(hit.items()), sep="\n")


def resumed(words: Sequence[str], folder: Path) -> list[str]:
    """A training that has begun is gone on with when asked for, an evaluation of itself."""
    return ["--resume"] if words[0] == "train" and list(folder.glob("run/stages/*/*/config.json")) else []


def files(folder: Path, content: Content) -> dict[str, object]:
    """What was left in the folder, but for the lines of progress, what was printed, and how long it took."""
    told = ("out", "err", *(f"run/{name}" for name in TIMES))
    return {name: held for name, held in content(folder).items() if name not in told}


def how_far(folder: Path) -> str:
    """What a killed run had come to."""
    saved = [path.name for path in folder.glob("run/stages/*/*/checkpoints/*")]
    rows = sum(path.read_text().count("\n") for path in folder.glob("run/**/*.jsonl"))
    return f"{rows} rows, {len(saved)} checkpoints"
