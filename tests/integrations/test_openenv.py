"""OpenEnv's own client at our server, over websockets and HTTP; run by `make test-doors`."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import cache
from random import Random
from socket import create_connection
from threading import Thread
from time import sleep
from typing import Any

import httpx2
import pytest

from heldout.config import Limits, Source
from heldout.envs.base import Suite
from heldout.envs.registry import names, open_suite
from heldout.errors import BadCall
from heldout.integrations.serving.access import access_to, listen
from heldout.integrations.serving.guard import LARGEST_BODY
from heldout.integrations.serving.server import server_of
from heldout.policies import privileged
from heldout.records import Ending, Task, Trajectory
from heldout.rollout.episode import Assignment
from heldout.rollout.groups import play

pytest.importorskip("openenv", reason="openenv has an environment of its own: make test-doors")

from openenv import GenericEnvClient
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from heldout.integrations.openenv import SHOWABLE, Tasks, TextEnvironment, app_of

TURNS = 20
ALL = tuple(SHOWABLE)
"""Every field that an observation may have beside: most tests look at them."""
SESSIONS = 9
"""That are played at once."""


@pytest.fixture(scope="module")
def served() -> Iterator[Callable[..., str]]:
    """Serves a suite, each from a thread; where its server is."""
    with ExitStack() as stack:

        @cache
        def address(env: str, most: int = 100, shown: tuple[str, ...] = ALL, token: str | None = None) -> str:
            app = app_of(
                open_suite(env, Source()), max_turns=TURNS, max_episodes=most, idle_seconds=3600, shown=shown
            )
            listening = listen("127.0.0.1", 0)
            access = access_to(listening, token=token)
            server = server_of(app, access, sockets=True)
            thread = Thread(target=server.run, kwargs={"sockets": [listening]})
            thread.start()
            stack.callback(thread.join)
            stack.callback(setattr, server, "should_exit", True)
            return access.url

        yield address


@pytest.fixture
def client(served: Callable[..., str]) -> Iterator[Callable[[str], Any]]:
    """OpenEnv's client in a session of its own at the server of a suite."""
    with ExitStack() as stack:
        yield lambda env: stack.enter_context(GenericEnvClient(base_url=served(env)).sync())


def by_oracle(suite: Suite, task: Task, player: Any = privileged.oracle) -> Trajectory:
    """The oracle's episode, played in this process."""
    assignment = Assignment(task=task, attempt=0, seed=0, stream="openenv")
    [played] = play(player(lambda _: suite), [assignment], Limits(max_turns=TURNS), lambda _: suite)
    return played


@pytest.mark.parametrize("replies", [False, True], ids=["actions", "replies"])
@pytest.mark.parametrize("player", [privileged.oracle, privileged.random], ids=["oracle", "random"])
@pytest.mark.parametrize("env", names())
def test_an_episode_is_the_rollout_in_process(
    client: Callable[[str], Any], env: str, player: Any, replies: bool
) -> None:
    suite, session = open_suite(env, Source()), client(env)
    for task in suite.tasks("test")[:4]:
        played = by_oracle(suite, task, player)
        seen = [session.reset(task=task.id, replies=replies)]
        seen += [session.step({"action": turn.reply.text if replies else turn.action}) for turn in played.turns]
        assert [each.observation["text"] for each in seen] == [
            played.opening,
            *(turn.observation for turn in played.turns),
        ]
        assert [each.observation["action"] for each in seen] == ["", *(turn.action for turn in played.turns)]
        assert [each.reward for each in seen] == [0.0, *(turn.reward for turn in played.turns)]
        assert [each.done for each in seen] == [False] * len(played.turns) + [True]
        last = seen[-1].observation
        assert (last["score"], last["success"], last["ending"]) == (played.score, played.success, played.ending)
        assert session.state()["step_count"] == len(played.turns)


@pytest.mark.parametrize("env", names())
def test_admissible_actions_are_the_suites_until_the_end(client: Callable[[str], Any], env: str) -> None:
    suite, session = open_suite(env, Source()), client(env)
    task = suite.tasks("test")[0]
    world, told = suite.open(task), session.reset(task=task.id)
    world.start()
    assert told.observation["admissible_actions"] == suite.players.legal(world.world)
    for turn in by_oracle(suite, task).turns:
        told = session.step({"action": turn.action})
    assert (told.done, told.observation["admissible_actions"]) == (True, [])


