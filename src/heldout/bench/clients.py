"""Clients of a server, good and bad: what each does, and which answers the protocol has for it."""

import re
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from json import dumps, loads
from random import Random
from typing import final

from heldout.envs.agentgym.protocol import EnvProtocol, numbered_tasks
from heldout.envs.base import Suite
from heldout.records import Json, Task
from heldout.seeds import stream

SCRIPTS, TURNS = 48, 20
"""How many episodes are played beforehand, in this process, and how long at most: what the server has to answer."""

LONG = 100_000
"""Characters of a long action."""
LARGE = 2 << 20
"""Bytes of a body that is too large."""

CONTROL = "\x00\x01\x1b[2J\r\n\t\x7f\x85\u2028\ufffe\ud800 look"

HALF_HEAD = "POST /step HTTP/1.1\r\nhost: HOST\r\ncontent-le"
HALF_BODY = 'POST /step HTTP/1.1\r\nhost: HOST\r\ncontent-length: 100\r\n\r\n{"action": "'
"""The first halves of a call; `HOST` stands for the server's."""

PAGES = (
    ({"origin": "http://evil.example", "content-type": "text/plain"}, "403"),
    ({"sec-fetch-site": "cross-site", "content-type": "text/plain"}, "403"),
    ({"host": "evil.example"}, "421"),
)
"""What a page of another site has a browser send, and what it is answered."""

BROKEN = (b"", b"{", b"[]", b"null", b'{"id": "x", "env_idx": "x", "action": 3}', b"\xff\xfe\xfd", b"[" * 50_000)
"""Bodies that are no call."""


@dataclass(frozen=True, slots=True)
class Script:
    """An episode as it has to go: its task's number, the opening, and each action with its answer."""

    item: int
    opening: str
    steps: tuple[tuple[str, tuple[str, float, bool]], ...]


def scripts(suite: Suite, seed: int) -> list[Script]:
    """Episodes of the suite's test tasks, the oracle and the random player in turn, to their end."""
    rows = [*numbered_tasks(suite, "test")][:SCRIPTS]
    return [_script(suite, item, task, stream(seed, "soak", "script", item)) for item, task in rows]


def _script(suite: Suite, item: int, task: Task, chance: Random) -> Script:
    env = suite.open(task)
    opening, steps = env.start().observation, list[tuple[str, tuple[str, float, bool]]]()
    for _ in range(TURNS):
        action = (
            suite.players.oracle(env.world)
            if chance.random() < 0.5
            else chance.choice(suite.players.legal(env.world))
        )
        step = env.step(action)
        steps.append((action, (step.observation, step.reward, step.ending is not None)))
        if step.ending:
            break
    return Script(item, opening, tuple(steps))


