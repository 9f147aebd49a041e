"""`heldout data check`: whether the real tasks' data is what the environments expect."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from json import dumps
from pathlib import Path

from heldout.config import Source
from heldout.data.check import Check
from heldout.data.folder import bringing, data_folder
from heldout.envs.registry import names, open_suite
from heldout.errors import BadCall, HeldoutError, unknown
from heldout.progress import Progress
from heldout.report.tables import Table, aligned

HEADER = ("SOURCE", "WHAT", "THERE", "GOOD", "UNRESOLVED", "WRONG")
SHOWN = 5
"""Faults of a source that are printed."""


def data_check(*, envs: Sequence[str] | None, as_json: bool) -> None:
    """Looks through the sources of each environment; prints what came of it, and fails where something is wrong."""
    data = data_folder()
    if not data.is_dir():
        raise BadCall(f"HELDOUT_DATA names {data}, which is no folder")
    found = list(_checks(envs or names(), data))
    if as_json:
        print(dumps([asdict(check) for check in found], indent=2, ensure_ascii=False))
    else:
        print(told(found), end="")
    if wrong := [check.source for check in found if check.faults]:
        raise HeldoutError(f"{len(wrong)} of {len(found)} looks found faults: {', '.join(dict.fromkeys(wrong))}")


def told(found: Sequence[Check]) -> str:
    """A line a look, and under the table what brings what is missing, and the first faults of each."""
    lines = [aligned(Table(HEADER, [_row(check) for check in found]))]
    lines += [f"{check.source}: {bringing(check.source)}\n" for check in found if check.missing]
    for check in found:
        lines += [f"{check.source}: {fault}\n" for fault in check.faults[:SHOWN]]
        if len(check.faults) > SHOWN:
            lines.append(f"{check.source}: … and {len(check.faults) - SHOWN} more\n")
    return "".join(lines)


def _checks(envs: Sequence[str], data: Path) -> Iterator[Check]:
    for name in envs:
        if name not in names():
            raise unknown("environment", name, names())
    with Progress("data check", len(envs)) as progress:
        for count, name in enumerate(envs, 1):
            yield from open_suite(name, Source()).checks(data)
            progress.show(count)


def _row(check: Check) -> tuple[str, ...]:
    figures = (check.there, check.good, check.unresolved, len(check.faults))
    return (check.source, check.what, *(["not there", "", "", ""] if check.missing else map(str, figures)))
