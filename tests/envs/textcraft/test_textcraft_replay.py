from dataclasses import replace
from pathlib import Path

import pytest

from heldout.envs.recorded import Answer, Dialogue, RecordedEpisode, RecordedStep
from heldout.envs.replay import replay_episode
from heldout.envs.textcraft.published import ARCHIVE
from heldout.envs.textcraft.recipes import by_depth, grow_book
from heldout.envs.textcraft.replay import console_action, episode_of, open_recording, trees
from heldout.errors import BadCall
from heldout.records import Json

SHAPELESS = {"type": "minecraft:crafting_shapeless"}
SLAB = ["craft 4 smooth red sandstone stairs using 6 smooth red sandstone"]
SLAB += ["craft 6 smooth red sandstone slab using 3 smooth red sandstone"]


def of(start: str | None = None, **task: Json) -> RecordedEpisode:
    return RecordedEpisode(env="textcraft", id="t", task=task, start=start, steps=())


def recipe(output: str, *needs: str) -> Json:
    return SHAPELESS | {"ingredients": [{"item": need} for need in needs], "result": output}


def start_of(episode: RecordedEpisode) -> str:
    return open_recording(episode, rules="agentgym").start().observation


def test_goals_are_numbered_by_depth_and_then_as_they_are_read() -> None:
    book = grow_book([recipe("c", "b"), recipe("d", "a"), recipe("b", "a"), recipe("e", "c", "a")])
    assert by_depth(book) == ["d", "b", "c", "e"]


@pytest.mark.parametrize(
    ("reply", "action"),
    [
        ("> inventory", "inventory"),
        ("> think: I should look.\nOK.\n\n> get 9 slime ball", "get 9 slime ball"),
        ("get 2 iron ore.", "get 2 iron ore"),
        ("> craft 1 lead using 4 string\n> think: Task Completed!\nOK.", "craft 1 lead using 4 string"),
        ("> inventory\nInventory: [slime block] (1)\n\n> think: Task Completed!\nOK.", "Inventory slime block 1"),
        ("> think: task failed!", ""),
        ("", ""),
    ],
)
def test_a_console_reply_is_its_last_line_that_is_no_thought(reply: str, action: str) -> None:
    assert console_action(reply) == action


@pytest.mark.realdata
def test_the_number_of_a_goal_tells_the_tree(data: Path) -> None:
    published, sorted_names, *_ = trees(data / ARCHIVE)
    for tree, other in ((published, sorted_names), (sorted_names, published)):
        number = tree.goals.index("stick")
        assert other.goals[number] != "stick"
        assert open_recording(of(goal="minecraft:stick", data_idx=number), rules="agentgym").world.book is tree.book


@pytest.mark.realdata
@pytest.mark.usefixtures("data")
def test_a_goal_that_neither_known_order_has_is_played_in_a_tree_of_another() -> None:
    answers = {
        "get 1 gold ingot": Answer(observation="Got 1 gold ingot", reward=0, done=False),
        "craft 9 gold nugget using 1 gold ingot": Answer(
            observation="Crafted 9 minecraft:gold_nugget", reward=1, done=True
        ),
    }
    steps = tuple(RecordedStep(action=action, answer=answer) for action, answer in answers.items())
    for task in (of(goal="gold nugget"), of(goal="gold nugget", data_idx=139)):
        episode = replace(task, steps=steps)
        assert replay_episode(episode, open_recording(episode, rules="agentgym"), past_end=True).differences == ()


@pytest.mark.realdata
@pytest.mark.usefixtures("data")
def test_a_number_that_neither_known_order_gives_a_goal_is_any_of_its_depth() -> None:
    assert open_recording(of(goal="stick", data_idx=0), rules="agentgym").world.goal == "stick"
    with pytest.raises(BadCall, match="goal 'stick' is not number 543: that is "):
        open_recording(of(goal="stick", data_idx=543), rules="agentgym")


@pytest.mark.realdata
def test_the_order_of_files_makes_eight_trees(data: Path) -> None:
    every = trees(data / ARCHIVE)
    craftable = [frozenset({"iron nugget", "gold nugget", "honey bottle"} & set(tree.goals)) for tree in every]
    assert len(set(craftable)) == len(every) == 8
    assert [tree.numbered for tree in every] == [True, True, *[False] * 6]
    assert {len(tree.goals) for tree in every} == {544}