@final
class Client:
    """Calls to a server, on one connection that is kept, or on a new one each time as the original client does."""

    def __init__(self, address: str, wire: EnvProtocol, *, keeps: bool) -> None:
        self.wire = wire
        self.waits = list[float]()
        """How long each answer took to come, in seconds."""
        self._host = address.removeprefix("http://")
        self._keeps = keeps
        self._connection = HTTPConnection(self._host, timeout=120)

    def call(
        self, method: str, path: str, body: Json = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Json]:
        """The status, and the JSON or text, that a call is answered; bytes are sent as they are."""
        content = body if isinstance(body, bytes | None) else dumps(body).encode()
        sent, begun = {"content-type": "application/json", **(headers or {})}, time.perf_counter()
        try:
            self._connection.request(method, path, content, sent)
            answer = self._connection.getresponse()
            said = answer.read()
            self.waits.append(time.perf_counter() - begun)
        finally:
            if not self._keeps:
                self._connection.close()
        try:
            return answer.status, loads(said)
        except ValueError:
            return answer.status, said.decode()

    def create(self) -> int:
        """A new episode's number."""
        status, said = self.call("POST", "/create", self.wire.created_with)
        if status != 200:
            raise WrongAnswer("/create", status, said)
        number: int = said["id"] if isinstance(said, dict) else said
        return number

    def about(self, episode: int, **more: Json) -> Json:
        """A body that names an episode."""
        return {self.wire.episode: episode, **more}

    def reset(self, episode: int, script: Script) -> None:
        """Begin a script; raises `WrongAnswer` where its opening is another."""
        body = self.about(episode, **{self.wire.item: script.item}, **self.wire.reset_with)
        status, said = self.call("POST", "/reset", body)
        if status != 200 or self.wire.opening(said) != script.opening:
            raise WrongAnswer("/reset", status, said)

    def step(self, episode: int, action: str) -> tuple[str, float, bool]:
        """What an action is answered."""
        status, said = self.call("POST", "/step", self.about(episode, action=action))
        if status != 200 or "error" in said:
            raise WrongAnswer("/step", status, said)
        return said[self.wire.observation], float(said["reward"]), said["done"]

    def leave(self) -> None:
        """Close the connection."""
        self._connection.close()

    def say(self, said: str, *, drops: bool = False, seconds: float) -> bytes:
        """What comes on a connection of its own, in so many seconds at most, once that was said.

        `HOST` stands for the server's. With `drops` it is said byte by byte, for half a second.
        """
        host, _, port = self._host.partition(":")
        content = said.replace("HOST", self._host).encode()
        with socket.create_connection((host, int(port)), timeout=30) as connection:
            for piece in [content[place : place + 1] for place in range(len(content))] if drops else [content]:
                connection.sendall(piece)
                time.sleep(0.5 / len(content) if drops else 0.0)
            connection.settimeout(seconds)
            try:
                return connection.recv(1 << 16) if seconds else b""
            except TimeoutError:
                return b""


class WrongAnswer(Exception):
    """An answer that the protocol does not have here."""

    def __init__(self, path: str, status: int, said: Json) -> None:
        super().__init__(f"{path}: {status} {said!r:.200}")


def play(client: Client, episode: int, script: Script) -> Iterator[str]:
    """A script, said to an episode that was reset to it; raises `WrongAnswer` at the first that is another."""
    for action, expected in script.steps:
        if (said := client.step(episode, action)) != expected:
            raise WrongAnswer(f"/step {action!r}", 200, said)
        yield STEP


STEP = "step"
"""A step that was answered as in this process."""

Life = Callable[[Client, Script, Random], Iterator[str]]
"""What one client does: it yields the kinds of the answers that it gets, and raises `WrongAnswer` at any other."""


def whole(client: Client, script: Script, _: Random) -> Iterator[str]:
    """Plays an episode and closes it; closed, it is as unknown as one that never was."""
    episode = client.create()
    yield "create"
    client.reset(episode, script)
    yield "reset"
    yield from play(client, episode, script)
    yield _check_post(client, "/close", client.about(episode), {"200 true"})
    yield _check_post(client, "/step", client.about(episode, action="look"), _not_valid(client))


def abandon(client: Client, script: Script, chance: Random) -> Iterator[str]:
    """Plays a few steps, and never comes back."""
    episode = client.create()
    yield "create"
    client.reset(episode, script)
    yield "reset"
    for action, _ in script.steps[: chance.randrange(5)]:
        client.step(episode, action)
        yield "a step"


def unknown(client: Client, script: Script, chance: Random) -> Iterator[str]:
    """Asks for episodes, paths and methods that are not there."""
    number = chance.choice([-1, 10**9, 10**30, chance.randrange(10**12, 10**15)])
    wire = client.wire
    yield _check_post(client, "/step", client.about(number, action="look"), _not_valid(client))
    reset = client.about(number, **{wire.item: script.item}, **wire.reset_with)
    yield _check_post(client, "/reset", reset, _not_valid(client))
    yield _check_post(client, "/close", client.about(number), {"200 false"})
    yield _check_get(client, f"/observation?{wire.episode}={number}", _not_valid(client))
    yield _check_get(client, "/nowhere", {"404"})
    yield _check_get(client, "/step", {"405"})


