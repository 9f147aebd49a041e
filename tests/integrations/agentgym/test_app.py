"""What each path answers, in both families (spec §1.1 to §5.1)."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from heldout.config import Config, Source, Variant, with_overrides
from heldout.envs import corridor
from heldout.envs.base import Suite
from heldout.envs.guard import guard
from heldout.envs.registry import open_suite
from heldout.errors import BadCall, Unavailable
from heldout.integrations.agentgym.app import App
from heldout.integrations.agentgym.episodes import Episodes
from heldout.integrations.agentgym.messages import HttpRequest, HttpResponse
from heldout.records import Task

Ask = Callable[..., tuple[int, Any]]

ORIGINAL = Source(rules="agentgym")
NOT_VALID = {"error": "The id 9 is not valid."}
SERVER_ERROR = (500, "Internal Server Error")


def asking(suite: Suite, most: int = 100) -> Ask:
    """Asks an app of that suite: `ask("/step", id=0, action="look")`; without fields it is a GET."""
    door = App(suite, ORIGINAL, Episodes(most, idle_seconds=60), Random(0))

    def ask(path: str, body: bytes | None = None, /, **fields: object) -> tuple[int, Any]:
        answer = sent(door, path, json.dumps(fields).encode() if body is None and fields else body)
        return answer.status, answer.content if answer.is_text else json.loads(answer.body)

    return ask


def sent(door: App, path: str, body: bytes | None) -> HttpResponse:
    path, _, query = path.partition("?")
    return door.answer(
        HttpRequest(method="GET" if body is None else "POST", path=path, query=query, body=body or b"")
    )


@pytest.fixture(scope="module")
def textcraft() -> Ask:
    return asking(open_suite("textcraft", ORIGINAL))


@pytest.fixture(scope="module")
def babyai() -> Ask:
    return asking(open_suite("babyai", ORIGINAL))


def dressed(name: str) -> Suite:
    """The corridor in the clothes of an environment that is not here: what its server says, said of a corridor."""
    return replace(corridor.suite(ORIGINAL), name=name, rules="agentgym")


def test_textcraft_is_played_from_its_creation_to_its_end_and_on() -> None:
    ask = asking(open_suite("textcraft", ORIGINAL))
    assert ask("/") == (200, "This is environment TextCraft.")
    _, created = ask("/create", b'{"commands": null, "goal": null, "minecraft_dir": "x"}')
    assert list(created) == ["id", "observation", "done", "reward"]
    assert (created["id"], created["done"], created["reward"]) == (0, False, 0)
    _, reset = ask("/reset", id=0, data_idx=0)
    assert reset == created
    goal = reset["observation"].partition("Goal: craft ")[2].rstrip(".")
    lines = [line for line in reset["observation"].splitlines() if line.startswith(f"craft 1 {goal} using ")]
    assert ask("/step", id=0, action="inventory") == (
        200,
        {"observation": "Inventory: You are not carrying anything.", "reward": 0, "done": False},
    )
    assert ask("/step", id=0, action=lines[0])[1]["observation"].startswith("Could not find enough items to craft")
    assert ask("/observation?id=0")[1].startswith("Could not find enough items to craft")
    assert set(ask("/detail?id=0")[1]) == {"observation", "reward", "done", "deleted"}
    assert ask("/close", id=0) == (200, True)
    assert ask("/close", id=0) == (200, False)
    assert ask("/step", id=0, action="x") == (200, {"error": "The id 0 is not valid."})


def test_textcraft_counts_its_episodes_from_0_and_its_tasks_round(textcraft: Ask) -> None:
    first = textcraft("/create", b"{}")[1]["id"]
    assert textcraft("/create", b"{}")[1]["id"] == first + 1
    there_are = [*range(200), *range(1000, 2000)]
    opening = textcraft("/reset", id=first, data_idx=5_000)[1]
    assert opening == textcraft("/reset", id=first, data_idx=there_are[5_000 % 1_200])[1]
    assert textcraft("/reset", id=first)[1] == textcraft("/reset", id=first, data_idx=None)[1]


def test_textcrafts_paths_that_cannot_work_do_not(textcraft: Ask) -> None:
    assert textcraft("/commands?id=0") == SERVER_ERROR
    assert textcraft("/goal?id=0") == SERVER_ERROR


def test_babyai_has_no_world_before_its_first_reset(babyai: Ask) -> None:
    number = babyai("/create", b"")[1]["id"]
    waiting = {
        "observation": "Environment not initialized",
        "reward": 0,
        "score": 0,
        "done": False,
        "deleted": False,
    }
    assert babyai(f"/observation?id={number}") == (200, waiting)
    assert babyai("/step", id=number, action="turn left") == (200, {"error": str(number)})
    assert babyai("/close", id=number) == (200, False)
    assert babyai(f"/observation?id={number}") == (200, {"error": f"The id {number} is not valid."})


def test_babyai_is_played_as_the_golden_fragment_has_it(babyai: Ask) -> None:
    number = babyai("/create", b"")[1]["id"]
    _, reset = babyai("/reset", id=number, data_idx=0)
    assert list(reset) == ["observation", "reward", "score", "deleted", "done"]
    assert reset["observation"].startswith(
        "Your goal: go to the red ball\nIn front of you in this room, you can see"
    )
    assert (reset["reward"], reset["score"], reset["deleted"], reset["done"]) == (0, 0, False, False)
    _, turned = babyai("/step", id=number, action="turn left")
    assert list(turned) == ["observation", "reward", "score", "done"]
    assert (
        babyai(f"/observation?id={number}")[1]["observation"]
        == f"Your goal: go to the red ball\n{turned['observation']}"
    )
    babyai("/reset", id=number, data_idx=0)
    _, done = babyai("/step", id=number, action="go to red ball 1")
    assert (done["reward"], done["score"], done["done"]) == (0.8875, 0.8875, True)
    finished = (200, {"error": f"The task with environment {number} has finished."})
    assert babyai("/step", id=number, action="turn left") == finished
    assert babyai(f"/observation?id={number}") == finished
    assert babyai("/reset", id=number, data_idx=0)[1] == reset
    assert babyai("/close", id=number) == (200, True)


def test_babyai_has_a_world_for_every_number_and_a_picture_of_it(babyai: Ask) -> None:
    number = babyai("/create", b"")[1]["id"]
    assert babyai("/reset", id=number, data_idx=12)[1]["observation"].startswith("Your goal: open the red door\n")
    assert babyai("/render", id=number)[1].startswith("data:image/png;base64,iVBORw0KGgo")
    assert "error" in babyai("/reset", id=number, data_idx=-1)[1]


def test_alfworlds_family_and_fields() -> None:
    ask = asking(dressed("alfworld"))
    assert ask("/") == (200, "This is environment AlfWorld.")
    assert ask("/create", b"") == (200, {"id": 0})
    assert ask("/observation?id=0") == (200, "")
    _, reset = ask("/reset", id=0, game=20, world_type="Text")
    assert list(reset) == ["id", "observation", "available_actions", "task_type"]
    assert ask("/available_actions?id=0") == (200, reset["available_actions"])
    assert reset["available_actions"][0] == "read note"
    _, read = ask("/step", id=0, action="read note")
    assert list(read) == ["observation", "reward", "available_actions", "done"]
    door = read["observation"].removeprefix("The note says: ").rstrip(".")
    assert ask("/step", id=0, action=f"open {door} door")[1]["reward"] == 1.0
    finished = (200, {"error": "The task with environment 0 has finished."})
    assert ask("/step", id=0, action="read note") == finished
    assert ask("/detail?id=0") == finished
    refused = 'world_type must be one of "Text", "Embody" and "Hybrid"'
    assert ask("/reset", id=0, game=0, world_type="Dream") == (200, {"error": refused})
    assert ask("/reset", id=0, game=60, world_type="Text") == (200, {"error": "list index out of range"})
    assert ask("/reset", id=0, game=-1, world_type="Text") == ask("/reset", id=0, game=39, world_type="Text")
    assert ask("/reset", id=0, game=0)[0] == 422
    assert ask("/close", id=0) == (200, True)


def test_webshops_family_and_fields() -> None:
    ask = asking(dressed("webshop"))
    assert ask("/") == (200, "ok")
    _, number = ask("/create", b"")
    assert 0 <= number <= 48_950_076
    assert ask("/list_envs") == (200, [number])
    _, reset = ask("/reset", env_idx=number, session_id=3)
    assert reset[0].startswith("A corridor with a ")
    assert reset[1] is None
    assert ask("/reset", env_idx=number)[0] == 200
    _, step = ask("/step", env_idx=number, action="read note")
    assert list(step) == ["state", "reward", "done", "info"]
    assert ask(f"/observation?env_idx={number}") == (200, step["state"])
    assert ask(f"/available_actions?env_idx={number}") == (200, {"has_search_bar": False, "clickables": []})
    assert ask(f"/state?env_idx={number}")[1] == {
        "url": "url",
        "html": "html",
        "instruction_text": "instruction_text",
    }
    assert ask("/step", env_idx=number + 1, action="x") == SERVER_ERROR
    assert ask("/reset", env_idx=number, session_id=99) == SERVER_ERROR
    assert ask(f"/observation?env_idx={number + 1}") == SERVER_ERROR
    assert ask("/close", env_idx=number) == (200, True)
    assert ask("/close", env_idx=number) == (200, False)


def test_searchqas_family_and_fields() -> None:
    ask = asking(dressed("searchqa"))
    assert ask("/create", b"")[0] == 422
    assert ask("/create", id=99) == (200, 0)
    assert ask("/observation?env_idx=0") == ask("/step", env_idx=0, action="read note") == SERVER_ERROR
    _, number = ask("/create", id=0)
    assert number == 1
    _, opening = ask("/reset", env_idx=number, id=1)
    assert opening.startswith(corridor.INSTRUCTION + "\n\n A corridor with a ")
    _, step = ask("/step", env_idx=number, action="read note")
    assert list(step) == ["observation", "reward", "done", "info"]
    assert ask(f"/observation?env_idx={number}") == (200, opening)
    assert ask("/reset", env_idx=number) == SERVER_ERROR
    assert ask("/close", env_idx=number) == (200, True)


def test_a_task_is_named_by_its_number_or_by_its_published_id() -> None:
    published = {"nq_3": "searchqa_3"}
    suite = replace(open_suite("searchqa", ORIGINAL), task_id=lambda item: published.get(item, item))
    ask = asking(suite)
    _, number = ask("/create", id="searchqa_0")
    openings = [ask("/reset", env_idx=number, id=named)[1] for named in (3, "3", "searchqa_3", "nq_3")]
    assert len(set(openings)) == 1
    assert ask("/reset", env_idx=number, id=0)[1] != openings[0]
    status, answer = ask("/reset", env_idx=number, id="nq_4")
    assert (status, answer["detail"][0]["loc"]) == (422, ["body", "id"])


def test_real_questions_are_created_with_0_and_reset_to_any_number(tmp_path: Path) -> None:
    questions, corpus = tmp_path / "questions.jsonl", tmp_path / "corpus.jsonl"
    questions.write_text(json.dumps({"question": "Who won?", "golden_answers": ["Ada"]}) + "\n")
    corpus.write_text(json.dumps({"id": "0", "contents": '"Cup"\nThe cup was won by Ada.'}) + "\n")
    option = "source.options.searchqa"
    settings = ["source.kind=real", "source.rules=agentgym", f"{option}.questions={questions}"]
    source = with_overrides(Config(), [*settings, f"{option}.corpus={corpus}"]).source
    ask = asking(open_suite("searchqa", source))
    number = 1_000_001  # of a question that says no place in a published set: no such question is number 0
    # What AgentGym's client sends, and what it needs of each answer.
    status, env_idx = ask("/create", id=0)
    assert (status, type(env_idx)) == (200, int)
    status, opening = ask("/reset", id=number, env_idx=env_idx)
    assert (status, opening.endswith("\n\n Question: Who won?")) == (200, True)
    assert ask(f"/observation?env_idx={env_idx}") == (200, opening)
    status, found = ask("/step", action="<think>I look.</think><search>cup</search>", env_idx=env_idx)
    assert (status, found["reward"], found["done"]) == (200, 0.0, False)
    assert found["observation"] == '<information>Doc 1(Title: "Cup") The cup was won by Ada.</information>'
    status, answered = ask("/step", action="<answer>Ada</answer>", env_idx=env_idx)
    assert (status, answered["reward"], answered["done"]) == (200, 1.0, True)
    assert ask("/close", env_idx=env_idx) == (200, True)


@pytest.mark.parametrize(
    ("body", "status", "place"),
    [
        (b"", 422, ["body"]),
        (b'{"id"', 422, ["body", 5]),
        (b"[]", 422, ["body"]),
        (b"{}", 422, ["body", "id"]),
        (b'{"id": "x", "action": "a"}', 422, ["body", "id"]),
        (b'{"id": 0.5, "action": "a"}', 422, ["body", "id"]),
        (b'{"id": 1e999, "action": "a"}', 422, ["body", "id"]),
        (b'{"id": 9, "action": 3}', 422, ["body", "action"]),
    ],
)
def test_a_body_that_is_no_call_is_told_where_it_is_wrong(
    textcraft: Ask, body: bytes, status: int, place: list[object]
) -> None:
    found, told = textcraft("/step", body)
    assert (found, told["detail"][0]["loc"]) == (status, place)


@pytest.mark.parametrize("body", [b"\xff\xfe\xfd", b"[" * 100_000, b"9" * 5_000])
def test_a_body_that_no_parser_takes_is_a_bad_request(textcraft: Ask, body: bytes) -> None:
    assert textcraft("/step", body) == (400, {"detail": "There was an error parsing the body"})


def test_numbers_may_be_text_and_strange_fields_are_passed_over(textcraft: Ask) -> None:
    assert textcraft("/step", id="9", action="x", more=1) == (200, NOT_VALID)
    assert textcraft("/step", id=9.0, action="x") == (200, NOT_VALID)
    assert textcraft("/step", id=10**40, action="x")[1] == {"error": f"The id {10**40} is not valid."}
    assert textcraft("/observation?id=x")[0] == textcraft("/observation")[0] == 422


def test_other_paths_and_methods_are_not_there(textcraft: Ask) -> None:
    assert textcraft("/nowhere") == (404, {"detail": "Not Found"})
    assert textcraft("/step") == (405, {"detail": "Method Not Allowed"})


def test_the_limit_is_a_clear_answer() -> None:
    ask = asking(open_suite("babyai", ORIGINAL), most=1)
    ask("/create", b"")
    status, told = ask("/create", b"")
    assert (status, told["error"].partition(":")[0]) == (503, "1 episodes are open, and the limit is 1")


def test_by_fixed_rules_an_episode_is_over_when_it_is_over() -> None:
    source = Source(rules="fixed")
    ask = asking(open_suite("textcraft", source))
    ask("/create", b"{}")
    suite = open_suite("textcraft", source)
    env = suite.open(suite.tasks("test")[0])
    env.start()
    done = False
    while not done:
        action = suite.players.oracle(env.world)
        env.step(action)
        done = ask("/step", id=0, action=action)[1]["done"]
    assert ask("/step", id=0, action="x") == (200, {"error": "The task with environment 0 has finished."})
    assert ask("/observation?id=0")[1].startswith("Crafted ")


def test_what_an_environment_depends_on_may_be_away() -> None:
    def away(task: Task) -> Any:
        raise Unavailable(f"no answer for {task.id}")

    ask = asking(replace(dressed("webshop"), open=away))
    assert ask("/create", b"")[0] == 503


def test_what_agentgym_does_not_know_is_served_plainly() -> None:
    ask = asking(guard(corridor.suite(Source())))
    assert ask("/") == (200, "This is environment corridor.")
    assert ask("/create", b"") == (200, {"id": 0})
    opening = "A corridor with a red door and a green door. A note lies on the floor."
    assert ask("/reset", id=0, item=2) == (
        200,
        {"observation": opening, "reward": 0.0, "score": 0.0, "done": False},
    )
    assert ask("/available_actions?id=0")[1] == ["read note", "open red door", "open green door"]
    assert ask("/step", id=0, action="read note")[1]["observation"] == "The note says: red."
    assert ask("/step", id=0, action="open red door")[1] == {
        "observation": "You are out.",
        "reward": 1.0,
        "score": 1.0,
        "done": True,
    }
    assert ask("/step", id=0, action="x") == (200, {"error": "The task with environment 0 has finished."})
    assert ask("/observation?id=0") == (200, "You are out.")
    assert ask("/reset", id=0, item=3000) == (200, {"error": "list index out of range"})


def test_a_variant_is_not_served_since_the_protocol_has_no_place_to_say_it() -> None:
    source = Source(variant=Variant(actions="shown"))
    with pytest.raises(BadCall, match="AgentGym's protocol has no variants: leave actions=shown out"):
        App(open_suite("textcraft", source), source, Episodes(1, idle_seconds=60), Random(0))


def test_programs_are_told_what_is_served(textcraft: Ask) -> None:
    about = textcraft("/heldout")[1]
    assert (about["env"], about["source"]["rules"]) == ("textcraft", "agentgym")
    rows = textcraft("/heldout/tasks?split=test")[1]
    assert rows[3] == {"item": 3, "id": "textcraft_3", "difficulty": "hard"}
    assert len(rows) == 200
    assert textcraft("/heldout/tasks?split=dev")[0] == 422
