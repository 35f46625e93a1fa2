"""Look after files that may change while a process runs, every few seconds and at once on SIGHUP. Shell: one thread."""

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, Protocol

log = logging.getLogger(__name__)
LOOK_EVERY_SECONDS: Final = 15.0
"""A change is in use after two looks, so within a minute, and the files are small."""


class Live(Protocol):
    """What is read from files, and read again when they have changed."""

    def refresh(self, *, at_once: bool = False) -> None:
        """Look at the files. A change that was asked for is taken at once, another when two looks have found it the same."""


@contextmanager
def watching(*lives: Live, every: float = LOOK_EVERY_SECONDS) -> Iterator[None]:
    """Refresh all every so many seconds, and at once when SIGHUP comes (to a main thread; others have no signals)."""
    wake, leaving = threading.Event(), threading.Event()

    def look() -> None:
        while True:
            asked = wake.wait(every)
            wake.clear()
            if leaving.is_set():
                return
            for live in lives:
                try:
                    live.refresh(at_once=asked)
                except Exception:  # whatever it is, what is in use stays, and the next look may succeed
                    log.exception("the files could not be looked at")

    def ask(_number: int, _frame: FrameType | None) -> None:
        wake.set()

    in_main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGHUP, ask) if in_main else None
    thread = threading.Thread(target=look, name="file-watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        leaving.set()
        wake.set()
        thread.join()
        if in_main:
            signal.signal(signal.SIGHUP, before)
