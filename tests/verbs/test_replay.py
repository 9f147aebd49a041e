"""`heldout replay`: what it prints, what it writes, and what it says of files that are none."""

import gzip
import json
import lzma
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from heldout.cli import main
from heldout.config import Limits, Source
from heldout.envs.registry import open_suite
from heldout.policies.privileged import OracleNoise, noisy_oracle
from heldout.records import Json
from heldout.rollout.episode import Assignment
from heldout.rollout.groups import play
from heldout.store.trajectories import Trajectories

EPISODE = {"id": "first", "env": "babyai", "task": {"level": 1, "seed": 0}, "kind": "expert"}
ACTIONS = ("turn left", "jump", "turn right", "go to red ball 1", "go to red ball 1")
Written = Callable[..., Path]
Said = Callable[[], tuple[str, str]]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Writes values as a file of lines."""

    def write(*values: Json, name: str = "episodes.jsonl") -> Path:
        path = tmp_path / name
        path.write_text("".join(json.dumps(value) + "\n" for value in values))
        return path

    return write


def steps(*actions: str) -> Json:
    return {"steps": [{"action": action} for action in actions]}


def test_an_episode_without_answers_is_played_and_written_with_ours(written: Written, said: Said) -> None:
    path = written(EPISODE | steps(*ACTIONS))
    out = path.with_name("ours.jsonl")
    assert main(["replay", str(path), "--out", str(out)]) == 0
    assert said() == ("episodes: 1, steps: 5, differences: 0\n", "")
    ours = json.loads(out.read_text())
    assert list(ours) == ["id", "env", "task", "kind", "start", "steps"]
    assert ours["start"].startswith("Your goal: go to the red ball\nIn front of you")
    assert ours["steps"][1]["observation"].startswith("The action is not recognized.")
    assert {name: ours["steps"][3][name] for name in ("reward", "score", "done")} == {
        "reward": 0.859375,
        "score": 0.859375,
        "done": True,
    }
    assert ours["steps"][4] == {
        "action": "go to red ball 1",
        "error": "The task with environment 0 has finished.",
    }


@pytest.mark.parametrize("name", ["ours.jsonl", "ours.jsonl.xz"])
@pytest.mark.parametrize("rules", ["agentgym", "fixed"])
def test_our_own_answers_replay_without_a_difference(name: str, rules: str, written: Written, said: Said) -> None:
    path = written(EPISODE | steps(*ACTIONS), EPISODE | {"id": "second"} | steps("turn left"))
    out = path.with_name(name)
    assert main(["replay", str(path), "--rules", rules, "--out", str(out)]) == 0
    before = out.read_bytes()
    assert main(["replay", str(out), "--rules", rules, "--out", str(out)]) == 0
    assert said()[0].splitlines() == ["episodes: 2, steps: 6, differences: 0"] * 2
    assert out.read_bytes() == before


def test_a_difference_is_printed_counted_and_fails(written: Written, said: Said) -> None:
    told = {"steps": [{"action": "jump", "observation": "You jump.", "reward": 0, "done": False}]}
    path = written(EPISODE | told, EPISODE | steps("jump"))
    assert main(["replay", str(path)]) == 1
    out, err = said()
    assert out.splitlines() == [
        'first, step 1: "jump"',
        '  observation  recorded  "You jump."',
        '               ours      "The action is not recognized. Please check valid actions.\\nAvailable acti…',
        "",
        "episodes: 2, steps: 2, differences: 1",
    ]
    assert err == f"heldout: {path}: we answer otherwise in 1 of 2 episodes\n"


def test_only_so_many_differences_are_printed_in_full(written: Written, said: Said) -> None:
    told = {"steps": [{"action": "jump", "observation": "You jump."}] * 25}
    assert main(["replay", str(written(EPISODE | told))]) == 1
    lines = said()[0].splitlines()
    assert sum("recorded" in line for line in lines) == 20
    assert lines[-2:] == ["… and 5 more differences", "episodes: 1, steps: 25, differences: 25"]


def test_fixed_rules_refuse_play_after_the_end(written: Written, said: Said) -> None:
    path = written(EPISODE | steps(*ACTIONS))
    ours = path.with_name("ours.jsonl")
    assert main(["replay", str(path), "--out", str(ours)]) == 0
    said()
    assert main(["replay", str(ours), "--rules", "fixed"]) == 1
    out, _ = said()
    assert 'first, step 5: "go to red ball 1"' in out
    assert out.splitlines()[-4:-2] == [
        '  error        recorded  error "The task with environment 0 has finished."',
        '               ours      error "the episode is over"',
    ]


def test_a_limit_plays_the_first_episodes(written: Written, said: Said) -> None:
    path = written(EPISODE | steps("jump"), EPISODE | steps("jump", "jump"), {"broken": True})
    assert main(["replay", str(path), "--limit", "2"]) == 0
    assert said()[0] == "episodes: 2, steps: 3, differences: 0\n"


def test_a_dialogue_is_replayed_as_it_stands(written: Written, said: Said) -> None:
    start, answer = opening_and_answer(written, said)
    messages = ["Reach the goal. Action:", "OK.", start, "Thought: left.\n\nAction:\nturn left", answer]
    roles = ("user", "assistant")
    talk = [{"role": roles[number % 2], "content": text} for number, text in enumerate(messages)]
    path = written({"item_id": "babyai_0", "conversations": talk, "reward": 0.0})
    assert main(["replay", str(path)]) == 0
    assert said()[0] == "episodes: 1, steps: 1, differences: 0\n"
    talk[4]["content"] = "Nothing happens."
    assert main(["replay", str(written({"item_id": "babyai_0", "conversations": talk}))]) == 1
    assert said()[0].startswith('babyai_0 (line 1), step 1: "turn left"\n')


@pytest.mark.realdata
def test_a_dialogue_says_its_game_as_it_was_published(written: Written, said: Said) -> None:
    if "HELDOUT_DATA" not in os.environ:
        pytest.skip("HELDOUT_DATA is not set")
    game = "look_at_obj_in_light-AlarmClock-None-DeskLamp-301_trial_T20190907_174142_375532"
    counted = []
    for item in (game, game.replace("_trial", "/trial"), "alfworld_1"):
        talk = [("user", "Do it."), ("assistant", "OK."), ("user", "Welcome"), ("assistant", "Action: look")]
        messages = [{"role": role, "content": text} for role, text in talk]
        path = written({"item_id": item, "conversations": messages})
        main(["replay", str(path), "--out", str(path.with_name("ours.jsonl"))])
        assert "episodes: 1, steps: 1" in said()[0]
        counted.append(json.loads(path.with_name("ours.jsonl").read_text())["task"])
    assert counted == [{"data": "2.1.1", "split": "train", "item": 1, "game": game.replace("_trial", "/trial")}] * 3


def talk_of(start: str, answer: str, *, ours: bool) -> list[Json]:
    """A dialogue as AgentGym-RL writes its messages, or as AgentGym does."""
    said = ["Reach the goal. Action:", "OK.", start, "Thought: left.\n\nAction:\nturn left", answer]
    if ours:
        return [{"role": ("user", "assistant")[at % 2], "content": text} for at, text in enumerate(said)]
    return [{"from": ("human", "gpt")[at % 2], "loss": None, "value": text} for at, text in enumerate(said)]


def test_the_files_of_agentgym_rl_and_agentgym_are_read_as_they_write_them(
    written: Written, said: Said, tmp_path: Path
) -> None:
    start, answer = opening_and_answer(written, said)
    rl = {"item_id": 0, "conversations": talk_of(start, answer, ours=True), "reward": 0}
    gym = {"conversations": talk_of(start, answer, ours=False), "item_id": "babyai_0", "reward": 0, "success": 0}
    folder = tmp_path / "rollouts" / "step1"
    folder.mkdir(parents=True)
    (folder / "0.json").write_text(json.dumps([rl, rl], indent=4))
    (folder / "one.json").write_text(json.dumps(rl, indent=4))
    (folder / "inference_iter_1.jsonl.gz").write_bytes(gzip.compress(json.dumps(gym).encode() + b"\n"))
    assert main(["replay", str(folder.parent), "--env", "babyai"]) == 0
    assert said() == ("episodes: 4, steps: 4, differences: 0\n", "")
    assert main(["replay", str(folder / "0.json")]) == 1
    assert "item 1: item_id is the number 0, which names no environment: name it by --env" in said()[1]


def test_our_own_trajectories_are_played_again_by_the_rules_they_were_played_by(tmp_path: Path, said: Said) -> None:
    suite = open_suite("babyai", Source())
    tasks = [Assignment(task=task, attempt=0, seed=0, stream="test") for task in suite.tasks("test")[:3]]
    played = play(
        noisy_oracle(lambda _: suite, OracleNoise(error_rate=0.3)), tasks, Limits(max_turns=4), lambda _: suite
    )
    path = tmp_path / "trajectories.jsonl.zst"
    Trajectories(path).extend(played)
    steps = sum(len(each.turns) for each in Trajectories(path))
    assert main(["replay", str(path)]) == 0
    assert said() == (f"episodes: 3, steps: {steps}, differences: 0\n", "")
    assert main(["replay", str(path), "--set", "source.profile=standard"]) == 1


def opening_and_answer(written: Written, said: Said) -> tuple[str, str]:
    """What our environment says at the start of the episode and to one action."""
    path = written(EPISODE | steps("turn left"))
    assert main(["replay", str(path), "--out", str(path)]) == 0
    said()
    ours = json.loads(path.read_text())
    return ours["start"], ours["steps"][0]["observation"]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"env": "babyai", "task": {}}, "line 2: no field 'steps' (there are: env, task)"),
        (EPISODE | {"env": "babyia"} | steps(), "line 2: unknown environment 'babyia'; did you mean 'babyai'?"),
        (EPISODE | {"task": {"level": 50, "seed": 1}} | steps(), "line 2: BabyAI has levels 1 to 40, not 50"),
        ({"conversations": []}, "line 2: no field 'item_id' (there are: conversations)"),
        ({"conversations": [], "item_id": "webshop_6"}, "line 2: a dialogue begins with an instruction"),
        ({"conversations": [], "item_id": 6}, "line 2: item_id is the number 6, which names no environment: name "),
        ("steps", "line 2: a text ('steps') is none of the forms that are read: episodes (env, task, steps), "),
        (
            {"role": "user", "content": "go"},
            "line 2: a message by itself, outside of a dialogue's conversations, is",
        ),
        ({"id": 1, "prompt": "go"}, "line 2: an object with the fields id, prompt is none of the forms that are"),
    ],
)
def test_what_cannot_be_played_is_counted_and_named_and_the_rest_is_played(
    value: Json, told: str, written: Written, said: Said
) -> None:
    path = written(EPISODE | steps("jump"), value, EPISODE | steps("turn left"))
    out = path.with_name("ours.jsonl")
    assert main(["replay", str(path), "--out", str(out)]) == 0
    printed, errors = said()
    assert printed == "episodes: 2, steps: 2, differences: 0, not played: 1\n"
    assert errors.startswith(f"not played: {path}: {told}")
    assert errors.count("\n") == 1
    assert out.read_text().count("\n") == 2
    assert main(["replay", str(written(value, value))]) == 1
    refused = said()[1]
    assert refused.startswith(f"heldout: {path}: {told.replace('line 2', 'line 1')}")
    assert refused.endswith(" (and so is 1 other)\n")


def test_files_that_cannot_be_read_are_one_line(tmp_path: Path, said: Said) -> None:
    path, line = tmp_path / "episodes.jsonl.xz", json.dumps(EPISODE | steps("jump")).encode() + b"\n"
    for content, told in (
        (None, f"could not read {path}: No such file or directory"),
        (b"", f"{path} is damaged after line 0: "),
        (lzma.compress(line)[:-8], f"{path} is damaged after line 1: "),
        (lzma.compress(b"{"), f"{path}: line 1 is not JSON ("),
        (lzma.compress(b"\n"), f"{path} holds no episodes"),
    ):
        if content is not None:
            path.write_bytes(content)
        assert main(["replay", str(path)]) == 1
        err = said()[1]
        assert err.startswith(f"heldout: {told}")
        assert err.count("\n") == 1


def test_rules_that_are_none_are_a_wrong_call(said: Said) -> None:
    assert main(["replay", "episodes.jsonl", "--rules", "agentgim"]) == 2
    assert (
        said()[1] == "heldout: unknown rules 'agentgim'; did you mean 'agentgym'? (choose from: agentgym, fixed)\n"
    )
