"""A job that is done often, and takes no more than its share of a core and of the time. Core but for the clocks it is given."""

import time
from collections.abc import Callable
from typing import Final

_SHARE_OF_A_CORE: Final = 0.25
_SHARE_OF_THE_TIME: Final = 0.5
"""Where the job waits for a slow database, or for a core: a database that is slow is not asked without a pause."""
_LONGEST_REST_SECONDS: Final = 15.0
"""Whatever a job took: once a day it may take half a minute, and the next is due sooner than that."""


def spared(
    job: Callable[[], None], clock: Callable[[], float] = time.monotonic, cpu: Callable[[], float] = time.thread_time
) -> Callable[[], None]:
    """`job`, for whoever calls it again and again: a call is left out while the last one has taken more than its share."""
    resting_until = clock()

    def do() -> None:
        nonlocal resting_until
        begun, cpu_before = clock(), cpu()
        if begun < resting_until:
            return
        try:
            job()
        finally:
            ended = clock()
            for_core = (cpu() - cpu_before) / _SHARE_OF_A_CORE - (ended - begun)
            for_time = (ended - begun) * (1 / _SHARE_OF_THE_TIME - 1)
            resting_until = ended + min(max(for_core, for_time), _LONGEST_REST_SECONDS)

    return do