def broken(client: Client, _: Script, __: Random) -> Iterator[str]:
    """Sends bodies that are no call."""
    for body in BROKEN:
        yield _check_post(client, "/step", body, {"400", "422"})


def long(client: Client, script: Script, chance: Random) -> Iterator[str]:
    """Says an action of 100 kB."""
    yield from _strange(client, script, (chance.choice(["x", "get 1 ", "\u00e4", "\x00"]) * LONG)[:LONG])


def control(client: Client, script: Script, _: Random) -> Iterator[str]:
    """Says an action of control characters."""
    yield from _strange(client, script, CONTROL)


def _strange(client: Client, script: Script, action: str) -> Iterator[str]:
    """An action that no environment knows: it is answered, and the episode can be reset."""
    episode = client.create()
    client.reset(episode, script)
    yield _check_post(
        client, "/step", client.about(episode, action=action), {"200", "200 error", *_server_error(client)}
    )
    client.reset(episode, script)
    yield _check_post(client, "/close", client.about(episode), {"200 true"})


def large(client: Client, _: Script, __: Random) -> Iterator[str]:
    """Sends a body that is too large."""
    yield _check_post(client, "/step", client.about(0, action="x" * LARGE), {"413"})


def hang_up_midway(client: Client, _: Script, __: Random) -> Iterator[str]:
    """Hangs up within a body."""
    client.say(HALF_BODY, seconds=0)
    yield "none"


def hold(client: Client, _: Script, chance: Random) -> Iterator[str]:
    """Sends half a head or half a body, and waits for nothing for a while."""
    if said := client.say(chance.choice((HALF_HEAD, HALF_BODY)), seconds=1.0):
        raise WrongAnswer("half a call", 0, said.decode("latin-1"))
    yield "none"


def drops(client: Client, _: Script, __: Random) -> Iterator[str]:
    """Says a whole call byte by byte, which is slow and no fault."""
    said = client.say("GET / HTTP/1.1\r\nhost: HOST\r\n\r\n", drops=True, seconds=30.0)
    if not said.startswith(b"HTTP/1.1 200 "):
        raise WrongAnswer("/ in drops", 0, said.decode("latin-1"))
    yield "200"


def web_page(client: Client, script: Script, _: Random) -> Iterator[str]:
    """Calls as a page of another site makes a browser call: it is refused, and the episode goes on."""
    episode = client.create()
    client.reset(episode, script)
    for headers, status in PAGES:
        for path in ("/create", "/close"):
            yield _kind(path, *client.call("POST", path, client.about(episode), headers), {status})
    yield from play(client, episode, script)
    yield _check_post(client, "/close", client.about(episode), {"200 true"})


LIVES: tuple[Life, ...] = (
    whole,
    whole,
    whole,
    abandon,
    abandon,
    unknown,
    broken,
    long,
    control,
    large,
    hang_up_midway,
    hold,
    drops,
    web_page,
)
"""One is drawn for each client."""


def _server_error(client: Client) -> set[str]:
    """Where errors are not told in words."""
    return set() if client.wire.sends_error_text else {"500"}


def _not_valid(client: Client) -> set[str]:
    """What an episode's number is answered that is none."""
    return _server_error(client) or {"200 error: The id … is not valid."}


def _check_post(client: Client, path: str, body: Json, allowed: set[str]) -> str:
    """The kind of the answer to a POST; raises `WrongAnswer` where it is none of those."""
    return _kind(path, *client.call("POST", path, body), allowed)


def _check_get(client: Client, path: str, allowed: set[str]) -> str:
    """The same of a GET."""
    return _kind(path, *client.call("GET", path), allowed)


def _kind(path: str, status: int, said: Json, allowed: set[str]) -> str:
    error = said.get("error") if isinstance(said, dict) else None
    names = [str(status)]
    if status == 200 and error is not None:
        names = [f"200 error: {re.sub(r'-?[0-9]+', '…', str(error))}", "200 error"]
    elif status == 200 and isinstance(said, bool):
        names = [f"200 {str(said).lower()}"]
    for name in names:
        if name in allowed:
            return name
    raise WrongAnswer(path, status, said)
