"""A process, and what it costs by the operating system's account. Shell; Linux."""

import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from schemas.errors import HipwatchError

_PATIENCE_SECONDS: Final = 1_800.0
_LAST_LINES: Final = 20
"""Of a contestant's log; the log itself goes with the folder."""
_LOOK_SECONDS: Final = 0.1
_OF_A_PROCESS: Final = 2
"""Linux: the clock of a process's CPU time is ~pid << 3 | 2, as clock_getcpuclockid(3) makes it."""


class ContestantFailed(HipwatchError):
    """A process ended with an error, or before it had done everything."""


class Running:
    """A process that runs until it ends by itself or is stopped; a context manager that leaves none behind."""

    def __init__(self, command: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> None:
        self._command = " ".join(command[:4])
        self._log = log
        self.begun = time.monotonic()
        with log.open("ab") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=output, env={**os.environ, **(env or {})})
        self._usage: resource.struct_rusage | None = None
        self._peak_mib = 0.0

    def cpu_seconds(self) -> float:
        """Of the whole process, its threads too, up to now or to its end."""
        if self._usage is not None:
            return self._usage.ru_utime + self._usage.ru_stime
        return time.clock_gettime(~self._process.pid << 3 | _OF_A_PROCESS)

    def share_of_a_core(self, doing: Callable[[], object]) -> float:
        """How much of one it takes while `doing` goes on."""
        begun, before = time.monotonic(), self.cpu_seconds()
        doing()
        return (self.cpu_seconds() - before) / (time.monotonic() - begun)

    def peak_mib(self) -> float:
        """Of memory, up to the last look; what getrusage says would be at least what we had ourselves when we started it."""
        return self._peak_mib

    def memory_mib(self) -> float:
        """Of memory now."""
        return self._memory("VmRSS")

    def ended(self) -> bool:
        """Whether it has. Raises ContestantFailed when it has with an error."""
        if self._usage is None:
            ended, status, usage = os.wait4(self._process.pid, os.WNOHANG)
            if ended:
                self._usage, self._process.returncode = usage, os.waitstatus_to_exitcode(status)
            else:
                self._peak_mib = max(self._peak_mib, self._memory("VmHWM"))
        if self._process.returncode:
            raise self._failed()
        return self._usage is not None

    def wait_until(self, done: Callable[[], bool]) -> float:
        """Wait until something is done; seconds from the start. Raises ContestantFailed when the process ends before."""
        while not done():
            if self.ended():
                raise self._failed()
            self._be_patient()
        self.ended()
        return time.monotonic() - self.begun

    def wait(self) -> float:
        """Wait until it ends by itself; seconds from the start."""
        while not self.ended():
            self._be_patient()
        return time.monotonic() - self.begun

    def stop(self) -> None:
        """Tell it to end, and wait for that."""
        self.ended()
        os.kill(self._process.pid, signal.SIGTERM)
        self.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._usage is None:
            self._process.kill()
            self._process.wait()

    def _be_patient(self) -> None:
        if time.monotonic() - self.begun > _PATIENCE_SECONDS:
            raise TimeoutError(f"{self._command} did not end; see {self._log}")
        time.sleep(_LOOK_SECONDS)

    def _memory(self, name: str) -> float:
        lines = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii").splitlines()
        found = (int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))
        return next(found, 0) / 1024  # a process that is ending has none

    def _failed(self) -> ContestantFailed:
        last = self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:]
        return ContestantFailed("\n".join([f"{self._command} ended with {self._process.returncode}:", *last]))


def measured(command: Sequence[str], log: Path) -> tuple[float, float, float]:
    """Run a command until it ends: its CPU seconds, wall seconds and peak MiB. Raises ContestantFailed on an error."""
    with Running(command, log) as running:
        seconds = running.wait()
        return running.cpu_seconds(), seconds, running.peak_mib()
