"""`heldout bench coverage`: how often our 95 % intervals hold the truth, where it is known."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from json import dumps
from statistics import fmean, median

from heldout.bench.coverage import Covered, Group, conditions, cover, group_of
from heldout.progress import Progress
from heldout.reporting.tables import Table, align

HEADER = ("OF", "SEEDS", "MEANS", "TASKS", "CONDITIONS", "LEAST", "MEDIAN", "MOST", "THIS RUN", "WIDTH")
NOTE = """\
LEAST, MEDIAN and MOST are of the conditions' shares, in per cent, of trials whose interval holds the truth over all
tasks and seeds; THIS RUN is the least share that holds that of the trained seeds alone; WIDTH is in points."""


def bench_coverage(*, trials: int, part: int, seed: int, as_json: bool) -> None:
    """Simulates every condition, or each so-many-th, and prints the shares."""
    asked = list(conditions())[::part]
    found = list[Covered]()
    with Progress("bench coverage", len(asked)) as progress:
        for condition in asked:
            found.append(cover(condition, trials, seed + len(found)))
            progress.show(len(found))
    if as_json:
        print(dumps([{**asdict(each.condition), **_figures(each)} for each in found], indent=2))
    else:
        print(align(_coverage_table(found)) + NOTE)


def _coverage_table(found: Iterable[Covered]) -> Table:
    """A line for means and for changes, each number of seeds, means near the ends or not, and number of tasks."""
    groups = defaultdict[Group, list[Covered]](list)
    for each in found:
        groups[group_of(each.condition)].append(each)
    order = sorted(groups, key=lambda group: (group[0], group[1], not group[2], group[3]))
    return Table(HEADER, [_line(group, groups[group]) for group in order], keys=4)


def _line(group: Group, own: Sequence[Covered]) -> tuple[str, ...]:
    is_change, seeds, middle, tasks = group
    shares = [each.share for each in own]
    return (
        "change" if is_change else "mean",
        str(seeds),
        "10 to 90" if middle else "2, 98",
        str(tasks),
        str(len(own)),
        *(f"{100 * share:.1f}" for share in (min(shares), median(shares), max(shares))),
        f"{100 * min(each.of_run for each in own):.1f}",
        f"{fmean(each.width for each in own):.1f}",
    )


def _figures(each: Covered) -> dict[str, float]:
    return {"share": each.share, "of_run": each.of_run, "width": each.width}
