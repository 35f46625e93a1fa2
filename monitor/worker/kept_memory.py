"""Memory that a batch has freed is kept for the next one. Shell: glibc.

glibc gives large blocks back to the system and asks for them anew, by thresholds that it finds by itself, and it keeps a heap
of its own for each thread. A page that comes anew costs a fault: where machines are virtual, those of its first batches
cost a worker as much as three hundred thousand events. Another C library, or another system, does as it does.
"""

import ctypes
from typing import Final

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""What mallopt(3) calls M_TRIM_THRESHOLD, M_MMAP_THRESHOLD and M_ARENA_MAX."""
_OPTIONS: Final = {
    _TRIM_THRESHOLD: 64 << 20,  # more than a batch frees
    _MMAP_THRESHOLD: 32 << 20,  # the most that glibc takes
    _ARENA_MAX: 1,  # a batch is read in one thread and written in another, never in both at once
}


def keep_memory() -> bool:
    """From now on, in this process; call it before there are threads. Whether the C library knows how."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # the last is Windows'
        return False
    taken = [mallopt(option, value) for option, value in _OPTIONS.items()]
    return all(taken)
