"""Half a million rows are analysed while one waits, in the memory of a laptop."""

import subprocess
import sys
from json import loads
from pathlib import Path

import pytest


@pytest.mark.very_slow
@pytest.mark.timeout(900)
def test_half_a_million_rows_are_analysed_in_two_minutes_and_two_gigabytes(tmp_path: Path) -> None:
    program = [sys.executable, str(Path(__file__).parent / "scale.py"), str(tmp_path)]
    done = subprocess.run(program, capture_output=True, text=True, check=True)
    figures = loads(done.stdout)
    assert figures["rows"] == 502_000
    assert figures["seconds"] < 120, figures
    assert figures["megabytes"] < 2048, figures
