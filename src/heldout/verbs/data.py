"""`heldout data check`: whether the real tasks' data is what the environments expect, and which can be played."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from heldout.config import Source
from heldout.data.catalogue import fetching
from heldout.data.check import Check
from heldout.data.folder import Needs, bringing, data_folder, lacking, mending
from heldout.envs.registry import names, open_suite
from heldout.errors import BadCall, HeldoutError, unknown
from heldout.printable import printable, printable_json, printable_line
from heldout.progress import Progress
from heldout.reporting.tables import Table, align

HEADER = ("SOURCE", "WHAT", "THERE", "GOOD", "UNRESOLVED", "WRONG")
SHOWN = 5
"""Faults of a source that are printed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Whether an environment's real tasks can be played, and what makes it so."""

    env: str
    playable: bool
    missing: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()
    mend: str | None = None
    """A command, or what to do."""


def data_check(*, envs: Sequence[str], as_json: bool) -> None:
    """Looks through the sources of each environment; prints what came of it, and fails where something is wrong."""
    data = data_folder()
    if not data.is_dir():
        raise BadCall(f"HELDOUT_DATA names {data}, which is no folder")
    found = list(_checks(envs or names(), data))
    playable = states(envs or names(), data, found)
    if as_json:
        lists = {
            "checks": [asdict(check) for check in found],
            "environments": [asdict(state) for state in playable],
        }
        print(printable_json(lists))
    else:
        print(printable(format_checks(found) + format_states(playable)), end="")
    if wrong := [check.source for check in found if check.faults]:
        raise HeldoutError(f"{len(wrong)} of {len(found)} looks found faults: {', '.join(dict.fromkeys(wrong))}")


def states(envs: Iterable[str], data: Path, found: Sequence[Check] = ()) -> list[State]:
    """How those environments stand that have real tasks; what was looked through and is wrong counts as damaged."""
    wrong = {check.source for check in found if check.faults}
    return [
        _state(name, needs, data, wrong) for name in envs if (needs := open_suite(name, Source()).real_data.needs)
    ]


def format_states(found: Iterable[State]) -> str:
    """A line an environment."""
    return "".join(f"{state.env}: {_format_state(state)}\n" for state in found)


def _state(env: str, needs: Needs, data: Path, wrong: Iterable[str]) -> State:
    missing = tuple(lacking(data, needs))
    read = [place for group in needs for place in group if (data / place).exists()]
    damaged = tuple(each for each in wrong if any(_is_part_of(each, place) for place in read))
    mend = fetching(*missing) if missing else mending(damaged[0]) if damaged else None
    return State(env=env, playable=not missing and not damaged, missing=missing, damaged=damaged, mend=mend)


def _is_part_of(one: str, place: str) -> bool:
    """Whether two places are one, or one is within the other."""
    return one == place or one.startswith(f"{place}/") or place.startswith(f"{one}/")


def _format_state(state: State) -> str:
    if state.playable:
        return "its real tasks can be played (--set source.kind=real)"
    if state.missing:
        return f"its real tasks cannot be played; what brings the rest: {state.mend}"
    return f"its real tasks cannot be played: {', '.join(state.damaged)} is not what it should be; {state.mend}"


def format_checks(found: Sequence[Check]) -> str:
    """A line a look, and under the table what brings the missing ones, the first faults, and what is noted."""
    lines = [align(Table(HEADER, [_row(check) for check in found]))]
    lines += [f"{check.source}: {bringing(check.source)}\n" for check in found if check.missing]
    for check in found:
        lines += [
            f"{printable_line(f'{check.source}: {told}')}\n"
            for told in (*_first(check.faults), *_first(check.noted))
        ]
    return "".join(lines)


def _first(told: Sequence[str]) -> list[str]:
    """The first of what is told, and how many more there are."""
    more = [f"… and {len(told) - SHOWN} more"] if len(told) > SHOWN else []
    return [*told[:SHOWN], *more]


def _checks(envs: Sequence[str], data: Path) -> Iterator[Check]:
    for name in envs:
        if name not in names():
            raise unknown("environment", name, names())
    with Progress("data check", len(envs)) as progress:
        for count, name in enumerate(envs, 1):
            yield from open_suite(name, Source()).real_data.checks(data)
            progress.show(count)


def _row(check: Check) -> tuple[str, ...]:
    figures = (check.there, check.good, check.unresolved, len(check.faults))
    return (check.source, check.what, *(["not there", "", "", ""] if check.missing else map(str, figures)))
