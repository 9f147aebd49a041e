"""How processes are started that whoever starts them ends: a stop never reaches one half way."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker

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
