"""Under which names a server may be called, from where, and with which token."""

import socket
from collections.abc import Iterator

import pytest

from heldout.errors import BadCall, HeldoutError
from heldout.integrations.serving.access import MADE, VARIABLE, Access, access_to, listen, refusal

HERE = Access(host="127.0.0.1", port=36001)
EVERYWHERE = Access(host="0.0.0.0", port=36001, names=("gpu-7", "door.example:8443"))


@pytest.fixture(autouse=True)
def no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with listen("127.0.0.1", 0) as found:
        yield found


def refused(access: Access, path: str = "/step", reached_at: str = "127.0.0.1", **headers: str) -> int | None:
    """The status that a call is refused with; of headers `_` stands for `-`."""
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    found = refusal(access, {"headers": named, "path": path, "server": (reached_at, access.port)})
    return found[0] if found else None


@pytest.mark.parametrize("host", ["127.0.0.1:36001", "localhost:36001", "LocalHost:36001", "[::1]:36001"])
def test_an_own_name_at_the_own_port_is_let_in(host: str) -> None:
    assert refused(HERE, host=host) is None


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example:36001", "evil.example", "127.0.0.1", "127.0.0.1:80", "127.0.0.1:360010", "localhost:x"),
        *("127.0.0.1.evil.example:36001", "10.0.0.5:36001", "", ":36001", "127.0.0.1:36001:36001", "127.0.0.1:-1"),
    ],
)
def test_another_name_or_another_port_is_not(host: str) -> None:
    assert refused(HERE, host=host) == 421


def test_a_call_without_a_host_or_with_two_is_refused() -> None:
    scope = {"headers": [], "path": "/", "server": ("127.0.0.1", 36001)}
    assert refusal(HERE, scope) is not None
    twice = [(b"host", b"127.0.0.1:36001"), (b"host", b"evil.example")]
    assert refusal(HERE, {**scope, "headers": twice}) is not None


def test_at_port_80_a_host_needs_no_port() -> None:
    assert refused(Access(host="127.0.0.1", port=80), host="localhost") is None


def test_bound_to_every_address_it_is_called_by_the_one_that_was_reached_or_by_an_allowed_name() -> None:
    assert refused(EVERYWHERE, reached_at="10.0.0.5", host="10.0.0.5:36001") is None
    assert refused(EVERYWHERE, reached_at="::ffff:10.0.0.5", host="10.0.0.5:36001") is None
    assert refused(EVERYWHERE, reached_at="10.0.0.5", host="gpu-7:36001") is None
    assert refused(EVERYWHERE, reached_at="10.0.0.5", host="GPU-7:443") is None
    assert refused(EVERYWHERE, reached_at="10.0.0.5", host="door.example:8443") is None
    for host in ("door.example:36001", "door.example", "gpu-8:36001", "localhost:36001", "10.0.0.6:36001"):
        assert refused(EVERYWHERE, reached_at="10.0.0.5", host=host) == 421, host


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:3000"},
        {"origin": "http://localhost:36001"},
        {"origin": ""},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "whatever"},
        {"origin": "http://127.0.0.1:36001", "sec_fetch_site": "cross-site"},
    ],
)
def test_what_a_web_page_elsewhere_sends_is_refused(headers: dict[str, str]) -> None:
    assert refused(HERE, host="127.0.0.1:36001", **headers) == 403


@pytest.mark.parametrize(
    "headers",
    [{}, {"origin": "http://127.0.0.1:36001"}, {"sec_fetch_site": "none"}, {"sec_fetch_site": "same-origin"}],
)
def test_what_a_program_or_an_own_page_sends_is_not(headers: dict[str, str]) -> None:
    assert refused(HERE, host="127.0.0.1:36001", **headers) is None


def test_below_the_token_all_is_there_and_elsewhere_nothing() -> None:
    access = Access(host="127.0.0.1", port=36001, token="a-token-of-length")
    assert access.url == "http://127.0.0.1:36001/a-token-of-length"
    for path in ("/a-token-of-length", "/a-token-of-length/", "/a-token-of-length/step"):
        assert refused(access, path, host="127.0.0.1:36001") is None, path
    for path in (
        "/",
        "/step",
        "//a-token-of-length/",
        "/a-token-of-lengt/step",
        "/a-token-of-length2/step",
        "/ä",
        "*",
    ):
        assert refused(access, path, host="127.0.0.1:36001") == 404, path


def test_on_this_machine_there_is_a_token_only_where_one_is_asked_for(
    listening: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert access_to(listening).token == ""
    assert access_to(listening, token="a-token-of-length").token == "a-token-of-length"
    made = {access_to(listening, token=MADE).token for _ in range(2)}
    assert {len(token) for token in made} == {43}
    assert len(made) == 2
    monkeypatch.setenv(VARIABLE, "from-the-environment")
    assert access_to(listening).token == access_to(listening, token=MADE).token == "from-the-environment"
    assert access_to(listening, token="a-token-of-length").token == "a-token-of-length"


def test_beyond_this_machine_there_is_always_one() -> None:
    with listen("0.0.0.0", 0) as listening:
        assert len(access_to(listening).token) == 43
        assert access_to(listening, token="a-token-of-length").token == "a-token-of-length"


@pytest.mark.parametrize("token", ["short", "with/slash-and-more", "with space in it all", "x" * 129, "ä" * 20])
def test_a_token_that_is_none_is_refused_and_not_shown(listening: socket.socket, token: str) -> None:
    with pytest.raises(BadCall, match="a token is 16 to 128 of the characters A-Z a-z 0-9 - _") as told:
        access_to(listening, token=token)
    assert token not in str(told.value)


@pytest.mark.parametrize("name", ["http://x", "a/b", "", "a b", "me@x"])
def test_a_name_that_is_none_is_refused(listening: socket.socket, name: str) -> None:
    with pytest.raises(BadCall, match=f"--allow-host takes NAME or NAME:PORT, not '{name}'"):
        access_to(listening, [name])


def test_an_address_that_cannot_be_listened_at_is_one_line() -> None:
    with pytest.raises(HeldoutError, match=r"cannot listen on port 36001 of 192\.0\.2\.1: "):
        listen("192.0.2.1", 36001)
