"""Wait for a condition, not for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")


def until(get: Callable[[], Value], holds: Callable[[Value], bool], what: str, seconds: float, every: float = 0.5) -> Value:
    """The first value that `holds`. Fails naming `what` and the last value."""
    end = time.monotonic() + seconds
    while not holds(value := get()):
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds:.0f} s in vain until {what}; last: {str(value)[-2000:]}")
        time.sleep(every)
    return value
