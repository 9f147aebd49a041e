"""docs/replay.md: its converter makes episodes of a ReAct log, which are played again."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from heldout.cli import main
from heldout.envs.babyai.env import OriginalBabyAI
from heldout.envs.babyai.world import World

PAGE = Path(__file__).parents[2] / "docs" / "replay.md"
ACTIONS = ("turn left", "jump", "turn right", "go to red ball 1")


def log_of_react() -> str:
    """What a ReAct program prints of an episode of BabyAI's level 1."""
    env = OriginalBabyAI(World(1, 0, original=True))
    said = ["Task: babyai_0", env.start().observation]
    for number, action in enumerate(ACTIONS, start=1):
        told = env.step(action).observation
        said += [f"Thought {number}: on!", f"Action {number}: {action}", f"Observation {number}: {told}"]
    return "\n".join(said) + "\n"


def test_the_converter_of_the_docs_makes_episodes_that_replay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [program] = re.findall(
        r"^```python\n# convert.py\n(.*?)^```$", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    assert program.count("\n") <= 32
    (tmp_path / "convert.py").write_text(program, encoding="utf-8")
    (tmp_path / "first.txt").write_text(log_of_react(), encoding="utf-8")
    call = [sys.executable, "-W", "error", "convert.py", "first.txt"]
    done = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, check=True)
    path = tmp_path / "episodes.jsonl"
    path.write_text(done.stdout, encoding="utf-8")
    assert json.loads(done.stdout)["steps"][1]["action"] == "jump"
    assert main(["replay", str(path)]) == 0
    assert capsys.readouterr().out == "episodes: 1, steps: 4, differences: 0\n"


def test_a_log_that_is_no_json_is_refused_for_what_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "first.txt"
    path.write_text(log_of_react(), encoding="utf-8")
    assert main(["replay", str(path)]) == 1
    told = capsys.readouterr().err
    assert "first.txt: line 1 is not JSON (" in told
    assert "'Task: babyai_0'" in told
    assert told.endswith("; read are JSON lines, arrays and indented JSON\n")
    assert told.count("\n") == 1
