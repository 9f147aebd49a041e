"""A server under many clients, good and bad: whether each answer is one of the protocol's, how fast, how large."""

import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from json import dumps, loads
from pathlib import Path
from random import Random
from typing import final

from heldout.envs.agentgym.wire import ABOUT, WIRES, Wire, numbered
from heldout.envs.base import Suite
from heldout.records import Json
from heldout.seeds import stream

SCRIPTS, TURNS = 48, 20
"""How many episodes are played beforehand, in this process, and how long at most: what the server has to answer."""

LONG = 100_000
"""Characters of a long action."""
LARGE = 2 << 20
"""Bytes of a body that is too large."""

CONTROL = "\x00\x01\x1b[2J\r\n\t\x7f\x85\u2028\ufffe\ud800 look"

BROKEN = (b"", b"{", b"[]", b"null", b'{"id": "x", "env_idx": "x", "action": 3}', b"\xff\xfe\xfd", b"[" * 50_000)
"""Bodies that are no call."""

KINDS = (
    "played",
    "played",
    "played",
    "abandoned",
    "abandoned",
    "unknown",
    "broken",
    "long",
    "control",
    "large",
    "gone",
)
"""What an episode of the soak is, drawn for each."""


@dataclass(frozen=True, slots=True)
class Script:
    """An episode as it has to go: its task's number, the opening, and each action with its answer."""

    item: int
    opening: str
    steps: tuple[tuple[str, tuple[str, float, bool]], ...]


def scripts(suite: Suite, seed: int) -> list[Script]:
    """Episodes of the suite's test tasks, the oracle and the random player in turn, to their end."""
    rows = [*numbered(suite, "test")][:SCRIPTS]
    return [_script(suite, item, task, stream(seed, "soak", "script", item)) for item, task in rows]


def _script(suite: Suite, item: int, task: Json, chance: Random) -> Script:
    env = suite.open(task)
    opening, steps = env.start().observation, list[tuple[str, tuple[str, float, bool]]]()
    for _ in range(TURNS):
        action = suite.oracle(env.world) if chance.random() < 0.5 else chance.choice(suite.legal(env.world))
        step = env.step(action)
        steps.append((action, (step.observation, step.reward, step.ending is not None)))
        if step.ending:
            break
    return Script(item, opening, tuple(steps))


@final
class Client:
    """Calls to a server, on one connection that is kept, or on a new one each time as the original client does."""

    def __init__(self, address: str, wire: Wire, *, keeps: bool) -> None:
        self.wire = wire
        self._host = address.removeprefix("http://")
        self._keeps = keeps
        self._connection = HTTPConnection(self._host, timeout=120)

    def call(self, method: str, path: str, body: Json = None) -> tuple[int, Json]:
        """The status, and the JSON or text, that a call is answered; bytes are sent as they are."""
        content = body if isinstance(body, bytes | None) else dumps(body).encode()
        try:
            self._connection.request(method, path, content, {"content-type": "application/json"})
            answer = self._connection.getresponse()
            said = answer.read()
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

    def hang_up(self) -> None:
        """Announce a body, send half of it, and be gone."""
        self._connection.connect()
        head = f"POST /step HTTP/1.1\r\nhost: {self._host}\r\ncontent-length: 100\r\n\r\n"
        self._connection.sock.sendall(head.encode() + b'{"action": "')
        self._connection.close()