def test_an_observation_shows_no_actions_no_score_and_no_task_unless_it_is_asked_to(
    served: Callable[..., str],
) -> None:
    suite = open_suite("textcraft", Source())
    played = by_oracle(suite, suite.tasks("test")[0])
    with GenericEnvClient(base_url=served("textcraft", shown=())).sync() as session:
        seen = [session.reset(task=played.task.id)]
        seen += [session.step({"action": turn.action}) for turn in played.turns]
        state = session.state()
    assert all(set(each.observation) == {"text", "action", "ending", "metadata"} for each in seen)
    assert all(each.observation["metadata"] == {} for each in seen)
    assert (sum(each.reward for each in seen), seen[-1].done) == (played.reward, True)
    assert (state["task"], state["score"], state["ending"]) == (played.task.id, 1.0, "solved")


def test_what_is_asked_for_is_shown_and_no_more(served: Callable[..., str]) -> None:
    with GenericEnvClient(base_url=served("textcraft", shown=("score",))).sync() as session:
        seen = session.reset(index=0).observation
    assert seen["score"] == 0.0
    assert not {"admissible_actions", "task", "success"} & set(seen)
    schema = httpx2.get(f"{served('textcraft', shown=('score',))}/schema").json()["observation"]["properties"]
    assert "score" in schema
    assert "admissible_actions" not in schema


def test_a_field_that_cannot_be_shown_is_refused() -> None:
    with pytest.raises(BadCall, match=r"unknown field to show 'scor'; did you mean 'score'\? \(choose from: "):
        app_of(open_suite("textcraft", Source()), max_turns=1, max_episodes=1, idle_seconds=1, shown=["scor"])


TOKEN = "t" * 20


def test_with_a_token_the_same_server_stands_below_it_and_elsewhere_is_nothing(served: Callable[..., str]) -> None:
    whole = served("textcraft", token=TOKEN)
    place = whole.removesuffix(f"/{TOKEN}")
    assert whole.endswith(f"/{TOKEN}")
    with GenericEnvClient(base_url=whole).sync() as session:
        assert session.reset(index=0).observation["text"]
        assert session.step({"action": "inventory"}).observation["text"].startswith("Inventory:")
    assert httpx2.get(f"{whole}/metadata").json()["name"] == "textcraft"
    assert httpx2.get(f"{whole}/textcraft/splits").status_code == 200
    for path in ("metadata", "ws", "", f"{TOKEN[:-1]}/metadata", f"{TOKEN}x/metadata"):
        answer = httpx2.get(f"{place}/{path}")
        assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})
    with pytest.raises(InvalidStatus), connect(f"{place.replace('http', 'ws')}/ws"):
        pass


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "evil.example"},
    ],
    ids=lambda headers: ":".join(*headers.items()),
)
def test_a_web_page_opens_no_websocket_and_gets_no_answer(
    served: Callable[..., str], headers: dict[str, str]
) -> None:
    address = served("textcraft")
    status = 421 if "Host" in headers else 403
    assert httpx2.post(f"{address}/reset", headers=headers, json={}).status_code == status
    with pytest.raises(InvalidStatus) as refused:
        upgrade(address, headers)
    assert refused.value.response.status_code == 403


def upgrade(address: str, headers: dict[str, str]) -> None:
    """Opens a websocket with these headers, a `Host` in the place of its own."""
    host, port = address.removeprefix("http://").split(":")
    sock = create_connection((host, int(port)))
    named = headers.get("Host", f"{host}:{port}")
    others = {name: value for name, value in headers.items() if name != "Host"}
    with connect(f"ws://{named}/ws", sock=sock, additional_headers=others):
        pass


def test_a_page_of_the_server_itself_may_open_a_websocket(served: Callable[..., str]) -> None:
    address = served("textcraft")
    upgrade(address, {"Origin": address, "Sec-Fetch-Site": "same-origin"})


def test_a_body_that_is_too_large_is_refused_here_too(served: Callable[..., str]) -> None:
    answer = httpx2.post(f"{served('textcraft')}/reset", content=b" " * (LARGEST_BODY + 1))
    assert (answer.status_code, answer.json()) == (413, {"detail": "a body has at most 1048576 bytes"})


def test_sessions_are_played_at_once_and_do_not_meet(served: Callable[..., str]) -> None:
    suite, address = open_suite("textcraft", Source()), served("textcraft")

    def session(number: int) -> list[tuple[str, bool]]:
        played, chance = by_oracle(suite, suite.tasks("test")[number]), Random(number)
        with GenericEnvClient(base_url=address).sync() as own:
            own.reset(task=played.task.id)
            wandered = [own.step({"action": chance.choice(["inventory", "get 1 nothing"])}) for _ in range(3)]
            assert not any(each.done for each in wandered)
            own.reset(task=played.task.id)
            told = [own.step({"action": turn.action}) for turn in played.turns]
            assert [each.observation["text"] for each in told] == [turn.observation for turn in played.turns]
            return [(told[-1].observation["task"], told[-1].done)]

    with ThreadPoolExecutor(SESSIONS) as pool:
        ended = [end for ends in pool.map(session, range(SESSIONS)) for end in ends]
    assert ended == [(task.id, True) for task in suite.tasks("test")[:SESSIONS]]


