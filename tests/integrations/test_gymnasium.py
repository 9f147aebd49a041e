"""Gymnasium's own checks, wrappers and vectors, on every environment; and episodes beside those of a rollout."""

import copy
import pickle
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import pytest
from gymnasium.utils.env_checker import check_env

import heldout
from heldout.config import Limits, Source
from heldout.envs.registry import names, open_suite
from heldout.errors import BadCall
from heldout.integrations.gymnasium import AnyText, id_of
from heldout.policies import privileged
from heldout.policies.scripted import ScriptedPolicy, script
from heldout.records import Ending, Task, Trajectory
from heldout.rollout.episode import Assignment
from heldout.rollout.groups import play

Step = tuple[str, float, bool, bool, dict[str, Any]]
STRANGE = ("", "日本 éè ünï \x00 \ud800", "9" * 20_000, "craft using using", "click[", "Action: a\nAction: b")


@pytest.mark.parametrize("replies", [False, True])
@pytest.mark.parametrize("name", names())
def test_gymnasium_finds_nothing_to_say_of_any_environment(name: str, replies: bool) -> None:
    check_env(gymnasium.make(id_of(name), replies=replies, render_mode="ansi").unwrapped)


def rolled_out(name: str, place: int, player: ScriptedPolicy, turns: int = 20) -> Trajectory:
    suite = open_suite(name, Source())
    assignment = Assignment(task=suite.tasks("test")[place], attempt=0, seed=0, stream="test")
    [trajectory] = play(player, [assignment], Limits(max_turns=turns), lambda _: suite)
    return trajectory


def through_the_door(env: Any, task: Task, said: list[str]) -> Iterator[Step]:
    opening, info = env.reset(options={"task": task.id})
    yield opening, 0.0, False, False, info
    for each in said:
        yield env.step(each)


@pytest.mark.parametrize("replies", [False, True])
@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("name", names())
def test_the_oracles_episode_is_that_of_a_rollout_word_for_word(name: str, place: int, replies: bool) -> None:
    ours = rolled_out(name, place, privileged.oracle(lambda name: open_suite(name, Source())))
    said = [turn.reply.text if replies else turn.action for turn in ours.turns]
    env = heldout.make(name, split="test", replies=replies)
    steps = list(through_the_door(env, ours.task, said))
    assert [step[0] for step in steps] == [ours.opening, *(turn.observation for turn in ours.turns)]
    assert [step[1] for step in steps[1:]] == [turn.reward for turn in ours.turns]
    assert [step[4]["action"] for step in steps[1:]] == [turn.action for turn in ours.turns]
    assert [step[2] for step in steps] == [False] * len(ours.turns) + [True]
    assert not any(step[3] for step in steps)
    last = steps[-1][4]
    assert (last["task"], last["score"], last["ending"]) == (ours.task.id, ours.score, ours.ending.value)
    assert last["success"]
    assert ours.ending is Ending.SOLVED


@pytest.mark.parametrize("name", names())
def test_what_cannot_be_read_costs_a_turn_and_the_last_turn_truncates(name: str) -> None:
    said = "Thought: two\nAction: a\nAction: b"
    ours = rolled_out(name, 0, script(said), turns=3)
    assert ours.ending is Ending.OUT_OF_TURNS
    steps = list(
        through_the_door(heldout.make(name, split="test", replies=True, max_turns=3), ours.task, [said] * 3)
    )
    assert [step[0] for step in steps[1:]] == [turn.observation for turn in ours.turns]
    assert [step[2:4] for step in steps] == [(False, False)] * 3 + [(False, True)]
    assert (steps[-1][4]["ending"], steps[-1][4]["score"]) == ("out_of_turns", ours.score)


@pytest.mark.parametrize("name", names())
def test_any_action_is_answered_by_an_observation_that_its_space_holds(name: str) -> None:
    env = heldout.make(name, max_turns=50)
    observation, info = env.reset(seed=1)
    assert observation in env.observation_space
    for action in (*STRANGE, *info["admissible_actions"]):
        observation, _, terminated, truncated, _ = env.step(action)
        assert observation in env.observation_space
        if terminated or truncated:
            break


