"""Wait on a condition."""

import time
from collections.abc import Callable

PATIENCE: float = 60.0
"""Seconds; far more than anything takes, for the machine may be busy."""


def until(condition: Callable[[], object], *, doing: Callable[[], object] = lambda: time.sleep(0.05)) -> float:
    """Repeat `doing` until the condition holds; how many seconds that took."""
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start > PATIENCE:
            raise AssertionError(f"did not come true within {PATIENCE:.0f} s")
        doing()
    return time.monotonic() - start
