"""How a page's commands are run and what they print is compared with what it says."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., None]


@pytest.fixture
def run_page(tmp_path: Path) -> Run:
    """Runs a page's commands, in an empty folder or in one that is prepared: `run_page(page, folder, path)`."""

    def run(page: Path, folder: Path = tmp_path, path: str = "") -> None:
        environment = os.environ | ({"PYTHONPATH": path} if path else {})
        for command, printed in commands(page.read_text(encoding="utf-8")):
            script = f'heldout() {{ {sys.executable} -m heldout "$@"; }}\n{command}'
            call = ["bash", "-c", script]
            done = subprocess.run(call, cwd=folder, env=environment, capture_output=True, text=True, check=True)
            assert done.stdout == printed, command

    return run


def commands(page: str) -> list[tuple[str, str]]:
    """The commands of a page's console blocks, each with what it prints."""
    blocks = re.findall(r"^```console\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    said = [part for block in blocks for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]
    return [(command, printed) for command, _, printed in (part.partition("\n") for part in said)]
