"""A retrieval service: a real small server in a thread, which may be slow, down or confused."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from heldout.cli import main
from heldout.config import Limits, Option, Source
from heldout.envs.searchqa import env, published, suite
from heldout.envs.searchqa.passages import Passage
from heldout.envs.searchqa.service import Patience, Service
from heldout.envs.searchqa.world import Question, World
from heldout.errors import BadCall, Unavailable
from heldout.policies.scripted import script
from heldout.records import Ending, Task
from heldout.rollout.episode import Assignment
from heldout.rollout.groups import play

ADA = {"id": "7", "contents": '"Ada Grant"\nAda Grant was born in Oak Hill.'}
SCORED = {"result": [[{"document": ADA, "score": 12.5}]]}


@dataclass
class Server:
    """Answers in turn, the last again and again: a status and a body; a number of seconds is a pause before it."""

    address: str = ""
    answers: list[tuple[int, object]] = field(default_factory=lambda: [(200, SCORED)])
    pauses: list[float] = field(default_factory=list)
    drips: bool = False
    """Whether the body comes a byte at a time."""
    asked: list[dict[str, Any]] = field(default_factory=list)
    over: Event = field(default_factory=Event)

    def answer(self, body: dict[str, Any]) -> tuple[int, bytes]:
        turn = len(self.asked)
        self.asked.append(body)
        if turn < len(self.pauses):
            self.over.wait(self.pauses[turn])
        status, said = self.answers[min(turn, len(self.answers) - 1)]
        return status, said if isinstance(said, bytes) else json.dumps(said).encode()


@pytest.fixture
def server() -> Iterator[Server]:
    """A server on a free port of this machine."""
    told = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            user = {"user": self.headers["Authorization"]} if "Authorization" in self.headers else {}
            status, said = told.answer({"path": self.path, **user, **body})
            self.send_response(status)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            for piece in [said] if not told.drips else [said[place : place + 1] for place in range(len(said))]:
                self.wfile.write(piece)
                told.over.wait(0.05 if told.drips else 0)

        def log_message(self, *_: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that hung up is what a test is about."""

    http = Quiet(("127.0.0.1", 0), Handler)
    told.address = f"http://127.0.0.1:{http.server_port}"
    thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield told
    told.over.set()
    http.shutdown()
    http.server_close()
    thread.join()


@pytest.fixture
def opened(server: Server) -> Callable[..., tuple[Service, list[float]]]:
    """Makes a service on the server, and the list of the pauses that it takes."""

    def made(answer: float = 5.0) -> tuple[Service, list[float]]:
        waited = list[float]()
        return Service(f"{server.address}/", Patience(answer=answer), waited.append), waited

    return made


Opened = Callable[..., tuple[Service, list[float]]]


def test_a_service_is_asked_in_search_r1_s_form(server: Server, opened: Opened) -> None:
    service, waited = opened()
    assert service.search("Ada Grant", 3) == [Passage("7", ADA["contents"])]
    assert server.asked == [{"path": "/retrieve", "queries": ["Ada Grant"], "topk": 3, "return_scores": True}]
    assert waited == []


@pytest.mark.parametrize("answer", [{"result": [[ADA]]}, {"result": [[{"document": ADA}]]}])
def test_documents_may_come_without_scores(server: Server, opened: Opened, answer: object) -> None:
    server.answers = [(200, answer)]
    assert opened()[0].search("x", 3) == [Passage("7", ADA["contents"])]


def test_more_than_was_asked_for_is_cut_and_nothing_is_nothing(server: Server, opened: Opened) -> None:
    server.answers = [(200, {"result": [[ADA] * 5]}), (200, {"result": [[]]})]
    service, _ = opened()
    assert len(service.search("x", 3)) == 3
    assert service.search("x", 3) == []


def test_half_a_surrogate_pair_reaches_the_service_as_a_question_mark(server: Server, opened: Opened) -> None:
    opened()[0].search("a\ud800b", 3)
    assert server.asked[0]["queries"] == ["a?b"]


def test_half_a_surrogate_pair_from_the_service_is_one_too(server: Server, opened: Opened) -> None:
    server.answers = [(200, {"result": [[{"id": "1", "contents": "a\ud800b"}]]})]
    assert opened()[0].search("x", 3) == [Passage("1", "a?b")]


def test_failures_that_may_pass_are_tried_again_after_longer_and_longer_pauses(
    server: Server, opened: Opened
) -> None:
    server.answers = [(500, b"oh"), (503, b""), (429, b""), (200, SCORED)]
    service, waited = opened()
    assert len(service.search("x", 3)) == 1
    assert waited == [0.5, 1.0, 2.0]


def test_a_service_that_stays_down_is_unavailable(server: Server, opened: Opened) -> None:
    server.answers = [(502, b"bad gateway")]
    service, waited = opened()
    with pytest.raises(Unavailable, match=r"/retrieve failed 5 times, at last: status 502"):
        service.search("x", 3)
    assert waited == [0.5, 1.0, 2.0, 4.0]


