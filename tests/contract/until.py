"""Wait on a condition."""

import time
from collections.abc import Callable
from typing import Final

PATIENCE: Final = 120.0
"""Seconds; far more than anything takes, for the machine may be busy."""


def until(
    condition: Callable[[], object], *, doing: Callable[[], object] = lambda: time.sleep(0.05), seconds: float = PATIENCE
) -> float:
    """Repeat `doing` until the condition holds; how many seconds that took."""
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start > seconds:
            raise AssertionError(f"did not come true within {seconds:.0f} s")
        doing()
    return time.monotonic() - start
