"""A server under many clients, good and bad: whether each answer is one of the protocol's, how fast, how large."""

import os
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import final

from heldout.bench.clients import LIVES, STEP, Client, Script, WrongAnswer, play, whole
from heldout.envs.agentgym.protocol import ABOUT, wire_of
from heldout.envs.base import Suite
from heldout.seeds import stream

WARM_UP = 2
"""Clients for each one in flight that come before the first figure: the first of everything is not counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """One client, one call after another."""

    opens_per_second: float
    steps_per_second: float
    calls_per_cpu_second: float
    """Of the server's processor time, which other work on the machine disturbs less."""


def measure_speed(
    address: str, suite: Suite, plays: Sequence[Script], *, steps: int, keeps: bool, pid: int
) -> Speed:
    """How fast /reset and /step are answered to one client; every answer is compared."""
    client, opening, stepping, opened, done = Client(address, wire_of(suite.name), keeps=keeps), 0.0, 0.0, 0, 0
    episode, cpu_begun = client.create(), _cpu_seconds(pid)
    while done < steps:
        script = plays[opened % len(plays)]
        begun = time.perf_counter()
        client.reset(episode, script)
        reset = time.perf_counter()
        done += sum(1 for _ in play(client, episode, script))
        opening, stepping = opening + reset - begun, stepping + time.perf_counter() - reset
        opened += 1
    cpu = _cpu_seconds(pid) - cpu_begun
    client.call("POST", "/close", client.about(episode))
    client.leave()
    return Speed(
        opens_per_second=opened / opening,
        steps_per_second=done / stepping,
        calls_per_cpu_second=(opened + done) / cpu if cpu else 0.0,
    )


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
    """Lets clients of all kinds at a server, from many threads, and counts what they are answered."""

    def __init__(self, address: str, suite: Suite, plays: Sequence[Script], seed: int) -> None:
        self._address, self._wire, self._plays, self._seed = address, wire_of(suite.name), plays, seed
        self.answers = Counter[str]()
        self.unexpected = list[str]()

    def send(self, numbers: Sequence[int], in_flight: int, tell: Callable[[], None]) -> None:
        """The clients of these numbers, so many at a time."""
        with ThreadPoolExecutor(in_flight) as pool:
            for found, wrong in pool.map(self._live, numbers):
                self.answers.update(found)
                self.unexpected += wrong
                tell()

    def _live(self, number: int) -> tuple[list[str], list[str]]:
        """What one client was answered, and what of it was wrong."""
        chance = stream(self._seed, "soak", number)
        life, script = chance.choice(LIVES), chance.choice(self._plays)
        client = Client(self._address, self._wire, keeps=chance.random() < 0.5)
        found, wrong = list[str](), list[str]()
        try:
            for answer in life(client, script, chance):
                found.append(f"{life.__name__}: {answer}")
        except WrongAnswer as error:
            wrong.append(f"{life.__name__}: {error}")
        except (OSError, HTTPException) as error:
            wrong.append(f"{life.__name__}: {type(error).__name__}: {error}")
        finally:
            client.leave()
        return found, wrong


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
    warming = Soaking(address, suite, plays, seed)
    warming.send(range(-WARM_UP * in_flight, 0), in_flight, lambda: None)
    soaking = Soaking(address, suite, plays, seed)
    sizes, begun = [megabytes(pid)], time.perf_counter()
    for quarter in range(4):
        part = range(quarter * episodes // 4, (quarter + 1) * episodes // 4)
        soaking.send(part, in_flight, tell)
        sizes.append(megabytes(pid))
    seconds = time.perf_counter() - begun
    left = _open_after(address, suite, 3 * idle_seconds)
    return Soak(
        episodes=episodes,
        seconds=seconds,
        calls=soaking.answers.total(),
        steps=soaking.answers[f"{whole.__name__}: {STEP}"],
        answers=dict(sorted(soaking.answers.items())),
        unexpected=[*warming.unexpected, *soaking.unexpected],
        megabytes=[*sizes, megabytes(pid)],
        left_open=left,
    )


def _open_after(address: str, suite: Suite, seconds: float) -> int:
    """How many episodes are open when none is, or at the latest then."""
    client, end = Client(address, wire_of(suite.name), keeps=False), time.perf_counter() + seconds
    while (left := int(client.call("GET", ABOUT)[1]["episodes"])) and time.perf_counter() < end:
        time.sleep(0.5)
    return left


def _cpu_seconds(pid: int) -> float:
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
