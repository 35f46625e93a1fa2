"""The same site of processes on this machine, for where there is no Docker."""

import signal
import subprocess
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from broker.connection import KafkaConnection
from broker.topics import ensure_topics
from hipwatch.local.processes import LOOPBACK, Processes, answers, free_port, hipwatch_command
from hipwatch.local.prometheus import find_paging, start_paging
from monitor.worker.broker_topics import describe_topics
from schemas.errors import HipwatchError
from schemas.register import load_register
from tests.integration.containers.until import until
from tests.services.kafka import KafkaServer
from tests.services.missing import missing
from tests.services.postgres import PostgresServer
from tests.services.process import clean_environment

_KILLED: Final = 128 + signal.SIGKILL
"""What Docker and shells call the exit code of a killed process; Python says -9."""


class ProcessSite:
    """See `Site`. `folder` holds configuration and logs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self._started: dict[str, subprocess.Popen[bytes]] = {}
        self._settings: dict[str, str] = {}
        self._port = free_port()

    @property
    def page(self) -> str:
        return f"http://{LOOPBACK}:{self._port}"

    def start(self, name: str, *arguments: str) -> None:
        with (self._folder / f"{name}.log").open("wb") as log:
            command = hipwatch_command(*arguments)
            process = subprocess.Popen(command, env=self._settings, cwd=self._folder, stdout=log, stderr=subprocess.STDOUT)
        self._started[name] = process
        self._stack.callback(_end, process)

    def kill(self, name: str) -> None:
        self._started[name].kill()
        self._started[name].wait()

    def exit_code(self, name: str) -> int | None:
        code = self._started[name].poll()
        return _KILLED if code == -signal.SIGKILL else code

    def run(self, *arguments: str) -> str:
        command = hipwatch_command(*arguments)
        done = subprocess.run(
            command, env=self._settings, cwd=self._folder, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._start_services(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()
        if error is not None:
            for log in sorted(self._folder.rglob("*.log")):
                print(f"--- {log.name}\n{log.read_text(encoding='utf-8', errors='replace')[-4000:]}")

    def _start_services(self, stack: ExitStack) -> None:
        programs = find_paging() or missing("Prometheus or Alertmanager", "prometheus alertmanager")
        kafka = stack.enter_context(KafkaServer(logs=self._folder))
        postgres = stack.enter_context(PostgresServer(logs=self._folder))
        self._settings = {
            **clean_environment(),
            "HIPWATCH_BOOTSTRAP": kafka.bootstrap,
            "HIPWATCH_DATABASE": postgres.new_database(),
        }
        _make_topics(KafkaConnection(kafka.bootstrap))
        token = self._folder / "webhook-token"
        token.write_text("token of this test", encoding="ascii")
        processes = stack.enter_context(Processes(self._folder))
        serve = hipwatch_command("serve", "--port", str(self._port), "--refresh", "0.3", "--webhook-token-file", str(token))
        processes.start("serve", serve, env=self._settings)
        processes.wait_until(lambda: answers(self._port), "the page", 60)
        start_paging(processes, programs, self._folder, self._port, token, len(load_register().units))


def _make_topics(kafka: KafkaConnection) -> None:
    """Make the topics and wait until the broker shows them."""
    ensure_topics(kafka)

    def shown() -> bool:
        try:
            describe_topics(kafka)
        except HipwatchError:
            return False
        return True

    until(shown, bool, "the topics are there", 30)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
