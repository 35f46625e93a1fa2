"""One real process of a test: start, stop, kill, pause, go on. Linux only, as the services that we test are.

Invariant: it ends with us, even when we are killed; and a pause or a kill reaches its children too.
"""

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

LOOPBACK: Final = "127.0.0.1"
START_SECONDS: Final = 90.0
"""Generous: on a busy machine a start that takes 3 s has been seen to take 30."""
STOP_SECONDS: Final = 120.0
"""Generous too. How soon a worker ends is asked where it is promised."""
_LAST_LINES: Final = 20
_SPAWNER: Final = ThreadPoolExecutor(1, thread_name_prefix="spawner")
"""Starts every process. The kernel takes the end of the thread that started a child for the end of its parent, and a test
may restart a service from a thread of its own."""


class ServiceFailed(Exception):
    """A service did not do what it was told; the message ends with the last lines of its log."""


class ServiceProcess:
    """A process that may be started again and again with the same command. Its log grows over all of its lives."""

    def __init__(self, name: str, command: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.log = log
        self._command = command
        self._env = env
        self._log_start = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise ServiceFailed(f"{self.name} has not been started")
        return self._process.pid

    @property
    def code(self) -> int | None:
        """The exit code of its latest life; None while it runs."""
        return self._process.poll() if self._process else None

    def start(self, ready: Callable[[], bool], seconds: float = START_SECONDS) -> None:
        """Start it and wait until it is ready."""
        if self.running:
            raise ServiceFailed(f"{self.name} is running already")
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        self._process = _SPAWNER.submit(self._spawn).result()
        end = time.monotonic() + seconds
        while not ready():
            if not self.running:
                raise ServiceFailed(f"{self.name} ended with code {self._process.returncode}\n{self.last_words()}")
            if time.monotonic() > end:
                self.kill()
                raise ServiceFailed(f"{self.name} was not ready within {seconds:.0f} s\n{self.last_words()}")
            time.sleep(0.05)

    def stop(self, with_signal: signal.Signals = signal.SIGTERM, seconds: float = STOP_SECONDS) -> None:
        """Ask it to end, and wait; what does not end in time is killed, and that is an error. Does nothing twice."""
        if not self.running:
            return
        self.resume()
        self._send(with_signal, [self.pid])
        try:
            self._wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ServiceFailed(f"{self.name} did not stop within {seconds:.0f} s\n{self.last_words()}") from None

    def kill(self) -> None:
        """As a power cut would end it: it and its children at once. Returns when all are gone."""
        if not self.running:
            return
        family = [self.pid, *children(self.pid)]
        self._send(signal.SIGKILL, family)
        self._wait(STOP_SECONDS)
        end = time.monotonic() + STOP_SECONDS
        while any(_exists(pid) for pid in family):
            if time.monotonic() > end:
                raise ServiceFailed(f"{self.name}: a child outlives its kill")
            time.sleep(0.01)

    def pause(self) -> None:
        """Freeze it and its children: connections stay open and nothing answers."""
        if not self.running:
            raise ServiceFailed(f"{self.name} does not run")
        self._send(signal.SIGSTOP, [self.pid, *children(self.pid)])

    def resume(self) -> None:
        """End a pause."""
        if self.running:
            self._send(signal.SIGCONT, [*children(self.pid), self.pid])

    def said(self, words: str) -> bool:
        """Whether its log has these words since its latest start."""
        with self.log.open("rb") as file:
            file.seek(self._log_start)
            return words.encode() in file.read()

    def last_words(self) -> str:
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:])

    def _spawn(self) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as output:
            return subprocess.Popen(
                [*ending_with_us(), *self._command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._env,
                start_new_session=True,
            )

    def _wait(self, seconds: float) -> None:
        assert self._process is not None
        self._process.wait(seconds)

    def _send(self, number: signal.Signals, pids: Sequence[int]) -> None:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


def ending_with_us() -> list[str]:
    """The start of a command line that the kernel kills when we end, however we end."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []


def clean_environment() -> dict[str, str]:
    """The environment without the caller's hipwatch settings, which must not get into a test; workers take what is simulated."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HIPWATCH_")}
    return clean | {"HIPWATCH_ACCEPT_SIMULATED": "yes"}


def children(pid: int) -> list[int]:
    """The process's descendants, parents first."""
    by_parent: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it ended while we looked
            text = stat.read_text(encoding="utf-8", errors="replace")
            parent = int(text.rpartition(")")[2].split()[1])  # the command's name, in brackets, may hold anything
            by_parent.setdefault(parent, []).append(int(stat.parent.name))
    found = list(by_parent.get(pid, []))
    for child in found:  # grows while we walk it
        found += by_parent.get(child, [])
    return found


def lasting_port() -> int:
    """A free port that outgoing connections are not given, so that a service finds it free after a restart too."""
    for port in random.SystemRandom().sample(range(20_000, 32_000), 200):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((LOOPBACK, port))
            return port
    raise ServiceFailed("no port is free")


def listens(port: int) -> bool:
    """Whether something takes connections on that loopback port."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True


def _exists(pid: int) -> bool:
    """Whether the process is there and no zombie."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