def test_a_session_too_many_is_refused_and_one_that_ends_makes_room(served: Callable[..., str]) -> None:
    address = served("babyai", 2)
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(GenericEnvClient(base_url=address).sync()).reset()
        assert not is_taken(address)
    while not is_taken(address):  # the server hears of an end a moment later than its client
        sleep(0.02)


def is_taken(address: str) -> bool:
    """Whether a server takes a session; if not, because there are too many."""
    with GenericEnvClient(base_url=address).sync() as session:
        try:
            return bool(session.reset().observation["text"])
        except RuntimeError as refused:
            if "CAPACITY_REACHED" not in str(refused):
                raise
            return False


def test_an_action_of_any_characters_is_answered(client: Callable[[str], Any]) -> None:
    session = client("textcraft")
    session.reset(split="test", index=0)
    for action in ("", " ", "\x00\x1b[2J", "ふるい 🜚", "x" * 100_000, '{"action": "inventory"}'):
        told = session.step({"action": action})
        assert (told.done, told.observation["score"]) == (False, 0.0)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("{", "INVALID_JSON"),
        ("", "INVALID_JSON"),
        ('{"type": "jump"}', "UNKNOWN_TYPE"),
        ('{"type": "step"}', "VALIDATION_ERROR"),
        ('{"type": "step", "data": {"action": 5}}', "VALIDATION_ERROR"),
        ('{"type": "step", "data": {"action": "go", "more": 1}}', "VALIDATION_ERROR"),
        ('{"type": "reset", "data": {"task": "nowhere"}}', "EXECUTION_ERROR"),
    ],
)
def test_a_broken_message_is_an_error_and_the_session_goes_on(
    served: Callable[..., str], said: str, code: str
) -> None:
    address = served("textcraft").replace("http", "ws")
    with connect(f"{address}/ws") as connection:

        def answered(message: str) -> Any:
            connection.send(message)
            return json.loads(connection.recv(timeout=30))

        assert answered('{"type": "reset", "data": {"index": 0}}')["type"] == "observation"
        assert answered(said)["data"]["code"] == code
        told = answered('{"type": "step", "data": {"action": "inventory"}}')
        assert told["data"]["observation"]["text"] == "Inventory: You are not carrying anything."


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (
            {"task": "nowhere"},
            "textcraft has no task 'nowhere' in train or test \\(choose from 1200, the nearest: textcraft_",
        ),
        ({"index": 5000}, "test has 200 tasks, and none at 5000"),
        ({"index": -1}, "test has 200 tasks, and none at -1"),
        ({"index": "0"}, "index is of type int, not '0'"),
        ({"split": "dev"}, "unknown split 'dev' \\(choose from: test, train\\)"),
        ({"tsak": "x"}, "unknown option of reset 'tsak'; did you mean 'task'\\?"),
        ({"max_turns": 0}, "max_turns is 1 or more, not 0"),
    ],
)
def test_a_reset_that_asks_for_what_there_is_not_says_what_there_is(
    client: Callable[[str], Any], asked: dict[str, Any], told: str
) -> None:
    session = client("textcraft")
    with pytest.raises(RuntimeError, match=told):
        session.reset(**asked)


def test_before_the_first_reset_and_after_the_end_nothing_is_played(client: Callable[[str], Any]) -> None:
    session = client("textcraft")
    with pytest.raises(RuntimeError, match="no episode is being played: reset begins one"):
        session.step({"action": "inventory"})
    told = session.reset(index=0, max_turns=1)
    told = session.step({"action": "inventory"})
    assert (told.done, told.observation["ending"]) == (True, Ending.OUT_OF_TURNS)
    with pytest.raises(RuntimeError, match="no episode is being played: reset begins one"):
        session.step({"action": "inventory"})


def test_a_reply_without_an_action_costs_a_turn(client: Callable[[str], Any]) -> None:
    session = client("textcraft")
    session.reset(index=0, replies=True)
    told = session.step({"action": "Hm."})
    assert (told.done, told.observation["action"], told.reward) == (False, "", 0.0)
    assert session.state()["step_count"] == 1