@pytest.mark.parametrize("name", names())
def test_an_admissible_action_is_carried_out(name: str) -> None:
    env = heldout.make(name)
    _, info = env.reset(seed=3)
    refused, *_ = copy.deepcopy(env).step("xyzzy plugh")
    assert info["admissible_actions"]
    for action in info["admissible_actions"]:
        answered, *_ = copy.deepcopy(env).step(action)
        assert answered.replace(action, "") != refused.replace("xyzzy plugh", "")


def test_a_seed_draws_the_same_tasks_and_another_seed_others() -> None:
    def tasks(seed: int) -> list[str]:
        env = heldout.make("textcraft", difficulty="easy")
        first = env.reset(seed=seed)[1]
        later = [env.reset()[1] for _ in range(4)]
        assert {info["difficulty"] for info in (first, *later)} == {"easy"}
        return [info["task"] for info in (first, *later)]

    assert tasks(7) == tasks(7)
    assert tasks(7) != tasks(8)
    assert len(set(tasks(7))) == 5


def test_a_copy_goes_on_where_the_episode_was() -> None:
    env = heldout.make("textcraft")
    _, info = env.reset(seed=5)
    env.step(info["admissible_actions"][0])
    again = pickle.loads(pickle.dumps(env.unwrapped))
    branch = copy.deepcopy(env)
    assert env.step("inventory") == again.step("inventory") == branch.step("inventory")
    assert env.reset()[1]["task"] == again.reset()[1]["task"]


def test_environments_play_side_by_side_in_one_process() -> None:
    envs = gymnasium.make_vec("heldout/TextCraft-v0", num_envs=3, vectorization_mode="sync", max_turns=2)
    observations, infos = envs.reset(seed=0)
    alone = heldout.make("textcraft", max_turns=2)
    assert [alone.reset(seed=seed)[0] for seed in range(3)] == list(observations)
    actions = tuple(actions[0] for actions in infos["admissible_actions"])
    observations, rewards, _, truncated, _ = envs.step(actions)
    assert rewards.shape == (3,)
    assert not truncated.any()
    assert envs.step(("é", "inventory", ""))[3].all()
    assert envs.step(("", "", ""))[4]["score"].tolist() == [0.0, 0.0, 0.0]
    envs.close()


@pytest.mark.slow
def test_environments_play_in_processes_of_their_own_in_any_script() -> None:
    more = {"context": "spawn", "shared_memory": False}
    envs = gymnasium.make_vec(
        "heldout/TextCraft-v0", num_envs=2, vectorization_mode="async", vector_kwargs=more, replies=True
    )
    observations, _ = envs.reset(seed=0)
    alone = heldout.make("textcraft", replies=True)
    assert [alone.reset(seed=seed)[0] for seed in range(2)] == list(observations)
    said = "Thought: 日本 \ud800\nAction: get 1 ünï"
    assert envs.step((said, said))[0][1] == alone.step(said)[0]
    envs.close()


def test_shared_memory_is_refused_since_gymnasium_reads_text_there_only_once() -> None:
    with pytest.raises(ValueError, match="shared_memory=False") as refused:
        gymnasium.make_vec("heldout/TextCraft-v0", num_envs=1, vectorization_mode="async")
    assert str(refused.value.__cause__) == (
        "AnyText(32768) is not shared: give vector_kwargs={'shared_memory': False}"
    )


def test_a_space_of_text_holds_every_character_flat_or_not() -> None:
    space, text = AnyText(6), "aé日\ud800\U0010ffff\x00"
    assert text in space
    assert "1234567" not in space
    flat = gymnasium.spaces.flatten(space, text)
    assert flat in gymnasium.spaces.flatten_space(space)
    assert gymnasium.spaces.unflatten(space, flat) == text
    assert space == AnyText(6) == pickle.loads(pickle.dumps(space))
    assert AnyText(6) != AnyText(7)
    space.seed(1)
    assert all(space.sample() in space for _ in range(100))
    assert len(space.sample(mask=(4, None))) == 4


