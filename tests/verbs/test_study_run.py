"""`heldout study run`: how long, how many at a time, and what is said at the end."""

from argparse import ArgumentTypeError
from pathlib import Path

import pytest

from heldout.cli import main
from heldout.verbs.flags import duration

SMALL = (
    "--chains textcraft.easy --envs textcraft --difficulty easy --seeds 0 --limit 2 --metric avg@1 --no-controls"
)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("2h", 7200), ("1h30m", 5400), ("1h1m1s", 3661)]
)
def test_a_time_is_hours_minutes_and_seconds(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "2", "h", "30 m", "1m2h", "-1h", "2hours"])
def test_what_is_no_time_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="a time such as 90s, 30m, 2h or 1h30m, not"):
        duration(text)


def test_jobs_here_and_a_cluster_are_not_asked_together(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    words = f"study run {SMALL} --jobs 2 --ray auto --out {tmp_path / 'run'}"
    assert main(words.split()) == 2
    assert capsys.readouterr().err == (
        "heldout: --jobs 2 is for this machine, and --ray auto for a cluster: leave one out\n"
    )
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_when_the_time_is_over_it_says_what_is_left(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "run"
    settings = "--set processes=1 train.steps=1 train.tasks=2 train.group_size=2 train.max_turns=1"
    words = f"study run {SMALL} --out {out} {settings} evaluate.max_turns=1 limits.reply_tokens=4"
    assert main([*words.split(), "--for", "0s"]) == 0
    said = "0 of 3 pieces are done, 0 of them now; 3 are left, and the same call goes on with them"
    assert capsys.readouterr().out == f"{out}: {said}\n"
    assert main(["study", "status", str(out)]) == 0
    assert capsys.readouterr().out.startswith("study of pocket: 0 of 3 pieces done, 3 not begun;")
    assert main(words.split()) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"{out}: 3 of 3 pieces are done, 3 of them now\n\nstudy of pocket: avg@1 in points\n")
    assert "*Given this run*" in told
    assert told.endswith(f"with intervals of every cell, and task by task: {out / 'report'}\n")
