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
    most: int = 0
    """Bytes that it may have where its length is not known, or that are taken of an archive; 0 is the default."""
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
    makes: tuple[str, ...] = ()
    """Places of what is made of its files once they are here, by the environment of its name."""

    @property
    def trusted(self) -> tuple[str, ...]:
        """The files of which no sum is known: the first fetch of each is trusted, and later ones are held to it."""
        return tuple(file.path for file in self.files if not (file.sum or file.contents))

    @property
    def bytes(self) -> int:
        """How much of it is known to be downloaded; 0 where that of a file is not known."""
        return sum(file.bytes for file in self.files) if all(file.bytes for file in self.files) else 0


def sources() -> list[Source]:
    """Every source, in the order of the catalogue."""
    text = files("heldout.data").joinpath("catalogue.json").read_text("utf-8")
    return [
        Source(
            **{**source, "files": tuple(File(**file) for file in source["files"])}
            | {"makes": tuple(source.get("makes", ()))}
        )
        for source in loads(text)
    ]


def source_of(name: str) -> Source:
    """The source of that name."""
    found = {source.name: source for source in sources()}
    if name not in found:
        raise unknown("source", name, found)
    return found[name]


def fetching(*places: str) -> str | None:
    """The one command that brings what lies at those places in the data folder; None where no source has one."""
    found = [source_bringing(place) for place in places]
    names = dict.fromkeys(each[0].name for each in found if each)
    return f"heldout data fetch {' '.join(names)}" if names and all(found) else None


def source_bringing(place: str) -> tuple[Source, str] | None:
    """The source that has what lies at a place, and that of its own places which is or holds it."""
    for source in sources():
        for own in (*(file.path for file in source.files), *source.makes):
            if place == own or place.startswith(f"{own}/"):
                return source, own
    return None
