"""Child processes of the local stack: start, watch, restart, stop. Shell.

Invariant: every process started here ends with us, on Ctrl-C, on an error and, where the system can do it, on kill -9.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from schemas.errors import HipwatchError

_STOP_SECONDS: Final = 10
_QUICK_DEATH_SECONDS: Final = 5.0
_MOST_QUICK_DEATHS: Final = 3
LOOPBACK: Final = "127.0.0.1"


@dataclass
class _Child:
    """A process and how to start it again. `restart`: whether it is started again when it dies."""

    name: str
    command: Sequence[str]
    log: Path
    restart: bool
    env: Mapping[str, str]
    process: "subprocess.Popen[bytes]"
    started: float
    quick_deaths: int = 0
    restarts: int = field(default=0)


class Processes:
    """The processes of one run; a context manager that stops them all, last started first."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._children: list[_Child] = []
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._watcher: threading.Thread | None = None
        self.failure: HipwatchError | None = None
        logs.mkdir(parents=True, exist_ok=True)

    def start(self, name: str, command: Sequence[str], *, restart: bool = False, env: Mapping[str, str] | None = None) -> None:
        """Start a process; its output goes to `<logs>/<name>.log`. With `restart`, it is started again when it dies."""
        log = self._logs / f"{name}.log"
        whole_env = {**os.environ, **(env or {})}
        child = _Child(name, command, log, restart, whole_env, _spawn(command, log, whole_env), time.monotonic())
        with self._lock:
            self._children.append(child)
        if self._watcher is None:
            self._watcher = threading.Thread(target=self._watch, name="processes", daemon=True)
            self._watcher.start()

    def restarts(self, name: str) -> int:
        """How often a process had to be started again."""
        with self._lock:
            return sum(child.restarts for child in self._children if child.name == name)

    def check(self) -> None:
        """Raise HipwatchError when a process has died that is not, or no longer, started again."""
        if self.failure is not None:
            raise self.failure

    def wait_until(self, ready: Callable[[], bool], what: str, seconds: float) -> None:
        """Wait for a condition. Raises HipwatchError naming `what` when time is up or a process died."""
        end = time.monotonic() + seconds
        while not ready():
            self.check()
            if time.monotonic() > end:
                raise HipwatchError(f"{what} did not come up within {seconds:.0f} s; see the logs in {self._logs}")
            time.sleep(0.05)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stopping.set()
        with self._lock:
            for child in reversed(self._children):
                _stop(child.process)

    def _watch(self) -> None:
        while not self._stopping.wait(0.1):
            with self._lock:
                for child in self._children:
                    if child.process.poll() is not None and not self._stopping.is_set() and self.failure is None:
                        self._restart_or_give_up(child)

    def _restart_or_give_up(self, child: _Child) -> None:
        by_itself = child.process.returncode > 0  # negative: killed by a signal, from outside; 0: told to end
        quick = by_itself and time.monotonic() - child.started < _QUICK_DEATH_SECONDS
        child.quick_deaths = child.quick_deaths + 1 if quick else 0
        if not child.restart or child.quick_deaths >= _MOST_QUICK_DEATHS:
            self.failure = HipwatchError(_last_words(child))
            return
        child.restarts += 1
        child.started = time.monotonic()
        child.process = _spawn(child.command, child.log, child.env)


def _last_words(child: _Child) -> str:
    code = child.process.returncode
    if code < 0:
        return f"{child.name} was ended by {signal.Signals(-code).name}"
    return f"{child.name} ended with code {code}: {_last_line(child.log) or 'it printed nothing'}"


def hipwatch_command(*arguments: str) -> list[str]:
    """The command line of a hipwatch subcommand, with this interpreter."""
    return [sys.executable, "-m", "hipwatch", *arguments]


def free_port(preferred: int = 0) -> int:
    """A port that is free on loopback now: `preferred` if it is, any other one else."""
    for port in (preferred, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((LOOPBACK, port))
            found: int = probe.getsockname()[1]
            return found
    raise HipwatchError("no port is free on 127.0.0.1")


def answers(port: int) -> bool:
    """Whether something listens on that loopback port."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=0.2).close()
    except OSError:
        return False
    return True


def _spawn(command: Sequence[str], log: Path, env: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    setpriv = shutil.which("setpriv")  # util-linux: the kernel then ends the child when we are killed
    prefix = [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []
    with log.open("ab") as output:
        try:
            return subprocess.Popen(
                [*prefix, *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=env,
                start_new_session=True,  # Ctrl-C is for us; we stop the children in order
            )
        except OSError as error:
            raise HipwatchError(f"cannot start {command[0]}: {error.strerror}") from None


def _stop(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1].removeprefix("error: ") if lines else ""
