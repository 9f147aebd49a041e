"""The door to verifiers: the same episodes through its own program and past it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

pytest.importorskip("verifiers", reason="the extra verifiers is not installed (make test-doors)")

from heldout.config import Limits, Source
from heldout.envs.base import Suite
from heldout.envs.registry import open_suite
from heldout.errors import BadCall
from heldout.integrations.verifiers import HeldoutConfig
from heldout.policies import privileged
from heldout.records import Ending, Trajectory
from heldout.rollout.episode import Assignment
from heldout.rollout.groups import play
from heldout_verifiers import HeldoutTaskset

pytestmark = pytest.mark.filterwarnings("default")


@contextmanager
def model(replies: dict[str, list[str]]) -> Iterator[tuple[str, list[list[str]]]]:
    """A chat model at an address, which says the replies of an episode by its opening; and what it was shown."""
    shown = list[list[str]]()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            texts = [message["content"] for message in body["messages"]]
            shown.append(texts)
            said = [message for message in body["messages"] if message["role"] == "assistant"]
            delta = {"role": "assistant", "content": replies[texts[0]][len(said)]}
            parts: list[dict[str, Any]] = [
                {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]},
                {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
            ]
            chunk = {"id": "x", "object": "chat.completion.chunk", "created": 0, "model": "scripted"}
            stream = "".join(f"data: {json.dumps(chunk | part)}\n\n" for part in parts) + "data: [DONE]\n\n"
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("content-length", str(len(stream.encode())))
            self.end_headers()
            self.wfile.write(stream.encode())

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", shown
    finally:
        server.shutdown()
        server.server_close()


def played(suite: Suite, turns: int) -> list[Trajectory]:
    """The oracle's episodes of the first test tasks, past the door."""
    tasks = [task for task in suite.tasks("test") if task.difficulty == "easy"][:3]
    assignments = [Assignment(task=task, attempt=0, seed=0, stream="s") for task in tasks]
    return list(play(privileged.oracle(lambda _: suite), assignments, Limits(max_turns=turns), lambda _: suite))


@pytest.mark.slow
@pytest.mark.parametrize(("env", "turns"), [("textcraft", 20), ("babyai", 1)])
def test_an_episode_is_the_same_through_the_door_and_past_it(env: str, turns: int, tmp_path: Path) -> None:
    past = {each.task.id: each for each in played(open_suite(env, Source()), turns)}
    script = {each.opening: [turn.reply.text for turn in each.turns] for each in past.values()}
    with model(script) as (address, shown):
        program = Path(sys.executable).with_name("vf-eval")
        asked = f"--env.taskset.env {env} --env.taskset.split test --env.taskset.difficulty easy"
        player = "--env.player.harness.id null --env.player.runtime.type subprocess -m scripted -r 1"
        call = f"heldout_verifiers {asked} --env.taskset.max-turns {turns} {player} --client.base-url {address}"
        done = subprocess.run(
            [program, *call.split(), "--client.api-key-var", "NONE", "--select.limit", "3", "--no-push"],
            cwd=tmp_path,
            env=os.environ | {"NONE": "none"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    [traces] = tmp_path.rglob("traces.jsonl")
    episodes = [json.loads(line) for line in traces.read_text().splitlines()]
    assert len(episodes) == 3
    for episode in episodes:
        ours = past[episode["task"]["data"]["name"]]
        [trace] = episode["traces"]
        assert trace["rewards"]["reward"]["score"] == pytest.approx(ours.reward)
        metrics = trace["metrics"]
        assert metrics["score"] == pytest.approx(ours.score)
        assert (metrics["success"], metrics["env_turns"]) == (float(ours.success), len(ours.turns))
        endings = {
            name.removeprefix("ending_") for name, value in metrics.items() if name[:7] == "ending_" and value
        }
        assert endings == {str(ours.ending)}
    longest = max(past.values(), key=lambda each: len(each.turns))
    between = [text for turn in longest.turns[:-1] for text in (turn.reply.text, turn.observation)]
    assert [longest.opening, *between] in shown
    assert not any(task_id in text for texts in shown for text in texts for task_id in past)


def test_a_taskset_has_the_tasks_of_a_split_and_a_difficulty() -> None:
    suite = open_suite("babyai", Source())
    hard = [task.id for task in suite.tasks("test") if task.difficulty == "hard"]
    taskset = HeldoutTaskset(HeldoutConfig(env="babyai", split="test", difficulty="hard"))
    assert [task.data.name for task in taskset] == hard
    assert next(iter(taskset)).data.max_turns == suite.max_turns


def test_every_ending_of_an_episode_is_a_metric() -> None:
    assert {str(each) for each in Ending} == {"solved", "failed", "out_of_turns", "out_of_tokens", "error"}


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"env": "textcarft"}, "unknown environment 'textcarft'; did you mean 'textcraft'"),
        ({"split": "dev"}, "dev"),
        ({"settings": ("source.kindd=real",)}, "unknown setting 'source.kindd'"),
    ],
)
def test_a_wrong_name_is_told_in_one_line(asked: dict[str, Any], told: str) -> None:
    with pytest.raises(BadCall, match=told):
        list(HeldoutTaskset(HeldoutConfig(**asked)))