def test_the_seed_draws_the_task_and_without_one_any_comes(client: Callable[[str], Any]) -> None:
    session = client("textcraft")
    drawn = [session.reset(seed=seed, split="train").observation["task"] for seed in (0, 1, 0)]
    assert drawn[0] == drawn[2] != drawn[1]
    assert len({session.reset().observation["task"] for _ in range(8)}) > 1


def test_the_state_is_the_sessions_own(client: Callable[[str], Any]) -> None:
    session = client("babyai")
    assert session.state() == {"episode_id": None, "step_count": 0, "task": "", "score": 0.0, "ending": ""}
    first = session.reset(index=0, episode_id="mine").observation["task"]
    session.step({"action": "turn left"})
    assert session.state() == {"episode_id": "mine", "step_count": 1, "task": first, "score": 0.0, "ending": ""}


def test_tasks_are_listed_over_http_and_nothing_of_their_worlds(served: Callable[..., str]) -> None:
    address, suite = served("searchqa"), open_suite("searchqa", Source())
    tasks = suite.tasks("test")

    def told(path: str, **asked: Any) -> Any:
        return httpx2.post(f"{address}/searchqa/{path}", json=asked).json()

    first = {"id": tasks[0].id, "split": "test", "index": 0, "difficulty": tasks[0].difficulty}
    splits = [{"name": "train", "type": "train"}, {"name": "test", "type": "test"}]
    assert httpx2.get(f"{address}/searchqa/splits").json() == splits
    assert told("num_tasks", split="test") == {"num_tasks": len(tasks)}
    assert told("task", split="test", index=0) == {"task": first}
    listed = told("tasks", split="test")["tasks"]
    assert (len(listed), listed[0]) == (len(tasks), first)
    ranged = told("task_range", split="test", start=3, stop=6)["tasks"]
    assert [each["id"] for each in ranged] == [task.id for task in tasks[3:6]]


def test_over_http_a_reset_shows_an_opening_and_what_there_is_not_is_a_bad_request(
    served: Callable[..., str],
) -> None:
    address, suite = served("textcraft"), open_suite("textcraft", Source())
    opening = by_oracle(suite, suite.tasks("test")[0]).opening

    def told(path: str, asked: Any) -> tuple[int, Any]:
        answer = httpx2.post(f"{address}/{path}", json=asked)
        return answer.status_code, answer.json()

    status, shown = told("reset", {"index": 0})
    assert (status, shown["observation"]["text"], shown["done"]) == (200, opening, False)
    assert told("reset", {"task": "nowhere"})[0] == 400
    assert told("step", {"action": {"action": "inventory"}})[0] == 400
    assert told("step", {"action": {"say": "inventory"}})[0] == 422
    assert told("textcraft/task", {"split": "test", "index": 999}) == (400, {"detail": "Invalid task index"})
    assert told("textcraft/tasks", {"split": "dev"})[1]["detail"].startswith("unknown split 'dev'")
    assert told("nowhere/tasks", {"split": "test"})[0] == 404
    metadata = httpx2.get(f"{address}/metadata").json()
    assert metadata["name"] == "textcraft"
    assert metadata["description"] == f"textcraft by rules fixed ({suite.source})"
    assert set(httpx2.get(f"{address}/schema").json()["action"]["properties"]) == {"action", "metadata"}


def test_in_python_a_place_past_the_end_is_an_index_error_and_an_unknown_split_a_bad_call() -> None:
    environment = TextEnvironment(Tasks(open_suite("textcraft", Source())), max_turns=TURNS)
    assert environment.get_task("test", 199) == environment.list_tasks("test")[-1]
    with pytest.raises(IndexError):
        environment.get_task("test", 200)
    with pytest.raises(BadCall):
        environment.get_task("dev", 0)


@pytest.mark.usefixtures("interruptible")
def test_the_verb_serves_until_it_is_interrupted() -> None:
    words = [
        "serve",
        "babyai",
        "--protocol",
        "openenv",
        "--port",
        "0",
        "--json",
        "--token",
        "a-token-of-one-s-own",
        "--set",
        "limits.max_turns=1",
    ]
    call = [sys.executable, "-m", "heldout", *words]
    with subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout
        assert server.stderr
        about = json.loads(server.stdout.readline())
        assert (about["env"], about["rules"]) == ("babyai", "fixed")
        assert about["url"].endswith("/a-token-of-one-s-own")
        with GenericEnvClient(base_url=about["url"]).sync() as session:
            session.reset(index=0)
            assert session.step({"action": "turn left"}).observation["ending"] == "out_of_turns"
        server.send_signal(signal.SIGINT)
        assert server.wait(timeout=30) == 130
        assert server.stderr.read() == "heldout: interrupted\n"
