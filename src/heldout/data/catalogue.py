"""The official sources of the real tasks' data: what each is, its licence, and where its files are to lie."""

from dataclasses import dataclass
from importlib.resources import files
from json import loads

from heldout.errors import unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file, or an archive of which a folder is kept."""

    path: str
    """Its place in the data folder: a file, or the folder that an archive is unpacked to."""
    url: str
    """`https://…`, or `hf://datasets/OWNER/NAME@REVISION/PATH` for a file at Hugging Face."""
    bytes: int = 0
    """How long it is; 0 where that is not known."""
    sum: str = ""
    """`sha256:…` of the file, or `git:…` as git names it; empty where that is not known."""
    inside: str = ""
    """Of an archive, the folder in it that is kept, `.` for all; a path that ends in `.tar.xz` packs it again."""
    contents: str = ""
    """`sha256:…` over the names and sums of the files of that folder; empty where that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What one `heldout data fetch` brings."""

    name: str
    what: str
    licence: str
    home: str
    """Where people read about it."""
    reads: str
    """Which environment reads it, and in which form."""
    files: tuple[File, ...]

    @property
    def bytes(self) -> int:
        """How much of it is known to be downloaded; 0 where that of a file is not known."""
        return sum(file.bytes for file in self.files) if all(file.bytes for file in self.files) else 0


def sources() -> list[Source]:
    """Every source, in the order of the catalogue."""
    text = files("heldout.data").joinpath("catalogue.json").read_text("utf-8")
    return [
        Source(**{**source, "files": tuple(File(**file) for file in source["files"])}) for source in loads(text)
    ]


def source_of(name: str) -> Source:
    """The source of that name."""
    found = {source.name: source for source in sources()}
    if name not in found:
        raise unknown("source", name, found)
    return found[name]


def fetching(path: str) -> str | None:
    """The command that brings what lies at that place in the data folder; None where no source does."""
    for source in sources():
        if any(file.path == path for file in source.files):
            return f"heldout data fetch {source.name}"
    return None
