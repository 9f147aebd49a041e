"""`heldout evaluate --controls`, as it is called."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from heldout.cli import main

pytestmark = pytest.mark.slow


def test_a_table_to_read_and_all_of_it_for_programs(tmp_path: Path, said: Callable[[], tuple[str, str]]) -> None:
    call = ["evaluate", "--model", "random-legal", "--controls", "--envs", "textcraft", "--difficulty", "easy"]
    call += ["--limit", "4", "--metric", "avg@2", "--out", str(tmp_path)]
    assert main(call) == 0
    table = said()[0].splitlines()
    assert table[0].split() == ["CELL", "CONTROL", "T", "SCORE", "SUCCESS", "NORM."]
    assert [line.split()[1] for line in table[2:5]] == ["model", "random", "oracle"]
    assert table[4].split()[-2:] == ["100.0", "100.0"]
    assert max(map(len, table)) <= 80
    assert main([*call, "--json"]) == 0
    told = json.loads(said()[0])
    assert [(each["control"], each["normalised"]) for each in told["scores"]][1:] == [("random", 0), ("oracle", 1)]
    assert told["left_out"] == []
