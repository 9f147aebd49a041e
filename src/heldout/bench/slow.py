"""Connections that are held half sent, more than a server has room for, and how long good clients then wait."""

import resource
import socket
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from select import POLLIN, poll
from statistics import quantiles
from threading import Event, Thread
from typing import Self, final

from heldout.bench.clients import HALF_BODY, HALF_HEAD, Client, Script, whole
from heldout.bench.soak import megabytes
from heldout.envs.agentgym.protocol import wire_of
from heldout.envs.base import Suite
from heldout.seeds import stream

HELD = 1010
"""Connections that are held: more than a server has."""
PLAYERS = 16
"""Good clients at a time."""
PAUSE = 1.0
"""Seconds between two bytes of a call, and until what has ended is begun anew."""
SPARE_FILES = 200
"""Files that this process has open beside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """How long good clients waited for their answers, in seconds."""

    held: int
    """Connections that others held half sent all the while."""
    calls: int
    median: float
    p99: float
    longest: float
    megabytes: float
    """Of the server's memory at the end, while they are held."""
    ended: dict[str, int]
    """What came of the held ones, which were begun anew a second later: `408`, or `closed` to make room."""


@final
class _Holding:
    """Keeps so many connections half sent, from a thread: half heads, heads that come in drops, half bodies."""

    def __init__(self, address: str, held: int) -> None:
        self._host = address.removeprefix("http://")
        self._held = held
        self._over, self._full = Event(), Event()
        self._thread = Thread(target=self._hold, daemon=True)
        self.ended = Counter[str]()

    def __enter__(self) -> Self:
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        soft = self._held + SPARE_FILES if hard == resource.RLIM_INFINITY else min(hard, self._held + SPARE_FILES)
        if soft > resource.getrlimit(resource.RLIMIT_NOFILE)[0]:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        self._thread.start()
        self._full.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _hold(self) -> None:
        there, poller, numbers = dict[int, socket.socket](), poll(), count()
        while not self._over.is_set():
            while len(there) < self._held:
                connection = self._begin(next(numbers))
                there[connection.fileno()] = connection
                poller.register(connection, POLLIN)
            self._full.set()
            again = time.monotonic() + PAUSE
            while time.monotonic() < again and not self._over.is_set():
                for number, _ in poller.poll(20):
                    poller.unregister(number)
                    self._end(there.pop(number))
            for connection in there.values():
                _say_more(connection)
        for connection in there.values():
            connection.close()

    def _begin(self, number: int) -> socket.socket:
        host, _, port = self._host.partition(":")
        connection = socket.create_connection((host, int(port)), timeout=30)
        said = (HALF_HEAD, HALF_HEAD[:20], HALF_BODY)[number % 3]
        connection.sendall(said.replace("HOST", self._host).encode())
        return connection

    def _end(self, connection: socket.socket) -> None:
        try:
            told = connection.recv(1 << 16)
        except OSError:
            told = b""
        connection.close()
        self.ended[told.split(b" ")[1].decode() if told else "closed"] += 1


def _say_more(connection: socket.socket) -> None:
    """Another byte, of a head or of a body; that one may be gone is seen elsewhere."""
    with suppress(OSError):
        connection.sendall(b"x")


def measure_waits(
    address: str, suite: Suite, plays: Sequence[Script], *, held: int, seconds: float, seed: int, pid: int
) -> Waits:
    """Whole plays for so long, each answer compared, beside so many held connections."""
    waits = list[float]()

    def one(player: int, end: float) -> list[float]:
        chance, taken = stream(seed, "waits", player), list[float]()
        while time.perf_counter() < end:
            client = Client(address, wire_of(suite.name), keeps=chance.random() < 0.5)
            for _ in whole(client, chance.choice(plays), chance):
                pass
            client.leave()
            taken += client.waits
        return taken

    with _Holding(address, held) as holding, ThreadPoolExecutor(PLAYERS) as pool:
        end = time.perf_counter() + seconds
        for taken in pool.map(one, range(PLAYERS), [end] * PLAYERS):
            waits += taken
        size = megabytes(pid)
        ended = dict(sorted(holding.ended.items()))
    cuts = quantiles(waits, n=100)
    return Waits(
        held=held,
        calls=len(waits),
        median=cuts[49],
        p99=cuts[98],
        longest=max(waits),
        megabytes=size,
        ended=ended,
    )
