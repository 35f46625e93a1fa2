"""How long something took, on a machine that may stand still for a while."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_TICK: Final = 0.1
_STANDSTILL: Final = 1.0
"""A tick that comes so much too late was not late: nobody ran meanwhile."""


class Stopwatch:
    """Seconds that passed, but for those in which nothing ran on this machine (it was suspended, or stood still)."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._stood_still = 0.0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._begun - self._stood_still

    def tick_until(self, end: threading.Event) -> None:
        last = time.monotonic()
        while not end.wait(_TICK):
            now = time.monotonic()
            if now - last > _STANDSTILL:
                self._stood_still += now - last - _TICK
            last = now


@contextmanager
def stopwatch() -> Iterator[Stopwatch]:
    """Yields a stopwatch that runs; read it inside of the block."""
    watch, end = Stopwatch(), threading.Event()
    thread = threading.Thread(target=watch.tick_until, args=(end,), daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        end.set()
        thread.join()
