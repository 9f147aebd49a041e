"""How processes are started that whoever starts them ends: a stop never reaches one half way."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import parent_process, resource_tracker
from multiprocessing.connection import wait
from threading import Thread

from heldout.stops import held_back


@contextmanager
def without_interrupts() -> Iterator[None]:
    """A process that is started in here never hears Ctrl-C: whoever started it ends it.

    A stop that comes meanwhile is heard at the end: a process that is left while it reads what it is to do would
    say so in a traceback.
    """
    # Started with the first process, the tracker would unblock SIGINT on its way, and that process would hear it.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        with held_back():
            yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_with_caller() -> None:
    """From now on this process ends at once where its caller is killed, which closes nothing in good order."""
    Thread(target=_wait_for_caller, daemon=True).start()


def _wait_for_caller() -> None:
    caller = parent_process()
    assert caller
    wait([caller.sentinel])
    os._exit(1)
