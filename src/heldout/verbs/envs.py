"""`heldout envs`: which environments there are, and what they are like."""

from collections.abc import Sequence
from dataclasses import asdict

from heldout.config import Config, with_overrides
from heldout.envs.base import Suite
from heldout.envs.registry import names, open_suite
from heldout.printable import printable_json, printable_line
from heldout.records import Json
from heldout.reporting.tables import Table, align

MARKS = {True: "✓", False: "✗"}
HEADER = ("NAME", "TYPE", "DEN.", "VAL.", "ACT.", "KNWL.", "STR.", "K", "TRAIN", "TEST")
LEGEND = "DEN. dense reward · VAL. strict form · ACT. actions listed · KNWL. world knowledge · STR. structured text"


def envs(*, as_json: bool, settings: Sequence[str]) -> None:
    """Prints one entry for each environment."""
    source = with_overrides(Config(), settings).source
    entries = [_entry(open_suite(name, source)) for name in names()]
    if as_json:
        print(printable_json(entries))
        return
    print(align(Table(HEADER, [_row(item) for item in entries])))
    print(LEGEND)
    for item in entries:
        print("\n" + "\n  ".join(map(printable_line, (f"{item['name']}: {item['source']}", *item["actions"]))))


def _entry(suite: Suite) -> dict[str, Json]:
    """What a program is told of one environment."""
    return {
        "name": suite.name,
        "type": suite.kind,
        "traits": asdict(suite.traits),
        "actions": list(suite.actions),
        "max_turns": suite.max_turns,
        "tasks": {split: len(suite.tasks(split)) for split in ("train", "test")},
        "source": suite.source,
    }


def _row(item: dict[str, Json]) -> tuple[str, ...]:
    marks = (MARKS[value] for value in item["traits"].values())
    tasks = item["tasks"]
    figures = (str(item["max_turns"]), str(tasks["train"]), str(tasks["test"]))
    return (item["name"], item["type"], *marks, *figures)