def test_nobody_there_is_unavailable() -> None:
    waited = list[float]()
    service = Service("http://127.0.0.1:9", Patience(pauses=(0.1,)), waited.append)
    with pytest.raises(Unavailable, match="failed 2 times, at last: ConnectError"):
        service.search("x", 3)
    assert waited == [0.1]


def test_a_slow_answer_is_not_waited_for_and_asked_for_again(server: Server, opened: Opened) -> None:
    server.pauses = [10.0]
    service, waited = opened(answer=0.2)
    assert len(service.search("x", 3)) == 1
    assert (len(server.asked), waited) == (2, [0.5])


def test_an_answer_that_drips_is_not_waited_for_either(server: Server, opened: Opened) -> None:
    server.drips = True
    service, waited = opened(answer=0.2)
    with pytest.raises(Unavailable, match=r"at last: no whole answer in 0\.2 seconds"):
        service.search("x", 3)
    assert len(waited) == 4


@pytest.mark.parametrize(
    "answer",
    [
        b"<html>",
        b"[" * 100_000,
        b"\xff\xfe",
        {},
        [],
        {"result": None},
        {"result": []},
        {"result": [[], []]},
        {"result": [["text"]]},
        {"result": [[{"document": None}]]},
        {"result": [[{"document": {"id": "1"}}]]},
        {"result": [[{"document": {"contents": 3}}]]},
    ],
)
def test_an_answer_of_another_form_is_unavailable_at_once(server: Server, opened: Opened, answer: object) -> None:
    server.answers = [(200, answer)]
    service, waited = opened()
    with pytest.raises(Unavailable, match="answers in another form than Search-R1's"):
        service.search("x", 3)
    assert waited == []


def test_a_refusal_is_unavailable_at_once_and_quoted(server: Server, opened: Opened) -> None:
    server.answers = [(422, {"detail": "queries missing"})]
    service, waited = opened()
    with pytest.raises(Unavailable, match=r"refuses with status 422: .*queries missing"):
        service.search("x", 3)
    assert waited == []


@pytest.mark.parametrize("address", ["localhost:8000", "", "ftp://x", "http://a b\n"])
def test_what_is_no_address_is_a_bad_call(address: str) -> None:
    with pytest.raises(BadCall, match="address"):
        Service(address)


def test_an_episode_without_its_service_ends_as_an_error_and_never_as_the_agent_s(server: Server) -> None:
    server.answers = [(404, b"no such page")]
    service = Service(server.address, Patience(pauses=()))
    asked = suite(Source())
    task = asked.tasks("test")[0]

    def broken(task: Task) -> env.SearchQA:
        return env.SearchQA(World(Question(task.world["question"], ("x",)), service))

    episodes = play(
        script("<search>x</search>"),
        [Assignment(task=task, attempt=0, seed=0, stream="test")],
        Limits(),
        lambda _: replace(asked, open=broken),
    )
    [trajectory] = episodes
    assert trajectory.ending is Ending.ERROR
    assert "status 404" in trajectory.error


def test_real_questions_are_searched_by_the_service_that_is_named(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HELDOUT_DATA", raising=False)
    questions = tmp_path / "questions.jsonl"
    questions.write_text('{"question": "Where was Ada born", "golden_answers": ["Oak Hill"]}\n')
    options = (
        Option("searchqa", "questions", str(questions)),
        Option("searchqa", "retriever", server.address),
    )
    real = suite(Source(kind="real", options=options))
    assert server.address in real.source
    episode = real.open(real.tasks("test")[0])
    assert episode.start().observation == "Question: Where was Ada born?"
    told = episode.step("<search>Ada</search>").observation
    assert told == '<information>Doc 1(Title: "Ada Grant") Ada Grant was born in Oak Hill.</information>'
    assert episode.step("<answer>oak hill</answer>").ending is Ending.SOLVED
    assert published.retriever(real.options) is published.retriever(real.options)


def test_a_services_address_with_a_password_is_refused_before_anything_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    setting = "source.options.searchqa.retriever=http://me:secret@127.0.0.1:9/a?key=secret"
    calls = [
        ["evaluate", "--model", "oracle", "--envs", "searchqa"],
        ["evaluate", "--model", "oracle", "--envs", "textcraft"],
        ["train", "--model", "pocket", "--env", "textcraft"],
    ]
    for verb, *words in calls:
        status, told = main([verb, *words, "--out", str(tmp_path / verb), "--set", setting]), capsys.readouterr()
        assert (status, told.out) == (2, "")
        assert told.err == (
            "heldout: source.options.searchqa.retriever is kept with what was played, so it has no password and no "
            "query: give http://127.0.0.1:9/a there, and the whole address in HELDOUT_SERVERS\n"
        )
    assert list(tmp_path.iterdir()) == []


def test_a_service_is_told_who_calls_by_the_variable_and_shows_nobody(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELDOUT_SERVERS", server.address.replace("http://", "http://me:secret@"))
    Service(server.address).search("Ada", 1)
    assert server.asked[0]["user"] == "Basic bWU6c2VjcmV0"
    with pytest.raises(BadCall) as told:
        Service("ftp://me:secret@x")
    assert "secret" not in str(told.value)
