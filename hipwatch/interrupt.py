"""Ctrl-C while a command is still being loaded. Imports next to nothing: it is there before all the rest. Shell."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def dying_quietly() -> Iterator[None]:
    """Ctrl-C ends the process at once and without a word, as it does a program that handles no signals.

    A KeyboardInterrupt in the midst of an import would be a traceback of forty lines. Whoever has set Ctrl-C aside (nohup, a
    shell that started us in the background, a handler) keeps it so.
    """
    ours = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not ours:
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
