"""Run the real command, beside a real embedded broker, as a user would: processes with a home and ports of their own."""

import contextlib
import multiprocessing
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Final

import pytest

import hipwatch.__main__
from hipwatch.cli.main import COMMANDS
from hipwatch.local.embedded_broker import start_broker
from hipwatch.local.processes import Processes
from tests.services.process import clean_environment

HIPWATCH: Final = Path(sys.executable).with_name("hipwatch")
PATIENCE: Final = 300.0
LAST_LINES: Final = 20
"""Seconds until a condition counts as never coming; a test that works ends long before, on a busy machine too."""


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def last_line(self) -> str:
        lines = self.out.strip().splitlines()
        return lines[-1] if lines else ""

    @property
    def told(self) -> str:
        """Everything it said, for the message of a failed assertion."""
        return f"exit code {self.code} after {self.seconds:.1f} s\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


@dataclass
class Started:
    """A command that runs; its output goes to files."""

    process: "subprocess.Popen[bytes]"
    out_file: Path
    err_file: Path
    since: float = field(default_factory=time.monotonic)

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def runs(self) -> bool:
        return self.process.poll() is None

    @property
    def out(self) -> str:
        return self.out_file.read_text(encoding="utf-8", errors="replace")

    @property
    def err(self) -> str:
        return self.err_file.read_text(encoding="utf-8", errors="replace")

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self, seconds: float = PATIENCE) -> Ended:
        """Wait for its end, not longer than `seconds`."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            pytest.fail(f"does not end within {seconds:.0f} s\n--- stdout\n{self.out}\n--- stderr\n{self.err}")
        return Ended(self.process.returncode, self.out, self.err, time.monotonic() - self.since)


@dataclass(frozen=True)
class Home:
    """A place of its own for one test: HIPWATCH_HOME, working folder, logs. Nothing of the caller's settings gets in."""

    folder: Path

    def environment(self, settings: Mapping[str, str | None] | None = None) -> dict[str, str]:
        """The environment of a command: ours without any HIPWATCH_*, and `settings` (None removes a variable)."""
        clean = clean_environment() | {
            "HIPWATCH_HOME": str(self.folder / "home"),
            "TERM": "dumb",
            "COLUMNS": "200",
            "PYTHONUNBUFFERED": "1",
        }
        for name, value in (settings or {}).items():
            if value is None:
                clean.pop(name, None)
            else:
                clean[name] = value
        return clean

    @property
    def ledger(self) -> Path:
        """The file of a ledger that the test names itself."""
        return self.folder / "ledger.db"

    @property
    def database(self) -> str:
        return f"sqlite:///{self.ledger}"

    @property
    def latest_ledger(self) -> Path:
        """The ledger of the latest replay or demo."""
        return sorted((self.folder / "home" / "runs").glob("*/ledger.db"))[-1]

    def start(self, *arguments: str | Path, settings: Mapping[str, str | None] | None = None) -> Started:
        """Start `hipwatch` with these arguments."""
        number = len(list(self.folder.glob("*.out")))
        out, err = self.folder / f"{number}.out", self.folder / f"{number}.err"
        command = [str(HIPWATCH), *map(str, arguments)]
        with out.open("wb") as output, err.open("wb") as errors:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                env=self.environment(settings),
                cwd=self.folder,
                start_new_session=True,
            )
        return Started(process, out, err)

    def run(self, *arguments: str | Path, settings: Mapping[str, str | None] | None = None, seconds: float = PATIENCE) -> Ended:
        """Run `hipwatch` with these arguments to its end."""
        return self.start(*arguments, settings=settings).wait(seconds)

    def processes(self) -> dict[int, str]:
        """Every living process that was started from here, by whomever: its id and command line."""
        marker = f"HIPWATCH_HOME={self.folder / 'home'}".encode()
        found = {}
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit() or int(folder.name) == os.getpid():
                continue
            with contextlib.suppress(OSError):
                if marker in (folder / "environ").read_bytes().split(b"\0"):
                    found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return found

    def clear(self) -> dict[int, str]:
        """End what is still running, and say what that was."""
        left = self.processes()
        for pid in left:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        return left