@pytest.mark.realdata
def test_a_goal_of_one_tree_only_needs_no_number(data: Path) -> None:
    published, sorted_names, *_ = trees(data / ARCHIVE)
    assert open_recording(of(goal="iron nugget"), rules="agentgym").world.book is published.book
    assert open_recording(of(goal="iron ingot"), rules="agentgym").world.book is sorted_names.book


@pytest.mark.realdata
@pytest.mark.parametrize(("told", "place"), [("Got 1 iron ingot", 0), ("Could not find iron ingot", 1)])
def test_where_both_trees_have_the_goal_the_answers_tell(told: str, place: int, data: Path) -> None:
    both = trees(data / ARCHIVE)
    assert [tree.goals[428] for tree in both[:2]] == ["bookshelf", "bookshelf"]
    step = RecordedStep(action="get 1 iron ingot", answer=Answer(observation=told))
    episode = replace(of(goal="minecraft:bookshelf", data_idx=428), steps=(step,))
    for rules in ("agentgym", "fixed"):
        assert open_recording(episode, rules=rules).world.book is both[place].book


@pytest.mark.realdata
@pytest.mark.usefixtures("data")
def test_the_recorded_recipes_are_shown_in_the_recorded_order() -> None:
    opening = "\n".join(["Crafting commands:", *SLAB, "", "Goal: craft smooth red sandstone slab."])
    assert start_of(of(goal="minecraft:smooth_red_sandstone_slab", commands=SLAB)) == opening
    assert start_of(of(opening, goal="smooth red sandstone slab")) == opening


@pytest.mark.realdata
@pytest.mark.usefixtures("data")
@pytest.mark.parametrize("commands", [SLAB[:1], [*SLAB, "craft 1 stick using 1 dirt"], []])
def test_recipes_that_could_not_be_shown_are_not(commands: list[str]) -> None:
    assert start_of(of(goal="smooth red sandstone slab", commands=commands)).count("\ncraft ") == 2


@pytest.mark.realdata
@pytest.mark.usefixtures("data")
@pytest.mark.parametrize(
    ("task", "told"),
    [
        ({}, "a task of TextCraft has a goal, such as 'minecraft:stick', not None"),
        (
            {"goal": "minecraft:sticks"},
            r"unknown goal 'sticks'; did you mean 'stick'\? \(choose from 544, the nearest: stick, ",
        ),
        ({"goal": "stick", "data_idx": "0"}, "data_idx is a whole number from 0, not '0'"),
        ({"goal": "stick", "commands": "craft"}, "commands is a list of lines such as"),
    ],
)
def test_a_task_that_is_none_is_refused_by_its_value(task: Json, told: str) -> None:
    with pytest.raises(BadCall, match=told):
        open_recording(of(**task), rules="agentgym")


def test_without_the_recipes_it_is_said_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HELDOUT_DATA", raising=False)
    with pytest.raises(BadCall, match=r"HELDOUT_DATA is not set: it names the folder with the real tasks' data"):
        open_recording(of(goal="stick"), rules="agentgym")


@pytest.mark.realdata
@pytest.mark.usefixtures("data")
@pytest.mark.parametrize(
    ("instruction", "reply"),
    [
        ("For thoughts, use prefix 'think: '.", "> think: first.\nOK.\n\n> get 3 smooth red sandstone"),
        ("Action:\nyour next action", "Thought: first.\nAction: get 3 smooth red sandstone."),
    ],
)
def test_a_dialogue_is_about_the_goal_in_its_opening(instruction: str, reply: str) -> None:
    logged = Dialogue(
        env="textcraft",
        item=31,
        place=0,
        id="t",
        instruction=instruction,
        opening="\n".join(["Crafting commands:", *SLAB, "", "Goal: craft smooth red sandstone slab."]),
        turns=((reply, "Got 3 smooth red sandstone"),),
        reward=0,
    )
    episode = episode_of(logged)
    assert episode.task == {"item": 31, "goal": "smooth red sandstone slab", "commands": SLAB}
    assert replay_episode(episode, open_recording(episode, rules="agentgym"), past_end=True).differences == ()
    assert episode.steps[0].answer.reward == 0
