"""The app on a real port: bounds, bad clients, many at once; and the command."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heldout.bench.clients import Client, scripts
from heldout.bench.soak import Soaking
from heldout.config import Source
from heldout.envs.agentgym.protocol import ENV_PROTOCOLS, rules_served
from heldout.envs.registry import names, open_suite
from heldout.errors import HeldoutError
from heldout.integrations.serving.access import listen
from heldout.integrations.serving.guard import LARGEST_BODY

Served = Any
ORIGINAL = Source(rules="agentgym")


@pytest.fixture(scope="module")
def textcraft(served: Callable[..., Served]) -> Served:
    return served("textcraft")


@pytest.fixture(scope="module")
def episode(textcraft: Served) -> Iterator[tuple[Client, int]]:
    client = Client(textcraft.address, ENV_PROTOCOLS["textcraft"], keeps=True)
    yield client, client.create()
    client.leave()


@settings(deadline=None, max_examples=60)
@given(text=st.text(st.characters(exclude_categories=()), max_size=60))
def test_an_action_of_any_characters_comes_back_as_it_was(episode: tuple[Client, int], text: str) -> None:
    client, number = episode
    action = json.loads(json.dumps("#" + text))  # two halves of a pair become one character, as for any reader
    assert client.step(number, action) == (f"Could not execute {action}", 0.0, False)


def test_a_long_action_is_an_action_and_a_larger_body_is_refused(episode: tuple[Client, int]) -> None:
    client, number = episode
    action = "\x00" * 100_000
    assert client.step(number, action) == (f"Could not execute {action}", 0.0, False)
    status, told = client.call("POST", "/step", client.about(number, action="x" * LARGEST_BODY))
    assert (status, told) == (413, {"detail": "a body has at most 1048576 bytes"})
    assert client.step(number, "inventory")[0] == "Inventory: You are not carrying anything."


def raw(textcraft: Served, said: bytes) -> bytes:
    """What a client of its own manner is answered."""
    host, _, port = textcraft.host.partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(said)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_what_is_no_http_is_a_bad_request(textcraft: Served) -> None:
    assert raw(textcraft, b"NONSENSE\r\n\r\n").startswith(b"HTTP/1.1 400 ")


def test_a_client_that_hangs_up_within_a_body_hurts_nobody(textcraft: Served, episode: tuple[Client, int]) -> None:
    assert (
        raw(textcraft, f"POST /step HTTP/1.1\r\nhost: {textcraft.host}\r\ncontent-length: 9\r\n\r\n{{".encode())
        == b""
    )
    client, number = episode
    assert client.step(number, "inventory")[0].startswith("Inventory:")


@pytest.mark.slow
@pytest.mark.parametrize("env", names())
def test_many_good_and_bad_clients_at_once_get_the_protocols_answers(
    served: Callable[..., Served], env: str
) -> None:
    source = Source(rules=rules_served(env))
    suite, there = open_suite(env, source), served(env, source)
    soaking = Soaking(there.address, suite, scripts(suite, 0)[:12], 0)
    soaking.send(range(60), in_flight=16, tell=lambda: None)
    assert soaking.unexpected == []
    kinds = {answer.partition(":")[0] for answer in soaking.answers}
    assert kinds == {
        "whole",
        "abandon",
        "unknown",
        "broken",
        "long",
        "control",
        "large",
        "hang_up_midway",
        "hold",
        "drops",
        "web_page",
    }


def test_calls_to_one_episode_wait_for_each_other(textcraft: Served) -> None:
    client = Client(textcraft.address, ENV_PROTOCOLS["textcraft"], keeps=False)
    number = client.create()

    def get(_: int) -> str:
        return Client(textcraft.address, ENV_PROTOCOLS["textcraft"], keeps=False).step(
            number, "get 1 no such thing"
        )[0]

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(get, range(40))) == {"Could not find no such thing"}


def test_a_head_or_a_connection_that_is_kept_may_be_used_again(textcraft: Served) -> None:
    connection = HTTPConnection(textcraft.host, timeout=30)
    for _ in range(3):
        connection.request("GET", "/")
        assert json.loads(connection.getresponse().read()) == "This is environment TextCraft."
    connection.close()


def test_a_port_in_use_is_one_clear_line(textcraft: Served) -> None:
    port = textcraft.host.partition(":")[2]
    with pytest.raises(HeldoutError, match=f"cannot listen on port {port} of 127.0.0.1: Address already in use"):
        listen("127.0.0.1", int(port))
    done = subprocess.run(
        [sys.executable, "-m", "heldout", "serve", "babyai", "--port", port],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"heldout: cannot listen on port {port} of 127.0.0.1: Address already in use\n"


def test_without_the_extra_the_verb_says_what_to_install() -> None:
    code = "import sys; sys.modules['uvicorn'] = None; from heldout import cli; sys.exit(cli.main(['serve', 'x']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        1,
        "heldout: uvicorn is not installed: pip install 'heldout[serve]'\n",
    )


@pytest.mark.usefixtures("interruptible")
def test_the_command_says_where_it_serves_and_ends_with_one_line() -> None:
    words = [sys.executable, "-m", "heldout", "serve", "babyai", "--port", "0", "--json", "--rules", "fixed"]
    with subprocess.Popen(words, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as serving:
        assert serving.stdout
        told = json.loads(serving.stdout.readline())
        assert (told["env"], told["rules"], told["pid"]) == ("babyai", "fixed", serving.pid)
        client = Client(told["url"], ENV_PROTOCOLS["babyai"], keeps=True)
        assert client.create() == 0
        serving.send_signal(signal.SIGINT)
        out, err = serving.communicate(timeout=30)
    client.leave()
    assert (serving.returncode, out, err) == (130, "", "heldout: interrupted\n")
