"""A job that is done often, and takes no more than its share of the time. Core but for the clock that it is given."""

import time
from collections.abc import Callable
from typing import Final

_SHARE: Final = 0.25
_LONGEST_REST_SECONDS: Final = 15.0
"""Whatever a job took: once a day it may take half a minute, and the next is due sooner than that."""


def spared(job: Callable[[], None], clock: Callable[[], float] = time.monotonic) -> Callable[[], None]:
    """`job`, for whoever calls it again and again: a call is left out while the last one has taken more than its share."""
    resting_until = clock()

    def do() -> None:
        nonlocal resting_until
        begun = clock()
        if begun < resting_until:
            return
        try:
            job()
        finally:
            ended = clock()
            resting_until = ended + min((ended - begun) * (1 / _SHARE - 1), _LONGEST_REST_SECONDS)

    return do