class WrongAnswer(Exception):
    """An answer that the protocol does not have here."""

    def __init__(self, path: str, status: int, said: Json) -> None:
        super().__init__(f"{path}: {status} {said!r:.200}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """One client, one call after another."""

    opens_per_second: float
    steps_per_second: float
    calls_per_cpu_second: float
    """Of the server's processor time, which other work on the machine disturbs less."""


def speed(address: str, suite: Suite, plays: Sequence[Script], *, steps: int, keeps: bool, pid: int) -> Speed:
    """How fast /reset and /step are answered to one client; every answer is compared."""
    client, opening, stepping, opened, done = Client(address, WIRES[suite.name], keeps=keeps), 0.0, 0.0, 0, 0
    episode, cpu_begun = client.create(), cpu_seconds(pid)
    while done < steps:
        script = plays[opened % len(plays)]
        begun = time.perf_counter()
        client.reset(episode, script)
        reset = time.perf_counter()
        _play(client, episode, script)
        opening, stepping = opening + reset - begun, stepping + time.perf_counter() - reset
        opened, done = opened + 1, done + len(script.steps)
    cpu = cpu_seconds(pid) - cpu_begun
    client.call("POST", "/close", client.about(episode))
    client.leave()
    return Speed(
        opens_per_second=opened / opening,
        steps_per_second=done / stepping,
        calls_per_cpu_second=(opened + done) / cpu if cpu else 0.0,
    )


def _play(client: Client, episode: int, script: Script) -> None:
    for action, expected in script.steps:
        if (said := client.step(episode, action)) != expected:
            raise WrongAnswer(f"/step {action!r}", 200, said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Soak:
    """What came of many clients at once."""

    episodes: int
    seconds: float
    calls: int
    steps: int
    """Of whole plays, each answered as in this process."""
    answers: dict[str, int]
    """How often each kind of client was given each answer."""
    unexpected: list[str]
    """Answers that the protocol does not have there."""
    megabytes: list[float]
    """Of the server's memory: before, after each quarter, and when the abandoned episodes are forgotten."""
    left_open: int
    """Episodes that are then still open."""


@final
class Soaking:
    """Plays episodes of all kinds, from many threads."""

    def __init__(self, address: str, suite: Suite, plays: Sequence[Script], seed: int) -> None:
        self._address, self._wire, self._plays, self._seed = address, WIRES[suite.name], plays, seed
        self.answers = Counter[str]()
        self.unexpected = list[str]()
        self.calls = self.steps = 0

    def quarter(self, numbers: Sequence[int], in_flight: int, tell: Callable[[], None]) -> None:
        """Some of the episodes, so many at a time."""
        with ThreadPoolExecutor(in_flight) as pool:
            for kind, found, wrong, calls, steps in pool.map(self._one, numbers):
                self.answers.update(f"{kind}: {each}" for each in found)
                self.unexpected += wrong
                self.calls, self.steps = self.calls + calls, self.steps + steps
                tell()

    def _one(self, number: int) -> tuple[str, list[str], list[str], int, int]:
        """One client's life: its kind, the answers that it was given, those that were wrong, calls, steps."""
        chance = stream(self._seed, "soak", number)
        kind = chance.choice(KINDS)
        client = Client(self._address, self._wire, keeps=chance.random() < 0.5)
        script = chance.choice(self._plays)
        found, wrong = list[str](), list[str]()
        steps = 0
        try:
            for answer in getattr(self, f"_{kind}")(client, script, chance):
                found.append(answer)
                steps += answer == "step"
        except WrongAnswer as error:
            wrong.append(f"{kind}: {error}")
        except (OSError, HTTPException) as error:
            wrong.append(f"{kind}: {type(error).__name__}: {error}")
        finally:
            client.leave()
        return kind, found, wrong, len(found), steps

    def _played(self, client: Client, script: Script, _: Random) -> Iterator[str]:
        episode = client.create()
        yield "create"
        client.reset(episode, script)
        yield "reset"
        for action, expected in script.steps:
            if (said := client.step(episode, action)) != expected:
                raise WrongAnswer(f"/step {action!r}", 200, said)
            yield "step"
        yield self._checked(client, "/close", client.about(episode), {"200 true"})
        # Closed, it is as unknown as one that never was.
        yield self._checked(client, "/step", client.about(episode, action="look"), self._not_valid)

    def _abandoned(self, client: Client, script: Script, chance: Random) -> Iterator[str]:
        episode = client.create()
        yield "create"
        client.reset(episode, script)
        yield "reset"
        for action, _ in script.steps[: chance.randrange(5)]:
            client.step(episode, action)
            yield "step of a play that is abandoned"

    def _unknown(self, client: Client, script: Script, chance: Random) -> Iterator[str]:
        number = chance.choice([-1, 10**9, 10**30, chance.randrange(10**12, 10**15)])
        for path, more in (("/step", {"action": "look"}), ("/reset", {self._wire.item: script.item})):
            body = client.about(number, **more, **(self._wire.reset_with if path == "/reset" else {}))
            yield self._checked(client, path, body, self._not_valid)
        yield self._checked(client, "/close", client.about(number), {"200 false"})
        status, said = client.call("GET", f"/observation?{self._wire.episode}={number}")
        yield self._known(f"/observation {number}", status, said, self._not_valid)
        status, said = client.call("GET", "/nowhere")
        yield self._known("/nowhere", status, said, {"404"})
        status, said = client.call("GET", "/step")
        yield self._known("GET /step", status, said, {"405"})

    def _broken(self, client: Client, _: Script, __: Random) -> Iterator[str]:
        for body in BROKEN:
            yield self._checked(client, "/step", body, {"400", "422"})

    def _long(self, client: Client, script: Script, chance: Random) -> Iterator[str]:
        yield from self._said(client, script, chance.choice(["x", "get 1 ", "\u00e4", "\x00"]) * LONG)

    def _control(self, client: Client, script: Script, _: Random) -> Iterator[str]:
        yield from self._said(client, script, CONTROL)

    def _said(self, client: Client, script: Script, action: str) -> Iterator[str]:
        """An action that no environment knows: it is answered, and the episode plays on."""
        episode = client.create()
        client.reset(episode, script)
        body = client.about(episode, action=action[:LONG])
        yield self._checked(client, "/step", body, {"200", "200 error", *self._server_error})
        client.reset(episode, script)
        yield self._checked(client, "/close", client.about(episode), {"200 true"})

    def _large(self, client: Client, _: Script, __: Random) -> Iterator[str]:
        yield self._checked(client, "/step", client.about(0, action="x" * LARGE), {"413"})

    def _gone(self, client: Client, _: Script, __: Random) -> Iterator[str]:
        client.hang_up()
        yield "hung up"

    @property
    def _server_error(self) -> set[str]:
        return set() if self._wire.errors_are_told else {"500"}

    @property
    def _not_valid(self) -> set[str]:
        return self._server_error or {"200 error: The id … is not valid."}

    def _checked(self, client: Client, path: str, body: Json, allowed: set[str]) -> str:
        status, said = client.call("POST", path, body)
        return self._known(path, status, said, allowed)

    def _known(self, path: str, status: int, said: Json, allowed: set[str]) -> str:
        """The kind of an answer, the most precise that is allowed."""
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


def soak(
    address: str,
    suite: Suite,
    plays: Sequence[Script],
    *,
    episodes: int,
    in_flight: int,
    seed: int,
    pid: int,
    idle_seconds: float,
    tell: Callable[[], None],
) -> Soak:
    """Sends the clients in four quarters, and waits until the server has forgotten what they left."""
    soaking = Soaking(address, suite, plays, seed)
    soaking.quarter(range(-2 * in_flight, 0), in_flight, lambda: None)  # the first of everything is not counted
    warm = Soaking(address, suite, plays, seed)
    warm.unexpected += soaking.unexpected
    sizes, begun = [megabytes(pid)], time.perf_counter()
    for quarter in range(4):
        warm.quarter(range(quarter * episodes // 4, (quarter + 1) * episodes // 4), in_flight, tell)
        sizes.append(megabytes(pid))
    seconds = time.perf_counter() - begun
    left = _open_after(address, suite, 3 * idle_seconds)
    return Soak(
        episodes=episodes,
        seconds=seconds,
        calls=warm.calls,
        steps=warm.steps,
        answers=dict(sorted(warm.answers.items())),
        unexpected=warm.unexpected,
        megabytes=[*sizes, megabytes(pid)],
        left_open=left,
    )


def _open_after(address: str, suite: Suite, seconds: float) -> int:
    """How many episodes are open when none is, or at the latest then."""
    client, end = Client(address, WIRES[suite.name], keeps=False), time.perf_counter() + seconds
    while (left := int(client.call("GET", ABOUT)[1]["episodes"])) and time.perf_counter() < end:
        time.sleep(0.5)
    return left


def cpu_seconds(pid: int) -> float:
    """The processor time that a process has had; 0 where the system does not say."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return 0.0
    user, system = stat.read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def megabytes(pid: int) -> float:
    """The memory of a process that is its own; 0 where the system does not say."""
    status = Path(f"/proc/{pid}/status")
    found = re.search(r"VmRSS:\s+(\d+) kB", status.read_text()) if status.exists() else None
    return int(found[1]) / 1024 if found else 0.0
