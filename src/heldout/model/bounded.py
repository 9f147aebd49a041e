"""A text that a program of others makes, such as a chat template, made by a process of its own that has bounds.

jinja2's sandbox keeps a template away from files and attributes, and lets it loop, multiply and pad as it likes.
What bounds a forked process bounds all of that; nothing is looked for in the template.
"""

import os
import resource
import select
import signal
import warnings
from collections.abc import Callable
from json import dumps, loads
from pathlib import Path
from time import monotonic

from heldout.errors import BadCall, in_one_line

PROCESSOR_SECONDS = 2
"""Processor time that a text may take."""
SECONDS = 60.0
"""Time that may pass until it is there, on a machine that is busy with other work."""
BYTES = 256 << 20
"""Memory that it may take, beyond what is held already."""
CHARACTERS = 1_000_000
"""How long it may be."""


def bounded(make: Callable[[], str], what: str) -> str:
    """What `make` returns; raises `BadCall`, beginning with `what`, for what it raises and for each bound."""
    reading, writing = os.pipe()
    child = _fork()
    if not child:
        _answer(make, writing)
    os.close(writing)
    answer = None
    try:
        answer = _read(reading)
    finally:
        os.close(reading)
        if answer is None:
            os.kill(child, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if answer is None:
        raise BadCall(f"{what}: it was not done in {SECONDS:.0f} s")
    if status:
        spent = status in (-signal.SIGXCPU, -signal.SIGKILL)
        bound = f"{PROCESSOR_SECONDS} s of processor time" if spent else f"{BYTES >> 20} MiB"
        raise BadCall(f"{what}: it takes more than {bound}")
    value = loads(answer)
    if "error" in value:
        raise BadCall(f"{what}: {value['error']}")
    return str(value["text"])


def _fork() -> int:
    """A copy of this process, with this thread alone: what it does needs no lock that another one may hold."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python's, of forks beside threads
        return os.fork()


def _answer(make: Callable[[], str], writing: int) -> None:
    """The child's life: it never returns, and cleans up nothing of the process that it was copied from."""
    try:
        _set_limits()
        try:
            text = make()
            too_long = f"it makes a text of more than {CHARACTERS:,} characters"
            value = {"error": too_long} if len(text) > CHARACTERS else {"text": text}
        except MemoryError:
            value = {"error": f"it takes more than {BYTES >> 20} MiB"}
        except Exception as error:  # a program of others: jinja's errors, and Python's from inside it
            value = {"error": in_one_line(error)[:1000]}
        left = memoryview(dumps(value).encode())
        while left:
            left = left[os.write(writing, left) :]
        os._exit(0)
    finally:
        os._exit(1)


def _set_limits() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS))
    held = Path("/proc/self/statm")
    if held.exists():  # elsewhere the time alone bounds the memory
        most = int(held.read_text("ascii").split()[0]) * resource.getpagesize() + BYTES
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _read(reading: int) -> bytes | None:
    """All that the child writes; None where it is not done in time."""
    end, answer = monotonic() + SECONDS, bytearray()
    while select.select([reading], [], [], max(0.0, end - monotonic()))[0]:
        chunk = os.read(reading, 1 << 16)
        if not chunk:
            return bytes(answer)
        answer += chunk
    return None
