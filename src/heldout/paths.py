"""Names from outside that become paths: whether one stays in the folder that it is put in."""

from pathlib import PurePosixPath, PureWindowsPath


def stays_inside(name: str) -> bool:
    """Whether a relative name, by its words alone, leads to something below its folder, on any system.

    Not looked at is what lies there: a link may lead elsewhere, as in Hugging Face's cache.
    """
    path, there = PurePosixPath(name), PureWindowsPath(name)
    is_absolute = path.is_absolute() or bool(there.drive or there.root)
    return bool(path.parts) and not is_absolute and ".." not in there.parts and "\0" not in name
