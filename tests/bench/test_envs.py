"""What is opened and stepped is counted as it is played; speeds are these counts over time."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from heldout.bench.envs import Measured, Round, Script, Speeds, Work, by_players, measure, until_the_end
from heldout.bench.machine import Machine
from heldout.cli import main
from heldout.config import Source
from heldout.envs import corridor
from heldout.envs.base import Env, Suite
from heldout.errors import OriginalError
from heldout.records import Step, Task
from heldout.verbs.bench.envs import format_report, report_as_json

MACHINE = Machine(load=0.5, matmul_seconds=0.004)
ROUND = Round(opens=30, steps=400, opening=0.5, stepping=2.0, running=0.9)
SPEEDS = Speeds(
    name="doors", episodes=3, turns=40, loading=9.0, firsts=[0.25, 0.75], rounds=[ROUND], held_bytes=2048.0
)


def counting(suite: Suite) -> tuple[Suite, Counter[str]]:
    """The suite, and how often each of its tasks has been opened."""
    opened = Counter[str]()

    def open_task(task: Task) -> Env:
        opened[task.id] += 1
        return suite.open(task)

    return replace(suite, open=open_task), opened


def test_speeds_are_counts_over_seconds() -> None:
    assert (ROUND.opens_per_second, ROUND.steps_per_second) == (60, 200)
    assert SPEEDS.first_opens_per_second == 2  # the first of all is not among them
    assert replace(SPEEDS, firsts=[]).first_opens_per_second is None


def test_a_figure_of_the_rounds_is_their_median_with_the_least_and_the_most() -> None:
    rounds = [replace(ROUND, steps=steps) for steps in (800, 200, 600)]
    assert replace(SPEEDS, rounds=rounds).over_rounds("steps_per_second") == (300, 100, 400)


def test_each_task_is_opened_once_before_any_player_sees_it(doors: Suite) -> None:
    suite, opened = counting(doors)
    work = by_players(suite, tasks=5, seed=0)
    assert len(work.opens) == 2  # all that there are
    for each in work.opens:
        each()
    assert opened == {"doors_2": 1, "doors_4": 1}


def test_both_players_actions_are_played_to_the_ending_and_no_further_than_k(doors: Suite) -> None:
    scripts = by_players(doors, tasks=2, seed=0).scripts()
    assert len(scripts) == 4
    assert {("go", "go"), ("go", "go", "go", "go")} <= {script.actions for script in scripts}  # the oracle's
    assert sum(script.actions[-1] == "jump" for script in scripts) == 2  # the random player falls, and stops
    for script in by_players(replace(doors, max_turns=1), tasks=2, seed=0).scripts():
        assert len(script.actions) == 1


def test_the_tasks_drawn_are_the_seed_s() -> None:
    suite = corridor.suite(Source())

    def drawn(seed: int) -> list[Any]:
        return [each().world for each in by_players(suite, tasks=4, seed=seed).opens]

    assert drawn(0) == drawn(0)
    assert drawn(0) != drawn(1)


def test_a_round_opens_and_steps_what_the_scripts_say(doors: Suite) -> None:
    suite, opened = counting(doors)
    heard = list[int]()
    works = [by_players(suite, tasks=2, seed=0), by_players(corridor.suite(Source()), tasks=3, seed=0)]
    found = measure(works, rounds=2, seconds=0.0, tell=heard.append)
    assert heard == [1, 2, 3, 4]
    ours, other = found.speeds
    assert (ours.name, ours.episodes, len(ours.firsts)) == ("doors", 4, 1)
    assert [(each.opens, each.steps) for each in ours.rounds] == [(4, ours.turns)] * 2
    assert (other.name, other.episodes, len(other.firsts)) == ("corridor", 6, 2)
    # Once each at first; twice by each player and its copy; in two rounds of four; and held.
    assert opened.total() == 2 + 2 * 4 + 2 * 4 + 200
    assert ours.held_bytes > 0


def test_a_round_goes_on_until_its_time_is_up(doors: Suite) -> None:
    [speeds] = measure([by_players(doors, 2, seed=0)], rounds=1, seconds=0.02, tell=lambda _: None).speeds
    [only] = speeds.rounds
    assert only.opening + only.stepping >= 0.02
    assert only.opens > 4
    assert only.steps == speeds.turns * only.opens / 4


def test_an_error_reply_of_the_original_is_an_answer_like_any_other() -> None:
    class Ended:
        world = None

        def start(self) -> Step:
            return Step("")

        def step(self, action: str) -> Step:
            raise OriginalError(f"The task has finished: {action}.")

    script = Script(open=Ended, actions=("go", "go", "go"))
    work = Work(name="ended", opens=[script.open], scripts=lambda: [script])
    [speeds] = measure([work], rounds=1, seconds=0.0, tell=lambda _: None).speeds
    assert speeds.rounds[0].steps == 3


def test_a_script_ends_with_the_action_that_ends_its_episode(doors: Suite, task: Callable[..., Task]) -> None:
    script = Script(open=partial(doors.open, task(2)), actions=("sing", "go", "go", "go", "jump"))
    assert until_the_end(script).actions == ("sing", "go", "go")
    assert until_the_end(replace(script, actions=("go",))).actions == ("go",)


def test_the_table_and_the_json_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    found = Measured(speeds=[SPEEDS, replace(SPEEDS, name="hall", firsts=[])], before=MACHINE, after=MACHINE)
    header, _, doors, hall, *_ = format_report(found).splitlines()
    assert header.split("  ")[0] == "ENVIRONMENT"
    assert doors.split() == ["doors", "200", "[200,", "200]", "60", "[60,", "60]", "2", "2", "3", "3", "40"]
    assert hall.split() == ["hall", "200", "[200,", "200]", "60", "[60,", "60]", "–", "2", "1", "3", "40"]
    assert format_report(found).endswith("a processor was ours 90 % of the time")
    entry = report_as_json(found)["environments"][0]
    assert (entry["steps_per_second"], entry["opens_per_second"], entry["first_opens_per_second"]) == (200, 60, 2)
    assert (entry["tasks"], entry["held_bytes"], entry["rounds"][0]["running"]) == (3, 2048, 0.9)
    assert report_as_json(found)["machine"]["before"] == {"load": 0.5, "matmul_seconds": 0.004}


def written(path: Path, *lines: object) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def recorded(seed: int, *actions: str) -> dict[str, Any]:
    steps = [{"action": action} for action in actions]
    return {"env": "babyai", "task": {"level": 1, "seed": seed}, "steps": steps}


REACHED = ("turn left", "turn right", "go to red ball 1", "turn left")
"""Level 1, seed 0: the third action ends the episode, and the original refuses the fourth."""


@pytest.mark.slow
@pytest.mark.parametrize(("rules", "turns"), [("agentgym", 9), ("fixed", 8)])
def test_a_file_s_actions_are_played_by_its_rules(
    rules: str, turns: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    again = recorded(0, "turn left", "turn left")
    file = written(tmp_path / "some.jsonl", recorded(0, *REACHED), again, recorded(1, "turn left", "sing", "drop"))
    call = ["bench", "envs", "--file", str(file), "--rules", rules, "--rounds", "1", "--seconds", "0", "--json"]
    assert main(call) == 0
    [entry] = json.loads(capsys.readouterr().out)["environments"]
    assert entry["name"] == f"babyai ({tmp_path.name}/some.jsonl)"
    assert (entry["tasks"], entry["episodes"], entry["turns"]) == (2, 3, turns)
    assert (entry["rounds"][0]["opens"], entry["rounds"][0]["steps"]) == (3, turns)


@pytest.mark.slow
def test_an_environment_and_a_file_may_be_measured_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path / "some.jsonl", recorded(0, "turn left"), recorded(1, "drop"))
    few = ["--limit", "1", "--rounds", "1", "--seconds", "0", "--json"]
    assert main(["bench", "envs", "--file", str(file), "--env", "textcraft", *few]) == 0
    entries = json.loads(capsys.readouterr().out)["environments"]
    assert [(entry["name"].split()[0], entry["tasks"]) for entry in entries] == [("babyai", 1), ("textcraft", 1)]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([], "some.jsonl holds no episodes"),
        ([{"env": "babyai", "task": {}}], "some.jsonl: line 1: no field 'steps'"),
        ([recorded(0), recorded(-1)], "some.jsonl: line 2: seed is a whole number from 0, not -1"),
    ],
)
def test_a_wrong_file_is_one_clear_line(
    lines: list[object], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "envs", "--file", str(written(tmp_path / "some.jsonl", *lines))]) == 1
    err = capsys.readouterr().err
    assert told in err
    assert err.count("\n") == 1
