"""`heldout data list` and `heldout data fetch`: the official sources, and bringing some here."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from json import dumps
from pathlib import Path

from heldout.data.catalogue import Source, source_of, sources
from heldout.data.fetch import Fetched, fetch, from_mirror
from heldout.data.folder import VARIABLE, data_folder
from heldout.data.sums import read_lock
from heldout.envs.registry import names
from heldout.printable import printable, printable_json
from heldout.progress import Progress
from heldout.records import Json
from heldout.reporting.tables import Table, align
from heldout.verbs.data import format_states, states
from heldout.verbs.prepare import prepare_env

HEADER = ("FILE", "STATE", "SUM")


def data_list(*, as_json: bool) -> None:
    """Prints every source: its licence, what reads it, how much of it is here; then what can be played."""
    data = data_folder() if os.environ.get(VARIABLE) else None
    found = [_entry(source, data) for source in sources()]
    playable = states(names(), data) if data else []
    if as_json:
        lists = {"sources": found, "environments": [asdict(state) for state in playable]}
        print(printable_json(lists))
        return
    for entry in found:
        print(f"{entry['name']}: {entry['what']}")
        print(f"  licence  {entry['licence']}\n  from     {entry['home']}\n  read by  {entry['reads']}")
        print(f"  size     {_size(entry['bytes'])}\n  here     {entry['here']} of {entry['files']} files")
        print(f"  sums     {_sums(entry)}\n")
    print(printable(format_states(playable)), end="")
    if data is None:
        print(f"{VARIABLE} is not set: it names the folder that `heldout data fetch NAME` brings them to.")


def data_fetch(*, wanted: Sequence[str], mirror: str | None, as_json: bool) -> None:
    """Brings what of some sources is not there, makes what is read of it, and prints how each file stands."""
    chosen, data = [source_of(name) for name in dict.fromkeys(wanted)], data_folder()
    done = [one for source in chosen for one in _fetch_all(source, data, mirror, quiet=as_json)]
    made = [place for source in chosen if source.makes for place in prepare_env(source.name, data)]
    if as_json:
        print(
            dumps([*(asdict(one) for one in done), *({"path": place, "state": "made"} for place in made)], indent=2)
        )
        return
    rows = [*((one.path, _state(one), one.sum) for one in done), *((place, "made", "") for place in made)]
    print(align(Table(HEADER, rows)).rstrip())


def _fetch_all(source: Source, data: Path, mirror: str | None, *, quiet: bool) -> Iterator[Fetched]:
    if not quiet:
        print(f"{source.name}: {source.what}\nlicence: {source.licence}; {source.home}", flush=True)
        known = read_lock(data)
        if trusted := [place for place in source.trusted if place not in known and not (data / place).exists()]:
            print(f"first fetch is trusted, since no sum is known: {', '.join(trusted)}", flush=True)
    for file in (from_mirror(source, mirror) if mirror else source).files:
        with Progress(f"fetch {file.path}", file.bytes or None) as progress:
            yield fetch(source, file, data, progress.show)


def _entry(source: Source, data: Path | None) -> dict[str, Json]:
    """What a program is told of a source; `here` counts files, `bytes` is None where a length is not known."""
    return {
        "name": source.name,
        "what": source.what,
        "licence": source.licence,
        "home": source.home,
        "reads": source.reads,
        "files": len(source.files),
        "first_fetch_trusted": list(source.trusted),
        "here": sum((data / file.path).exists() for file in source.files) if data else 0,
        "bytes": source.bytes or None,
    }


def _sums(entry: dict[str, Json]) -> str:
    """How it is known that its files are the right ones."""
    trusted, files = len(entry["first_fetch_trusted"]), entry["files"]
    if not trusted:
        return "all known"
    return f"first fetch is trusted{'' if trusted == files else f', of {trusted} of {files} files'}"


def _size(length: int | None) -> str:
    return "not known" if length is None else f"{length / 1e6:.2f} MB"


def _state(one: Fetched) -> str:
    return f"{one.state}; first fetch is trusted, later ones are held to its sum" if one.first else one.state
