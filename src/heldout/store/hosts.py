"""Which machine and process this is, as others on a shared disk see it, and whether another process is gone."""

import os
import re
import socket
import sys
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from pathlib import Path

from heldout.errors import HeldoutError


@cache
def host() -> str:
    """Names this machine since it was started: its name, and a hash of that, its boot and its space of processes.

    Two containers with one name, or a machine before and after a restart, are different hosts: the number of a
    process means nothing in the other.
    """
    name = socket.gethostname()
    parts = [name, _text("/proc/sys/kernel/random/boot_id"), _link("/proc/self/ns/pid")]
    return f"{name.partition('.')[0]}-{sha256('/'.join(parts).encode()).hexdigest()[:8]}"


def host_digits() -> str:
    """Eight digits of it, for names of files."""
    return host()[-8:]


def began(process: int) -> str:
    """When a process of this host began, by a clock of the system's own; empty where it does not tell."""
    parts = _text(f"/proc/{process}/stat").rpartition(")")[2].split()
    return parts[19] if len(parts) > 19 else ""


def is_gone(process: int, beginning: str = "") -> bool:
    """Whether a process of this host has ended; another one may have its number by now."""
    if sys.platform == "win32":  # where the same call ends the process
        raise HeldoutError("heldout runs on Linux and macOS; on Windows run it in WSL")
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return bool(beginning and began(process)) and began(process) != beginning


def peak_bytes(processes: Iterable[int]) -> int:
    """The most memory that processes of this host ever had, together; 0 where the system does not tell."""
    found = (re.search(r"^VmHWM:\s+(\d+) kB", _text(f"/proc/{each}/status"), re.MULTILINE) for each in processes)
    return sum(1024 * int(match[1]) for match in found if match)


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:  # another system than Linux, or a process that is gone
        return ""


def _link(path: str) -> str:
    try:
        return str(Path(path).readlink())
    except OSError:
        return ""
