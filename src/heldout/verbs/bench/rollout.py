"""`heldout bench rollout`: the speed of our engine beside `generate`'s, or our padded one's."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from json import dumps
from statistics import median

from heldout.agents import PLAYERS, defaults_of, suites_of
from heldout.bench.rollout import Comparison, Run, Work, compare
from heldout.config import with_overrides
from heldout.errors import BadCall
from heldout.printable import printable
from heldout.progress import Progress, figure
from heldout.records import Json
from heldout.reporting.tables import Table, align

HEADER = ("ENGINE", "TOKENS/S", "PER CPU S", "EPISODES/S", "OUTSIDE MODEL", "TOKENS", "TURNS", "IDS AN EPISODE")


def bench_rollout(
    *,
    model: str,
    env: str,
    in_flight: int,
    episodes: int | None,
    rounds: int,
    seed: int,
    rival: str,
    as_json: bool,
    settings: Sequence[str],
) -> None:
    """Plays the same episodes with both engines in turn, and prints their speeds; K is the environment's own."""
    if model in PLAYERS:
        raise BadCall(f"{model!r} generates no tokens: name a model (pocket, a folder, or a Hugging Face name)")
    config = with_overrides(defaults_of(model), settings)
    suite = suites_of(config)(env)
    work = Work(
        suite=suite,
        limits=replace(config.limits, max_turns=suite.max_turns),
        episodes=episodes or 2 * in_flight,
        in_flight=in_flight,
        rounds=rounds,
        seed=seed,
        rival=rival,
    )
    with Progress("bench rollout", 2 * rounds) as progress:
        found = compare(model, work, lambda runs, run: progress.show(runs, tokens_per_second=run.tokens_per_second))
    print(dumps(report_as_json(found, work), indent=2) if as_json else printable(format_report(found, work)))


def report_as_json(found: Comparison, work: Work) -> dict[str, Json]:
    """The same for a program: speeds are medians over rounds, `ratio` the median of the rounds' ratios."""
    return {
        "env": work.suite.name,
        "in_flight": work.in_flight,
        "rounds": work.rounds,
        "limits": asdict(work.limits),
        "ratio": found.ratio,
        "cpu_ratio": found.cpu_ratio,
        "ours": _speeds(found.ours),
        work.rival: _speeds(found.rival),
        "machine": {"before": asdict(found.before), "after": asdict(found.after)},
    }


def format_report(found: Comparison, work: Work) -> str:
    """One line an engine, then what they come to and how the machine was."""
    table = Table(HEADER, [_row("heldout", found.ours), _row(work.rival, found.rival)])
    return (
        f"{align(table)}\n{work.suite.name}, {work.episodes} episodes, {work.in_flight} in flight, "
        f"medians of {work.rounds} rounds in turn, one thread\n"
        f"ratio of tokens/s: {figure(found.ratio)} (by processor time {figure(found.cpu_ratio)})\n"
        f"machine before: {found.before}; after: {found.after}"
    )


def _speeds(runs: Sequence[Run]) -> dict[str, Json]:
    return {
        name: median(getattr(run, name) for run in runs)
        for name in ("tokens_per_second", "tokens_per_cpu_second", "episodes_per_second", "outside")
    } | {"runs": [asdict(run) for run in runs]}


def _row(engine: str, runs: Sequence[Run]) -> tuple[str, ...]:
    speeds, first = _speeds(runs), runs[0]
    return (
        engine,
        figure(speeds["tokens_per_second"]),
        figure(speeds["tokens_per_cpu_second"]),
        figure(speeds["episodes_per_second"]),
        f"{100 * speeds['outside']:.1f} %",
        str(first.tokens),
        str(first.turns),
        f"{first.length:.0f}",
    )
