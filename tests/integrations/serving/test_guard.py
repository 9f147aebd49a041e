"""What AgentGym's server answers to web pages, to callers without its token, and to bodies that do not come."""

import json
import socket
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from zstandard import ZstdDecompressor

from heldout.addresses import parse_address
from heldout.api import configure, evaluate
from heldout.config import Source, with_overrides
from heldout.envs.agentgym import suite
from heldout.envs.agentgym.client import Client
from heldout.errors import BadCall

Served = Any
TOKEN = "a-token-of-one-s-own"


@pytest.fixture(scope="module")
def textcraft(served: Callable[..., Served]) -> Served:
    return served("textcraft")


def asked(place: str, method: str, path: str, body: str = "", **headers: str) -> tuple[int, Any]:
    """What a call with these headers is answered; of their names `_` stands for `-`."""
    connection = HTTPConnection(place, timeout=30)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body.encode(), named)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_a_web_page_neither_closes_an_episode_nor_opens_one(textcraft: Served) -> None:
    status, made = asked(textcraft.host, "POST", "/create", "{}")
    assert status == 200
    told = {"detail": "a page of http://evil.example may not call this server"}
    for path in ("/close", "/create", "/step", "/reset"):
        said = json.dumps({"id": made["id"], "action": "look"})
        page = {"origin": "http://evil.example", "content_type": "text/plain"}
        assert asked(textcraft.host, "POST", path, said, **page) == (403, told)
        assert asked(textcraft.host, "POST", path, said, sec_fetch_site="cross-site")[0] == 403
    assert textcraft.episodes.numbers() == [made["id"]]
    assert asked(textcraft.host, "POST", "/close", json.dumps({"id": made["id"]})) == (200, True)


def test_a_name_that_somebody_elses_dns_gave_us_is_refused(textcraft: Served) -> None:
    status, told = asked(textcraft.host, "GET", "/", host="evil.example")
    assert status == 421
    assert told == {"detail": "this server is not called evil.example: allow the name with --allow-host"}


def test_programs_that_say_nothing_of_themselves_are_answered_as_before(textcraft: Served) -> None:
    assert asked(textcraft.host, "GET", "/") == (200, "This is environment TextCraft.")
    assert asked(textcraft.host, "GET", "/", sec_fetch_site="none") == (200, "This is environment TextCraft.")


def test_with_a_token_the_protocol_is_below_it_and_elsewhere_nothing(served: Callable[..., Served]) -> None:
    server = served("textcraft", token=TOKEN)
    host = server.host.removesuffix(f"/{TOKEN}")
    assert server.address == f"http://{host}/{TOKEN}"
    assert asked(host, "POST", f"/{TOKEN}/create", "{}")[0] == 200
    assert asked(host, "GET", f"/{TOKEN}/nowhere") == (404, {"detail": "Not Found"})
    for path in ("/", "/create", f"/{TOKEN[:-1]}/create", f"/{TOKEN}x/create"):
        assert asked(host, "POST", path, "{}") == (404, {"detail": "Not Found"})
    assert len(server.episodes) == 1


def test_an_environment_behind_a_token_is_played_and_its_name_does_not_have_it(
    served: Callable[..., Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELDOUT_SERVERS", "")
    server = served("textcraft", token=TOKEN)
    place = server.address.removesuffix(f"/{TOKEN}")
    remote = suite(f"agentgym:textcraft@{server.address}", Source())
    assert remote.name == f"agentgym:textcraft@{place}"
    assert {task.env for task in remote.tasks("test")} == {remote.name}
    assert TOKEN not in repr(remote)
    assert remote.open(remote.tasks("test")[0]).start().observation
    again = suite(remote.name, Source())  # by its public name, as a worker opens it
    assert again.open(again.tasks("test")[0]).start().observation


def test_without_its_token_a_server_is_told_from_an_original(
    served: Callable[..., Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELDOUT_SERVERS", "")
    place = served("textcraft", token=TOKEN).address.removesuffix(f"/{TOKEN}")
    with pytest.raises(
        BadCall, match=f"{place} has nothing there: if its address ends with a token, give the whole"
    ):
        suite(f"agentgym:textcraft@{place}", Source())


def test_a_client_tells_its_user_and_shows_nobody(served: Callable[..., Served]) -> None:
    place = served("textcraft").address
    client = Client(place.replace("http://", "http://me:s%40cret@"))
    assert client.address == place
    assert client.get("/").status == 200
    client.close()
    away = Client("http://me:secret@127.0.0.1:1/a-token-of-one-s-own", wait=lambda _: None)
    with pytest.raises(Exception, match=r"http://127\.0\.0\.1:1/step did not answer") as told:
        away.post("/step", again=False)
    assert "secret" not in str(told.value)
    assert "a-token" not in str(told.value)


def test_half_a_websocket_is_no_way_in(textcraft: Served) -> None:
    host, _, port = textcraft.host.partition(":")
    upgrade = "connection: upgrade\r\nupgrade: websocket\r\norigin: http://evil.example\r\n\r\n"
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(f"GET / HTTP/1.1\r\nhost: {textcraft.host}\r\n{upgrade}".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 403 ")


def test_what_is_written_of_an_environment_behind_a_token_and_a_password_has_neither(
    served: Callable[..., Served], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELDOUT_SERVERS", "")
    whole = served("textcraft", token=TOKEN).address.replace("http://", "http://me:secret@")
    config = with_overrides(configure("oracle"), ["evaluate.tasks=1", "evaluate.samples=1"])
    rows = evaluate("oracle", [f"agentgym:textcraft@{whole}/"], out=tmp_path, config=config)
    assert {row.env for row in rows} == {f"agentgym:textcraft@{parse_address(whole).place}"}
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    kept = "".join(str(path) + decompressed(path) for path in written)
    assert "agentgym" in kept
    assert TOKEN not in kept
    assert "secret" not in kept


def decompressed(path: Path) -> str:
    """A file's text."""
    content = path.read_bytes()
    if path.suffix == ".zst":
        with ZstdDecompressor().stream_reader(content, read_across_frames=True) as whole:
            content = whole.read()
    return content.decode("utf-8", "replace")
