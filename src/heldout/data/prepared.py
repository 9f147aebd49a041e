"""What was made of fetched files, and of which: so that it can be told from what is stale."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from json import dumps, loads
from pathlib import Path

from heldout.data.sums import sum_of
from heldout.errors import HeldoutError

STAMPS = "prepared.json"
"""In the data folder: of each place what was put there, and what it was made of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What was put to a place."""

    sum: str
    rule: int
    """Which form of the making: another one may make something else of the same files."""
    made_of: dict[str, str]
    """The sum of each file that it was made of, by its place."""


def put_prepared(data: Path, made: dict[str, Path], sources: Sequence[str], rule: int) -> None:
    """Puts whole files to their places, with an account of what they were made of.

    The account comes first: after a stop in between, the places differ from it, and are stale.
    """
    taken = {source: sum_of(data / source) for source in sources}
    new = {place: Stamp(sum=sum_of(path), rule=rule, made_of=taken) for place, path in made.items()}
    _write(data, stamps(data) | new)
    for place, path in made.items():
        (data / place).parent.mkdir(parents=True, exist_ok=True)
        path.replace(data / place)


def stamps(data: Path) -> dict[str, Stamp]:
    """What was put into the data folder, by place."""
    path = data / STAMPS
    if not path.exists():
        return {}
    try:
        return {place: Stamp(**entry) for place, entry in loads(path.read_text("utf-8")).items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise HeldoutError(f"{path} is damaged ({error}): remove it, and what was made of fetched files") from None


def stale(data: Path, place: str, sources: Iterable[str], rule: int) -> str:
    """Why what lies at a place has to be made anew, of those sources; empty where it need not be.

    A source that is no longer there is no reason: what was made of it stays right.
    """
    stamp = stamps(data).get(place)
    if stamp is None or not (data / place).exists():
        return "it was not made here"
    if stamp.rule != rule:
        return "an older heldout made it"
    if sum_of(data / place) != stamp.sum:
        return "it is not what was made, or was stopped half-way"
    there = (source for source in sources if (data / source).exists())
    changed = [source for source in there if stamp.made_of.get(source) != sum_of(data / source)]
    return f"it was made of another {', '.join(changed)}" if changed else ""


def _write(data: Path, found: dict[str, Stamp]) -> None:
    entries = {place: {"sum": s.sum, "rule": s.rule, "made_of": s.made_of} for place, s in sorted(found.items())}
    partial = data / f".{STAMPS}.partial"
    with partial.open("w", encoding="utf-8") as file:
        file.write(dumps(entries, indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())
    partial.replace(data / STAMPS)
