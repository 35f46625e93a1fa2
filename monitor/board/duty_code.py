"""The duty code: whoever knows it takes part; whoever guesses soon has to wait. Shell: the clock.

The code is shared, so its tries are counted for all senders together: whoever guesses keeps the others from the form too, for as
long as he goes on, and `hipwatch incidents ack` is left to them. The count is held in memory: each `serve` has its own.
"""

import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from math import ceil
from typing import Final

WRONG_TRIES: Final = 5
WITHIN_SECONDS: Final = 300.0


class TooManyTriesError(Exception):
    """The code was wrong too often of late; after `seconds` it may be tried again."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class DutyCode:
    """A code, and when it was wrong. Any number of threads may ask: of many at once no more are let through."""

    def __init__(self, code: str, now: Callable[[], float] = time.monotonic) -> None:
        self._code = code.encode()
        self._now = now
        self._lock = threading.Lock()
        self._wrong: deque[float] = deque(maxlen=WRONG_TRIES)

    def is_right(self, given: str) -> bool:
        """Whether it is the code. Raises TooManyTriesError, whatever was given, after `WRONG_TRIES` wrong ones."""
        with self._lock:
            now = self._now()
            if len(self._wrong) == WRONG_TRIES and (left := self._wrong[0] + WITHIN_SECONDS - now) > 0:
                raise TooManyTriesError(ceil(left))
            right = secrets.compare_digest(given.encode(), self._code)
            if not right:
                self._wrong.append(now)
            return right
