"""Look after the register's files while a process runs, and at once on SIGHUP. Shell: one thread."""

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from schemas.register.live import LiveRegister

log = logging.getLogger(__name__)
LOOK_EVERY_SECONDS: Final = 15.0
"""A change is in use after two looks, so within a minute, and the files are small."""


@contextmanager
def watching(live: LiveRegister, every: float = LOOK_EVERY_SECONDS) -> Iterator[None]:
    """Refresh `live` every so many seconds, and at once when SIGHUP comes (to a main thread; others have no signals)."""
    wake, leaving = threading.Event(), threading.Event()

    def look() -> None:
        while True:
            asked = wake.wait(every)
            wake.clear()
            if leaving.is_set():
                return
            try:
                live.refresh(at_once=asked)
            except Exception:  # whatever it is, the register in use stays, and the next look may succeed
                log.exception("the register could not be looked at")

    def ask(_number: int, _frame: FrameType | None) -> None:
        wake.set()

    in_main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGHUP, ask) if in_main else None
    thread = threading.Thread(target=look, name="register-watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        leaving.set()
        wake.set()
        thread.join()
        if in_main:
            signal.signal(signal.SIGHUP, before)