@contextmanager
def home_in(folder: Path) -> Iterator[Home]:
    """A home whose processes all end with it; of a test that has failed, pytest shows what they said last."""
    folder.mkdir(parents=True, exist_ok=True)
    home = Home(folder)
    try:
        yield home
    finally:
        home.clear()
        for said in sorted(folder.glob("*.err")):
            lines = said.read_text(encoding="utf-8", errors="replace").splitlines()
            print(f"--- {said.name}", *lines[-LAST_LINES:], sep="\n")


@contextmanager
def broker_of(home: Home) -> Iterator[str]:
    """The address of an embedded broker."""
    with Processes(home.folder / "broker") as processes:
        yield start_broker(processes)


@contextmanager
def running(home: Home, *arguments: str | Path, settings: Mapping[str, str | None] | None = None) -> Iterator[Started]:
    """`hipwatch` with these arguments, until the block ends."""
    started = home.start(*arguments, settings=settings)
    try:
        yield started
    finally:
        end(started)


def end(started: Started) -> Ended:
    """SIGTERM, and patience: how soon a process ends is asked where that is promised."""
    if started.runs:
        started.signal(signal.SIGTERM)
    try:
        started.process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        started.process.kill()
        started.process.wait()
        pytest.fail(f"SIGTERM does not end it within {PATIENCE:.0f} s\n{started.err}")
    return Ended(started.process.returncode, started.out, started.err, time.monotonic() - started.since)


def wait_until(condition: Callable[[], object], what: str, seconds: float = PATIENCE, every: float = 0.05) -> None:
    """Wait for a condition; fails naming `what`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds:.0f} s in vain until {what}")
        time.sleep(every)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def fetch(url: str, *, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Status and text of an answer; status 0 while nobody listens."""
    request = urllib.request.Request(url, body, dict(headers or {}))
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


def program(*names: str) -> str:
    """Path of the first of `names` that is installed. Missing: skip visibly on a desk, fail in CI."""
    for name in names:
        if path := shutil.which(name):
            return path
    missing = f"{' / '.join(names)} is not installed"
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)


def ask(home: Home, *arguments: str | Path, settings: Mapping[str, str | None] | None = None) -> Ended:
    """Run one command that ends by itself, as `ask_all` does."""
    return ask_all(home, [arguments], settings=settings)[0]


def ask_all(
    home: Home, commands: Sequence[Sequence[str | Path]], *, settings: Mapping[str, str | None] | None = None
) -> list[Ended]:
    """Run commands that end by themselves, side by side: those that only wait need not wait for one another.

    Each is a process of its own, with its own arguments, environment, folder and output, but forked from one that has
    imported hipwatch already: starting the interpreter takes longer than most of these commands.
    """
    started = []
    for number, arguments in enumerate(commands):
        files = [home.folder / f"asked-{time.monotonic_ns()}-{number}.{name}" for name in ("out", "err")]
        words = [str(word) for word in arguments]
        process = _FORKS.Process(target=_answer, args=(words, home.environment(settings), home.folder, *files))
        process.start()
        started.append((process, files, time.monotonic()))
    return [_ended(process, files, since) for process, files, since in started]


_FORKS: Final = multiprocessing.get_context("forkserver")
_COMMANDS: Final = sorted({f"hipwatch.cli.{command.place.split(':')[0]}" for command in COMMANDS.values()})
"""Imported once, before the fork: each command imports its module when it is called."""
_FORKS.set_forkserver_preload(["hipwatch.__main__", *_COMMANDS, "tests.integration.stack"])


def _answer(arguments: list[str], environment: dict[str, str], folder: Path, out: Path, err: Path) -> None:
    """What the console script does, in this process."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for file, number in ((out, 1), (err, 2)):
        os.dup2(os.open(file, os.O_CREAT | os.O_WRONLY | os.O_APPEND), number)
    sys.argv = ["hipwatch", *arguments]
    hipwatch.__main__.main()


def _ended(process: ForkServerProcess, files: Sequence[Path], since: float) -> Ended:
    process.join(PATIENCE)
    out, err = (file.read_text(encoding="utf-8", errors="replace") if file.exists() else "" for file in files)
    if process.exitcode is None:
        process.kill()
        process.join()
        pytest.fail(f"does not end within {PATIENCE:.0f} s\n--- stdout\n{out}\n--- stderr\n{err}")
    return Ended(process.exitcode, out, err, time.monotonic() - since)
