"""The command line: the paper's listing parses, wrong calls get one line, and the light verbs work."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from inspect import signature
from pathlib import Path
from typing import Any

import pytest

from heldout.cli import BROKEN_PIPE, FAMILIES, VERBS, main, parse
from heldout.errors import BadCall
from heldout.extras import load
from heldout.verbs.flags import metric

ROOT = Path(__file__).parents[1]
TRAIN = (
    "train --model Qwen2.5-7B-Instruct --env webshop --difficulty easy --n-samples 8"
    " --max-response-length 8192 --max-turns 10 --algorithm GRPO"
)
EVALUATE = "evaluate --model M --envs webshop searchqa textcraft --metric avg@8 --max-turns 20"
CALLS = {
    "demo": "demo --seeds 1 2",
    "envs": "envs --json",
    "config": "config --model pocket",
    "help": "help train",
    "play": "play textcraft",
    "laws": "laws textcraft",
    "replay": "replay episodes.jsonl",
    "pocket": "pocket --check",
    "train": TRAIN,
    "evaluate": EVALUATE,
    "difficulty": "difficulty --model M --envs e",
    "study run": "study run --chains textcraft --jobs 2 --for 1h30m --keep ends",
    "study status": "study status runs/demo",
    "study prune": "study prune runs/demo --keep none",
    "study plan": "study plan pocket-transfer",
    "study unlock": "study unlock runs/demo",
    "data check": "data check",
    "data leakage": "data leakage --envs textcraft --limit 5",
    "data list": "data list",
    "data fetch": "data fetch textcraft",
    "data prepare": "data prepare searchqa",
    "bench rollout": "bench rollout",
    "serve": "serve textcraft",
    "report": "report runs/demo --json",
    "bench serve": "bench serve",
    "bench coverage": "bench coverage --trials 5",
    "bench envs": "bench envs",
    "bench train": "bench train",
}
LIGHT = {
    "heldout",
    "heldout.version",
    "heldout.cli",
    "heldout.printable",
    "heldout.config",
    "heldout.errors",
    "heldout.extras",
    "heldout.ranges",
    "heldout.stops",
    "heldout.verbs",
    "heldout.verbs.flags",
}
Said = Callable[[], tuple[str, str]]


def test_the_papers_training_listing_is_read_as_printed() -> None:
    _, arguments = parse(TRAIN.split())
    assert arguments == {
        "model": "Qwen2.5-7B-Instruct",
        "env": "webshop",
        "difficulty": "easy",
        "difficulty_file": None,
        "n_samples": 8,
        "max_response_length": 8192,
        "max_turns": 10,
        "algorithm": "GRPO",
        "resume": False,
        "seed": 0,
        "out": None,
        "settings": [],
    }


def test_the_papers_evaluation_listing_is_read_as_printed() -> None:
    _, arguments = parse(EVALUATE.split())
    assert arguments["envs"] == ["webshop", "searchqa", "textcraft"]
    assert (arguments["samples"], arguments["max_turns"], arguments["difficulty"]) == (8, 20, "all")


def test_underscores_are_hyphens_in_flags_and_stay_in_values() -> None:
    _, arguments = parse(
        ["train", "--model", "M", "--env", "e", "--max_turns", "3", "--n_samples=4", "--set", "a_b=c_d"]
    )
    assert (arguments["max_turns"], arguments["n_samples"], arguments["settings"]) == (3, 4, ["a_b=c_d"])


def test_settings_may_stand_after_one_flag_or_after_several() -> None:
    _, arguments = parse(["demo", "--set", "a=1", "b=2", "--set", "c=3"])
    assert arguments["settings"] == ["a=1", "b=2", "c=3"]


@pytest.mark.parametrize("name", VERBS)
def test_the_flags_of_a_verb_are_the_arguments_of_its_function(name: str) -> None:
    verb, arguments = parse(CALLS[name].split())
    assert set(signature(load(verb.place)).parameters) == set(arguments)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ("", "name a verb"),
        ("trian", "unknown verb 'trian'; did you mean 'train'? (choose from 16, the nearest: train,"),
        ("train --env textcraft", "train: the following arguments are required: --model"),
        ("train --modle M", "train: the following arguments are required: --model, --env"),
        (
            "envs --jsno",
            "unknown argument of envs '--jsno'; did you mean '--json'? (choose from: --json, --set, --variant)",
        ),
        ("play textcraft --difficulty eazy", "unknown difficulty 'eazy'; did you mean 'easy'?"),
        ("train --model M --env e --n-samples 0", "train: argument --n-samples: a whole number from 1 up, not '0'"),
        ("train --model M --env e --algorithm PPO", "unknown algorithm 'PPO'"),
        ("evaluate --model M --envs e --metric avg8", "unknown metric 'avg8' (give avg@k, such as avg@8"),
        ("evaluate --model M --envs e --split dev", "unknown split 'dev' (choose from: test, train)"),
        ("envs --set sauce.kind=real", "unknown setting 'sauce.kind' (choose from:"),
        ("serve textcraft --port 70000", "serve: argument --port: a port is a number from 0 to 65535, not '70000'"),
        ("serve corridoor", "unknown environment 'corridoor' (choose from:"),
        (
            "evaluate --model oracle --envs agentgym:textcraft",
            "an environment on a server is such as agentgym:text",
        ),
        ("evaluate --model oracle --envs agentgym:x@http://h:1", "unknown environment 'x'"),
        (
            "bench rolout",
            "unknown bench 'rolout'; did you mean 'rollout'? (choose from: coverage, envs, rollout, serve, train)",
        ),
        ("bench rollout --model oracle", "'oracle' generates no tokens"),
        ("bench envs --env textkraft", "unknown environment 'textkraft'; did you mean 'textcraft'?"),
        ("bench envs --seconds -1", "bench envs: argument --seconds:"),
        ("bench envs --seconds long", "bench envs: argument --seconds: a number of seconds, not 'long'"),
        ("bench train --model oracle", "'oracle' cannot be trained: name a model (pocket, a folder,"),
        ("bench train --set train.kl=0.1", "bench train compares with train.kl=0.0, not 0.1"),
        ("play textkraft", "unknown environment 'textkraft'; did you mean 'textcraft'?"),
        (
            "play textcraft --task x",
            "textcraft has no task 'x' in test or train (choose from 1200, the nearest: textcraft_",
        ),
        ("evaluate --model oracle --envs nowhere", "unknown environment 'nowhere'"),
        ("evaluate --model no/such/folder --envs textcraft", "no model 'no/such/folder'"),
        ("train --model pocket --env nowhere", "unknown environment 'nowhere'"),
        ("pocket --without nowhere", "unknown environment 'nowhere' (choose from: alfworld,"),
        ("pocket --check --without babyai", "--check compares with the shipped model"),
        ("pocket --check --maps 2", "--check compares with the shipped model"),
        ("pocket --maps 17", "maps for demonstrations are 1 to 16, not 17"),
        ("train --model ./nowhere --env textcraft", "no model './nowhere'"),
        (
            "train --model pocket --env textcraft --resume",
            "runs/train-pocket",
        ),
    ],
)
def test_a_wrong_call_gets_one_clear_line_and_status_2(
    call: str, told: str, said: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(call.split()) == 2
    _, err = said()
    assert err.startswith(f"heldout: {told}")
    assert err.count("\n") == 1


@pytest.mark.parametrize("text", ["avg@0", "avg@", "avg", "pass@8", "avg@-1", "avg@1.5", ""])
def test_only_avg_at_k_is_a_metric(text: str) -> None:
    with pytest.raises(BadCall, match="give avg@k"):
        metric(text)


def test_help_and_version_are_answers_not_failures(said: Said) -> None:
    assert main(["--version"]) == 0
    assert main(["train", "--help"]) == 0
    out, _ = said()
    assert out.startswith("heldout 0.")
    assert "--max-response-length L" in out


@pytest.mark.parametrize("verb", ["", *FAMILIES, *VERBS])
def test_help_needs_nothing_that_is_slow_to_load(verb: str) -> None:
    words = [*verb.split(), "--help"]
    code = f"import sys, heldout.cli; status = heldout.cli.main({words}); print(*sys.modules); sys.exit(status)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert not {"torch", "transformers", "numpy", "matplotlib", "minigrid", "rich"} & loaded
    assert {name for name in loaded if name.startswith("heldout")} == LIGHT


def test_environments_are_listed_for_programs(said: Said) -> None:
    assert main(["envs", "--json"]) == 0
    entries = {entry["name"]: entry for entry in json.loads(said()[0])}
    fields = {"name", "type", "traits", "actions", "max_turns", "tasks", "source"}
    assert all(set(entry) == fields for entry in entries.values())
    assert table_1(entries["textcraft"]) == ("Game", [False, True, False, False, False], 15)
    assert table_1(entries["babyai"]) == ("Embodied", [True, False, True, False, False], 20)
    assert table_1(entries["searchqa"]) == ("Search", [False, True, False, True, True], 5)
    assert set(entries["textcraft"]["tasks"]) == {"train", "test"}


def table_1(entry: dict[str, Any]) -> tuple[str, list[bool], int]:
    """An environment's type, DEN. VAL. ACT. KNWL. STR., and K while training (paper, Table 1 and §3.2)."""
    names = ("dense", "strict", "lists_actions", "knowledge", "structured")
    return entry["type"], [entry["traits"][name] for name in names], entry["max_turns"]


