"""`heldout bench train`: the seconds of a training step by part, and of its update, beside TRL."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from itertools import count
from json import dumps
from statistics import median

from heldout.agents import PLAYERS, agent_of, defaults_of, suites_of
from heldout.bench.steps import Work
from heldout.bench.train import OURS, TRL, Comparison, R, compare, ratio
from heldout.bench.trl import INSTALLED, Trl
from heldout.chains import Stage
from heldout.config import Config, with_overrides
from heldout.errors import BadCall
from heldout.printable import printable
from heldout.progress import Progress, figure
from heldout.records import Json
from heldout.reporting.tables import MISSING, Table, align
from heldout.training.job import Job

TASKS = 6
"""In a step: half of a training's, so that all is done in some minutes."""
FIXED = ("kl", "updates_per_batch", "temperature")
"""Settings of training that nobody changes here: no KL term, one update, the temperature of TRL's `generate`."""
WITHOUT_TRL = "trl: not installed (pip install 'heldout[dev]')"

STEP = {
    "SECONDS": "seconds",
    "PLAY": "play",
    "IN MODEL": "model",
    "UPDATE": "update",
    "BETWEEN": "between",
    "CPU S": "cpu_seconds",
    "TOKENS/S": "tokens_per_second",
    "TOKENS": "tokens",
    "TURNS": "turns",
    "LEARNED FROM": "learned",
}
UPDATE = {
    "SECONDS": "seconds",
    "CPU S": "cpu_seconds",
    "TRAINED/S": "trained_per_second",
    "READ/S": "read_per_second",
    "TRAINED": "trained",
    "READ": "read",
    "PADDING": "padding",
    "ROWS": "rows",
}
"""The columns, and the figures in them."""


RATIOS = {"seconds": "", "cpu_seconds": "by processor time "}
STEP_RATIOS = {**RATIOS, "seconds_a_token": "for each generated token "}
"""What is compared, and the words before it."""


def bench_train(
    *,
    model: str,
    env: str,
    difficulty: str,
    tasks: int | None,
    samples: int | None,
    rounds: int,
    seed: int,
    as_json: bool,
    settings: Sequence[str],
) -> None:
    """Trains one step a round, by us and by TRL in turn, and prints where the time went."""
    if model in PLAYERS:
        raise BadCall(f"{model!r} cannot be trained: name a model (pocket, a folder, or a Hugging Face name)")
    config = _config(model, {"tasks": tasks, "group_size": samples}, settings)
    stage = Stage((env,), difficulty)
    job = Job(
        base=agent_of(model).digest,
        chain=(stage,),
        suites=(suites_of(config)(env),),
        config=config,
        seed=seed,
    )
    work = Work(model=model, job=job, rounds=rounds)
    counted = count(1)
    with Progress("bench train") as progress:
        found = compare(
            work,
            Trl(work) if INSTALLED else None,
            lambda name, taken: progress.show(next(counted), last=name, seconds=taken.seconds),
        )
    print(dumps(report_as_json(found, work), indent=2) if as_json else printable(format_report(found, work)))


def report_as_json(found: Comparison, work: Work) -> dict[str, Json]:
    """The same for a program: of each approach the medians and the rounds; ratios are medians over pairs."""
    train = work.job.config.train
    return {
        "chain": work.job.name,
        "tasks": train.tasks,
        "group_size": train.group_size,
        "rounds": work.rounds,
        "limits": asdict(work.limits),
        "steps": {name: _rounds_as_json(steps, STEP) for name, steps in found.steps.items()},
        "updates": {name: _rounds_as_json(updates, UPDATE) for name, updates in found.updates.items()},
        "ratios": {
            f"{kind} to {name}": value
            for kind, ratios in (("step", _ratios(found.steps, STEP_RATIOS)), ("update", _ratios(found.updates)))
            for name, value in ratios.items()
        },
        "saving": found.saving,
        "machine": {"before": asdict(found.before), "after": asdict(found.after)},
    }


def format_report(found: Comparison, work: Work) -> str:
    """The steps, the updates, and what they come to."""
    train = work.job.config.train
    steps = Table(("A STEP", *STEP), [_row(name, rounds, STEP) for name, rounds in found.steps.items()])
    updates = Table(
        ("THE UPDATE ALONE", *UPDATE), [_row(name, rounds, UPDATE) for name, rounds in found.updates.items()]
    )
    lines = [
        align(steps),
        f"{align(updates)}\n{work.job.name}, {train.tasks} tasks, {train.group_size} samples each; "
        f"medians of {work.rounds} rounds in turn, one thread",
        f"the update alone learns from all {work.sequences} trajectories of our step",
        *(f"a step of {name} takes {_times(value)}" for name, value in _ratios(found.steps, STEP_RATIOS).items()),
        *(f"an update of {name} takes {_times(value)}" for name, value in _ratios(found.updates).items()),
        f"saving a checkpoint, which is in no step: {figure(found.saving)} s",
        f"machine before: {found.before}; after: {found.after}",
    ]
    return "\n".join([*lines, *([] if TRL in found.steps else [WITHOUT_TRL])])


def _config(model: str, flags: Mapping[str, int | None], settings: Sequence[str]) -> Config:
    """The model's defaults with fewer tasks and what all sides have, then flags and settings."""
    plain = defaults_of(model)
    plain = replace(plain, train=replace(plain.train, tasks=TASKS, kl=0.0, updates_per_batch=1, temperature=1.0))
    given = [f"train.{name}={value}" for name, value in flags.items() if value is not None]
    config = with_overrides(plain, [*given, *settings])
    for name in FIXED:
        has, asked = getattr(plain.train, name), getattr(config.train, name)
        if asked != has:
            raise BadCall(f"bench train compares with train.{name}={has}, not {asked}")
    return config


def _ratios(rounds: Mapping[str, Sequence[R]], columns: Mapping[str, str] = RATIOS) -> dict[str, dict[str, float]]:
    """How many times as long as ours the other approaches take, each way to count that is known."""
    return {
        name: {
            column: ratio(rounds[OURS], others, column)
            for column in columns
            if getattr(others[0], column) is not None
        }
        for name, others in rounds.items()
        if name != OURS
    }


def _times(ratios: Mapping[str, float]) -> str:
    first, *others = (f"{STEP_RATIOS[column]}{figure(value)}" for column, value in ratios.items())
    return f"{first} times as long" + (f" ({', '.join(others)})" if others else "")


def _rounds_as_json(rounds: Sequence[R], columns: Mapping[str, str]) -> dict[str, Json]:
    medians = {column: _median(rounds, column) for column in columns.values()}
    return {**medians, "rounds": [asdict(each) for each in rounds]}


def _row(name: str, rounds: Sequence[R], columns: Mapping[str, str]) -> tuple[str, ...]:
    return (name, *(_cell(column, _median(rounds, column)) for column in columns.values()))


def _cell(column: str, value: float | None) -> str:
    """A missing figure is a dash."""
    if value is None:
        return MISSING
    return f"{100 * value:.1f} %" if column == "padding" else figure(value)


def _median(rounds: Sequence[R], column: str) -> float | None:
    values = [getattr(each, column) for each in rounds]
    return None if None in values else median(values)
