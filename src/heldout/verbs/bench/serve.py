"""`heldout bench serve`: a server of its own, timed by one client, then soaked in good and bad ones."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, astuple
from itertools import count
from json import loads
from signal import SIGINT
from typing import Any

from heldout.bench.clients import scripts
from heldout.bench.slow import HELD, Waits, measure_waits
from heldout.bench.soak import Soak, Speed, measure_speed, soak
from heldout.config import Config, with_overrides
from heldout.envs.agentgym.protocol import rules_served
from heldout.envs.registry import open_suite
from heldout.errors import HeldoutError
from heldout.printable import printable, printable_json
from heldout.progress import Progress, figure
from heldout.reporting.tables import Table, align

IDLE_SECONDS = 15
"""Long beside a call on a machine that is busy, short beside the soak."""


def bench_serve(
    *,
    env: str,
    episodes: int,
    in_flight: int,
    steps: int,
    seconds: float,
    seed: int,
    as_json: bool,
    settings: Sequence[str],
) -> None:
    """Measures a server in a process of its own, and fails where an answer was not the protocol's."""
    given = [f"source.rules={rules_served(env)}", *settings]
    suite = open_suite(env, with_overrides(Config(), given).source)
    plays = scripts(suite, seed)
    with _serving(env, given) as told, Progress(f"bench serve {env}", episodes) as progress:
        address, done = told["url"], count(1)
        speeds = {
            name: measure_speed(address, suite, plays, steps=steps, keeps=keeps, pid=told["pid"])
            for name, keeps in (("new connections", False), ("kept alive", True))
        }
        waits = [
            measure_waits(address, suite, plays, held=held, seconds=seconds, seed=seed, pid=told["pid"])
            for held in (0, HELD)
        ]
        found = soak(
            address,
            suite,
            plays,
            episodes=episodes,
            in_flight=in_flight,
            seed=seed,
            pid=told["pid"],
            idle_seconds=IDLE_SECONDS,
            tell=lambda: progress.show(next(done)),
        )
    described = {
        "env": env,
        "speeds": {name: asdict(each) for name, each in speeds.items()},
        "waits": [*map(asdict, waits)],
        "soak": asdict(found),
    }
    report = _format_report(speeds, waits, found, in_flight)
    print(printable_json(described) if as_json else printable(report))
    if found.unexpected or found.left_open:
        raise HeldoutError(
            f"{len(found.unexpected)} answers are none of the protocol's, {found.left_open} left open"
        )


@contextmanager
def _serving(env: str, settings: Sequence[str]) -> Iterator[dict[str, Any]]:
    """A server in a process of its own, and what it says of itself."""
    words = ["serve", env, "--port", "0", "--json", "--idle-seconds", str(IDLE_SECONDS), "--max-episodes", "100000"]
    command = [sys.executable, "-m", "heldout", *words, "--set", *settings]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout
        line = server.stdout.readline()
        if not line:
            raise HeldoutError(f"heldout serve {env} does not start: call it to see why")
        try:
            yield loads(line)
        finally:
            server.send_signal(SIGINT)


def _format_report(speeds: dict[str, Speed], waits: Sequence[Waits], found: Soak, in_flight: int) -> str:
    """The figures for people."""
    timed = Table(
        ("ONE CLIENT", "OPENS/S", "STEPS/S", "CALLS/CPU S"),
        [(name, *map(figure, astuple(each))) for name, each in speeds.items()],
    )
    waited = Table(
        ("HALF-SENT, HELD", "CALLS", "MEDIAN MS", "P99 MS", "LONGEST MS", "MEMORY MB", "OF THE HELD"),
        [_waits_row(each) for each in waits],
    )
    answers = Table(("CLIENT: ANSWER", "TIMES"), [(name, str(times)) for name, times in found.answers.items()])
    memory = " → ".join(f"{size:.1f}" for size in found.megabytes)
    wrong = "".join(f"\n  {each}" for each in found.unexpected[:20])
    return (
        f"{align(timed)}\n{align(waited)}\n{align(answers)}\n"
        f"{found.episodes} episodes, {in_flight} in flight: {found.calls} calls in {found.seconds:.1f} s "
        f"({figure(found.calls / found.seconds)}/s), {found.steps} steps of whole plays as in process\n"
        f"answers that are none of the protocol's: {len(found.unexpected)}{wrong}\n"
        f"memory in MB, before, after each quarter, and with nothing open: {memory}; left open: {found.left_open}"
    )


def _waits_row(waits: Waits) -> tuple[str, ...]:
    times = (f"{1000 * each:.1f}" for each in (waits.median, waits.p99, waits.longest))
    ended = ", ".join(f"{many} {how}" for how, many in waits.ended.items())
    return (str(waits.held), str(waits.calls), *times, f"{waits.megabytes:.1f}", ended)