def test_environments_are_listed_for_people(said: Said) -> None:
    assert main(["envs"]) == 0
    header, _, first, *_ = said()[0].splitlines()
    assert header.split() == ["NAME", "TYPE", "DEN.", "VAL.", "ACT.", "KNWL.", "STR.", "K", "TRAIN", "TEST"]
    assert first.split()[:8] == ["textcraft", "Game", "✗", "✓", "✗", "✗", "✗", "15"]


def heldout(*words: str, lines: str = "", **more: Any) -> subprocess.CompletedProcess[str]:
    """The command itself, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "heldout", *words], input=lines, text=True, capture_output=True, check=False, **more
    )


def test_a_person_plays_with_lines_from_a_pipe() -> None:
    done = heldout("play", "textcraft", lines="inventory\n:hint\n")
    assert done.returncode == 0
    assert "Goal: craft" in done.stdout
    assert "1> inventory\nInventory: You are not carrying anything.\n2> :hint\n" in done.stdout
    assert done.stdout.endswith("stopped\n")


def test_a_persons_episode_ends_with_its_score() -> None:
    done = heldout("play", "textcraft", "--max-turns", "1", lines="Thought: what have I?\nAction: inventory\n")
    assert done.stdout.splitlines()[-1] == "out of turns: score 0, 1 turns"


@pytest.mark.parametrize("door", ["train.py", "evaluate.py"])
def test_the_doors_at_the_root_lead_to_their_verbs(door: str) -> None:
    verb = door.removesuffix(".py")
    done = subprocess.run([sys.executable, ROOT / door], text=True, capture_output=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(f"heldout: {verb}: the following arguments are required: --model")


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_is_one_line() -> None:
    words = [sys.executable, "-u", "-m", "heldout", "play", "textcraft"]
    pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(words, text=True, **pipes) as playing:
        assert playing.stdout
        while not playing.stdout.readline().startswith("Goal:"):
            pass
        playing.send_signal(signal.SIGINT)
        _, err = playing.communicate(timeout=30)
    assert (playing.returncode, err) == (130, "heldout: interrupted\n")


def test_a_reader_that_leaves_is_not_an_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "heldout", "envs"], stdout=writer, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (BROKEN_PIPE, "")


def test_a_place_that_cannot_be_written_is_told_in_one_line(said: Said) -> None:
    call = "evaluate --model oracle --envs textcraft --limit 1 --metric avg@1 --out /dev/null/x"
    assert main(call.split()) == 1
    assert said()[1].count("\n") == 1


def test_evaluation_plays_only_what_is_missing_and_prints_json(said: Said, tmp_path: Path) -> None:
    call = "evaluate --model oracle --envs textcraft babyai --metric avg@2 --limit 3 --json --out"
    assert main([*call.split(), str(tmp_path)]) == 0
    first = json.loads(said()[0])
    assert [(cell["env"], cell["difficulty"], cell["n"], cell["k"]) for cell in first] == [
        ("babyai", "all", 6, 2),
        ("babyai", "easy", 3, 2),
        ("babyai", "hard", 3, 2),
        ("textcraft", "all", 6, 2),
        ("textcraft", "easy", 3, 2),
        ("textcraft", "hard", 3, 2),
    ]
    fields = ["env", "split", "difficulty", "variant"]
    fields += [
        "n",
        "k",
        "seeds",
        "given_this_run",
        "score",
        "success",
        "ci95",
        "useful",
        "turns",
        "tokens",
        "endings",
    ]
    fields += ["asked", "played", "lost"]
    assert list(first[0]) == fields
    before = sizes(tmp_path)
    assert main([*call.split(), str(tmp_path)]) == 0
    assert json.loads(said()[0]) == first
    assert sizes(tmp_path) == before


def sizes(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_size for path in folder.rglob("*.jsonl*")}


def test_evaluation_prints_a_table_for_people(said: Said, tmp_path: Path) -> None:
    call = "evaluate --model random --envs textcraft --difficulty easy --metric avg@1 --limit 2 --out"
    assert main([*call.split(), str(tmp_path)]) == 0
    header, _, row, *_ = said()[0].splitlines()
    assert header.split()[:6] == ["ENV", "DIFFICULTY", "SPLIT", "TASKS", "K", "SCORE"]
    assert row.split()[:5] == ["textcraft", "easy", "test", "2", "1"]


@pytest.mark.slow
def test_the_published_listing_runs_in_its_four_steps(
    said: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Easy, then hard from there, then another environment, then all of it measured."""
    monkeypatch.chdir(tmp_path)
    small = ["--set", "limits.reply_tokens=8", "train.steps=1", "train.tasks=2", "processes=1", "slots=4"]
    first = TRAIN.replace("Qwen2.5-7B-Instruct", "pocket").replace("--n-samples 8", "--n-samples 2").split()
    assert main([*first, *small]) == 0
    *_, run, easy = said()[0].splitlines()
    assert easy == "checkpoint: outputs/webshop_easy_checkpoint"
    assert re.fullmatch(r"made by: runs/train-pocket-[0-9a-f]{8}, webshop.easy, seed 0, step 1", run)
    assert main([*first, *small]) == 2
    assert "go on with --resume, or write elsewhere with --out" in said()[1]
    assert main([*first, *small, "--resume"]) == 0
    assert "checkpoint: outputs/" in said()[0]

    hard = [*first, "--model", "outputs/webshop_easy_checkpoint", "--difficulty", "hard"]
    assert main([*hard, *small]) == 0
    assert said()[0].endswith(
        "checkpoint: outputs/webshop_hard_checkpoint\nthe same: outputs/webshop_all_checkpoint\n"
    )
    lineage = json.loads(Path("outputs/webshop_all_checkpoint/lineage.json").read_text())
    assert lineage["chain"] == "webshop.easy > webshop.hard"

    after = [*first, "--model", "outputs/webshop_all_checkpoint", "--env", "textcraft", "--max-turns", "2"]
    assert main([*after, *small]) == 0
    assert said()[0].endswith("the same: outputs/sequential_checkpoint\n")
    call = "evaluate --model outputs/sequential_checkpoint --envs webshop textcraft --metric avg@2 --max-turns 2"
    assert main([*call.split(), "--limit", "2", "--json", *small]) == 0
    cells = json.loads(said()[0])
    assert {cell["env"] for cell in cells} == {"webshop", "textcraft"}
    assert all(cell["tokens"] > 0 for cell in cells)

    assert main([*first, "--difficulty", "all", *small]) == 0
    assert "outputs/webshop_all_checkpoint was that of runs/train-" in said()[1]
    assert main([*hard, "--seed", "1", *small]) == 0
    assert re.search(
        r"outputs/webshop_all_checkpoint stays that of runs/train-\S+, webshop, seed 0, step 1", said()[1]
    )


@pytest.mark.slow
def test_a_checkpoint_never_replaces_what_is_not_ours_and_says_so_before_it_trains(
    said: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    theirs = Path("outputs/textcraft_easy_checkpoint")
    theirs.mkdir(parents=True)
    (theirs / "notes.txt").write_text("mine")
    call = "train --model pocket --env textcraft --difficulty easy --set train.steps=1 processes=1"
    assert main(call.split()) == 2
    assert "outputs/textcraft_easy_checkpoint is no checkpoint that heldout put there" in said()[1]
    assert not Path("runs").exists()
    assert (theirs / "notes.txt").read_text() == "mine"
