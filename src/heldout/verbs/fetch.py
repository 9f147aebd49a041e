"""`heldout data list` and `heldout data fetch`: the official sources, and bringing one here."""

import os
from dataclasses import asdict
from json import dumps
from pathlib import Path

from heldout.data.catalogue import Source, source_of, sources
from heldout.data.fetch import Fetched, fetch, mirrored
from heldout.data.folder import VARIABLE, data_folder
from heldout.progress import Progress
from heldout.records import Json
from heldout.report.tables import Table, aligned

HEADER = ("FILE", "STATE", "SUM")


def data_list(*, as_json: bool) -> None:
    """Prints every source: its licence, what reads it, and how much of it is in the data folder."""
    data = data_folder() if os.environ.get(VARIABLE) else None
    found = [_entry(source, data) for source in sources()]
    if as_json:
        print(dumps(found, indent=2, ensure_ascii=False))
        return
    for entry in found:
        print(f"{entry['name']}: {entry['what']}")
        print(f"  licence  {entry['licence']}\n  from     {entry['home']}\n  read by  {entry['reads']}")
        print(f"  size     {_size(entry['bytes'])}\n  here     {entry['here']} of {entry['files']} files\n")
    if data is None:
        print(f"{VARIABLE} is not set: it names the folder that `heldout data fetch NAME` brings them to.")


def data_fetch(*, name: str, mirror: str | None, as_json: bool) -> None:
    """Brings those of a source's files that are not there, and prints how each stands."""
    source, data = source_of(name), data_folder()
    if not as_json:
        print(f"{source.name}: {source.what}\nlicence: {source.licence}; {source.home}", flush=True)
    done = list[Fetched]()
    for file in (mirrored(source, mirror) if mirror else source).files:
        with Progress(f"fetch {file.path}", file.bytes or None) as progress:
            done.append(fetch(source, file, data, progress.show))
    if as_json:
        print(dumps([asdict(one) for one in done], indent=2))
    else:
        print(aligned(Table(HEADER, [(one.path, _state(one), one.sum) for one in done])).rstrip())


def _entry(source: Source, data: Path | None) -> dict[str, Json]:
    """What a program is told of a source; `here` counts files, `bytes` is None where a length is not known."""
    return {
        "name": source.name,
        "what": source.what,
        "licence": source.licence,
        "home": source.home,
        "reads": source.reads,
        "files": len(source.files),
        "here": sum((data / file.path).exists() for file in source.files) if data else 0,
        "bytes": source.bytes or None,
    }


def _size(length: int | None) -> str:
    return "not known" if length is None else f"{length / 1e6:.2f} MB"


def _state(one: Fetched) -> str:
    return f"{one.state}; kept to hold later ones to" if one.first else one.state
