"""Memory that was freed is taken again without a page fault."""

import platform
import subprocess
import sys
from typing import Final

import pytest

_MEASURED: Final = """
import resource, sys
from monitor.worker.kept_memory import keep_memory
if sys.argv[1] == "kept":
    assert keep_memory()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    blocks = [bytearray(b"x") * (5 << 20) for _ in range(8)]
    del blocks
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def _faults(how: str) -> int:
    return int(subprocess.run([sys.executable, "-c", _MEASURED, how], check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library has no mallopt")
def test_memory_is_kept() -> None:
    """Ten times 40 MiB: as many faults as the first time alone, where glibc by itself asks the system again and again."""
    assert _faults("kept") < 1.5 * (40 << 20) / 4096 < _faults("as it is")
