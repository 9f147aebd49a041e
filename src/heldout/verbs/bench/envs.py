"""`heldout bench envs`: how many tasks an environment opens in a second, and how many actions it answers."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial
from itertools import islice
from json import dumps
from pathlib import Path

from heldout.bench.envs import Measured, Open, Script, Speeds, Work, by_players, measure, until_the_end
from heldout.config import Config, with_overrides
from heldout.envs.base import Env
from heldout.envs.logs import Logs, Recorded, Unusable
from heldout.envs.recorded import RecordedEpisode
from heldout.envs.registry import names, open_suite
from heldout.errors import BadCall, HeldoutError
from heldout.printable import printable
from heldout.progress import Progress, figure
from heldout.records import Json
from heldout.reporting.tables import MISSING, Table, align

HEADER = ("ENVIRONMENT", "STEPS/S", "RE-OPENS/S", "FIRST OPENS/S", "KIB HELD", "TASKS", "EPISODES", "TURNS")
TASKS = 100
"""Of an environment, where the call does not say."""
RATES = ("steps_per_second", "opens_per_second")


def bench_envs(
    *,
    envs: Sequence[str],
    files: Sequence[Path],
    rules: str | None,
    limit: int | None,
    rounds: int,
    seconds: float,
    seed: int,
    as_json: bool,
    settings: Sequence[str],
) -> None:
    """Measures the named environments and the recorded files; without either, every environment."""
    works = [each for file in files for each in _of_file(file, rules or "agentgym", limit)]
    given = [] if rules is None else [f"source.rules={rules}"]
    source = with_overrides(Config(), [*given, *settings]).source
    played = envs or ([] if files else names())
    works += [by_players(open_suite(name, source), limit or TASKS, seed) for name in played]
    with Progress("bench envs", rounds * len(works)) as progress:
        found = measure(works, rounds, seconds, progress.show)
    print(dumps(report_as_json(found), indent=2) if as_json else printable(format_report(found)))


def _of_file(file: Path, rules: str, limit: int | None) -> Iterator[Work]:
    """The recorded actions of a file's episodes, for each environment in it."""
    found = [_usable(each) for each in islice(Logs(rules=rules).read(file), limit)]
    if not found:
        raise HeldoutError(f"{file} holds no episodes")
    for env in dict.fromkeys(each.episode.env for each in found):
        recorded = [each for each in found if each.episode.env == env]
        opens = [partial(_open_recorded, each) for each in recorded]
        tasks = [dumps(dict(each.episode.task), sort_keys=True) for each in recorded]
        yield Work(
            name=f"{env} ({Path(*file.parts[-2:])})",
            opens=list(dict(zip(tasks, opens, strict=True)).values()),
            scripts=partial(_scripts, opens, [each.episode for each in recorded], rules),
        )


def _usable(found: Recorded | Unusable) -> Recorded:
    """What is timed can all be played."""
    if isinstance(found, Unusable):
        raise HeldoutError(f"{found.place}: {found.why}")
    return found


def _scripts(opens: Sequence[Open], episodes: Sequence[RecordedEpisode], rules: str) -> list[Script]:
    """What was recorded, after the ending too; by rules that have no play there, up to it."""
    told = [tuple(step.action for step in episode.steps if not step.misread) for episode in episodes]
    scripts = [Script(open=opened, actions=actions) for opened, actions in zip(opens, told, strict=True)]
    return scripts if rules == "agentgym" else [until_the_end(script) for script in scripts]


def _open_recorded(found: Recorded) -> Env:
    try:
        return found.open()
    except BadCall as error:
        raise HeldoutError(f"{found.place}: {error}") from error


def report_as_json(found: Measured) -> dict[str, Json]:
    """The same for a program: speeds are medians over rounds."""
    return {
        "environments": [_entry(each) for each in found.speeds],
        "machine": {"before": asdict(found.before), "after": asdict(found.after)},
    }


def format_report(found: Measured) -> str:
    """One line an environment, then how the machine was."""
    rounds = len(found.speeds[0].rounds)
    least = min(each.over_rounds("running")[1] for each in found.speeds)
    return (
        f"{align(Table(HEADER, [_row(each) for each in found.speeds]))}\n"
        f"medians of {rounds} rounds [least, most]; observations and digests included, choosing actions not\n"
        f"first opens without the first task, which loads what all of them need\n"
        f"machine before: {found.before}; after: {found.after}; "
        f"a processor was ours {100 * least:.0f} % of the time"
    )


def _entry(speeds: Speeds) -> dict[str, Json]:
    return {
        "name": speeds.name,
        "tasks": _tasks(speeds),
        "episodes": speeds.episodes,
        "turns": speeds.turns,
        **{rate: speeds.over_rounds(rate)[0] for rate in RATES},
        "first_opens_per_second": speeds.first_opens_per_second,
        "loading_seconds": speeds.loading,
        "held_bytes": speeds.held_bytes,
        "rounds": [asdict(each) for each in speeds.rounds],
    }


def _row(speeds: Speeds) -> tuple[str, ...]:
    first = speeds.first_opens_per_second
    spreads = [map(figure, speeds.over_rounds(rate)) for rate in RATES]
    return (
        speeds.name,
        *(f"{middle} [{least}, {most}]" for middle, least, most in spreads),
        MISSING if first is None else figure(first),
        figure(speeds.held_bytes / 1024),
        str(_tasks(speeds)),
        str(speeds.episodes),
        str(speeds.turns),
    )


def _tasks(speeds: Speeds) -> int:
    """How many were opened: the first one, and the others."""
    return 1 + len(speeds.firsts)