def test_what_is_seen_is_what_was_said_last_and_its_answer() -> None:
    env = heldout.make("textcraft", render_mode="ansi")
    opening, _ = env.reset(seed=0)
    assert env.render() == opening
    observation, *_ = env.step("inventory")
    assert env.render() == f"> inventory\n{observation}"
    env.close()
    env.close()


def test_an_episode_that_is_over_is_not_played_on() -> None:
    env = heldout.make("textcraft", max_turns=1).unwrapped
    with pytest.raises(gymnasium.error.ResetNeeded, match=r"call reset\(\)"):
        env.step("inventory")
    env.reset()
    env.step("inventory")
    with pytest.raises(gymnasium.error.ResetNeeded, match=r"call reset\(\)"):
        env.step("inventory")


def test_an_error_reply_of_the_originals_ends_an_episode_as_in_a_rollout() -> None:
    source, action = Source(rules="agentgym"), f"get {'9' * 5000} dirt"
    suite = open_suite("textcraft", source)
    task = suite.tasks("test")[0]
    assignment = Assignment(task=task, attempt=0, seed=0, stream="test")
    [ours] = play(script(f"Action: {action}"), [assignment], Limits(), lambda _: suite)
    env = heldout.make("textcraft", split="test", source=source)
    _, (observation, reward, terminated, truncated, info) = through_the_door(env, task, [action])
    assert (observation, reward) == (ours.turns[0].observation, 0.0)
    assert (terminated, truncated, info["ending"], info["score"]) == (True, False, "failed", 0.0)
    assert ours.ending is Ending.FAILED
    assert observation.startswith("Exceeds the limit")


def test_a_wrong_name_is_told_with_what_there_is_instead() -> None:
    with pytest.raises(BadCall, match=r"unknown environment 'babyay'; did you mean 'babyai'\?"):
        heldout.make("babyay")
    with pytest.raises(BadCall, match=r"unknown difficulty 'eazy'; did you mean 'easy'\?"):
        heldout.make("babyai", difficulty="eazy")
    with pytest.raises(BadCall, match=r"unknown split 'tests'; did you mean 'test'\?"):
        heldout.make("babyai", split="tests")
    env = heldout.make("babyai")
    with pytest.raises(BadCall, match="babyai has no task 'x' in train"):
        env.reset(options={"task": "x"})
    with pytest.raises(BadCall, match=r"unknown option of reset 'tusk'; did you mean 'task'\?"):
        env.reset(options={"tusk": "x"})


@pytest.mark.slow
@pytest.mark.parametrize(
    "program",
    [
        "import gymnasium, heldout.integrations.gymnasium; gymnasium.make('heldout/BabyAI-v0')",
        "import heldout.integrations.gymnasium, gymnasium; gymnasium.make('heldout/BabyAI-v0')",
        "import gymnasium; gymnasium.make('heldout.integrations.gymnasium:heldout/BabyAI-v0')",
        "import heldout, gymnasium; heldout.make('babyai'); gymnasium.make('heldout/BabyAI-v0')",
    ],
)
def test_the_ids_are_there_once_both_packages_are(program: str) -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)


@pytest.mark.slow
def test_the_pages_examples_run() -> None:
    page = (Path(__file__).parents[2] / "docs" / "integrations.md").read_text(encoding="utf-8")
    section = page.split("\n## Gymnasium\n")[1].split("\n## ")[0]
    played, made = re.findall(r"^```python\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    done = subprocess.run([sys.executable, "-W", "error", "-c", played], check=True, capture_output=True, text=True)
    assert re.fullmatch(r"babyai_\d+ (solved|failed|out_of_turns) [0-9.]+\n", done.stdout)
    subprocess.run([sys.executable, "-W", "error", "-c", made], check=True)


def test_importing_heldout_alone_loads_nothing_more() -> None:
    code = (
        "import gymnasium, heldout, sys; print(*sorted(name for name in sys.modules if name.startswith('heldout')))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "heldout heldout.version\n"
