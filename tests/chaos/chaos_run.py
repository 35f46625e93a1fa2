"""The processes of a chaos run, how each fault befalls them, and how they are looked after."""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from broker.connection import KafkaConnection
from schemas.topics import EVENT_TOPICS, topic_name
from tests.chaos.schedule import Fault, Kind
from tests.services.broker import Broker
from tests.services.link import Link
from tests.services.postgres import PostgresServer
from tests.services.process import ServiceProcess, clean_environment

SESSION_SECONDS: Final = 2.0
_FROZEN_SECONDS: Final = 3.0
_UNREACHABLE_SECONDS: Final = 60.0
_RECOVERY_SECONDS: Final = 120.0
_START_SECONDS: Final = 30.0
"""A worker that finds no broker or ledger in so long a time after its start says so, and ends: that is no fault of it."""


class NotSurvived(Exception):
    """A fault after which the system did not go on."""


@dataclass
class ChaosRun:
    """Broker, database, workers and simulator of one run."""

    broker: Broker
    broker_link: Link
    database: PostgresServer
    database_link: Link
    database_url: str
    engine: Engine
    folder: Path
    logs: Path
    worker_module: str
    day_seconds: float
    workers: list[ServiceProcess] = field(default_factory=list)
    simulator: ServiceProcess | None = None
    simulating: bool = True
    ended: list[str] = field(default_factory=list)
    """The workers that ended in the midst of their work though nobody had ended them."""
    _started: dict[str, float] = field(default_factory=dict)

    def raise_curtain(self, workers: int) -> None:
        for number in range(1, workers + 1):
            self.workers.append(self._worker(f"worker-{number}"))
        self.simulator = ServiceProcess("simulator", self._simulate(self.day_seconds), self.logs / "simulator.log")
        for worker in self.workers:
            self._start(worker)
        self.simulator.start(lambda: True)

    def befall(self, fault: Fault) -> None:
        """Let a fault happen and wait until the system goes on. Raises NotSurvived."""
        worker = self.workers[fault.worker]
        match fault.kind:
            case Kind.WORKER_KILLED:
                worker.kill()
                self._start(worker)
            case Kind.WORKER_TERMINATED:
                self._terminate(worker)
                self._start(worker)
            case Kind.WORKER_FROZEN:
                self._outage(worker.pause, worker.resume, 2 * SESSION_SECONDS)
            case Kind.REBALANCE_STORM:
                self._storm()
            case Kind.BROKER_RESTARTED:
                self.broker.restart()
            case Kind.BROKER_KILLED:
                self.broker.kill()
                self.broker.start()
            case Kind.BROKER_FROZEN:
                self._outage(self.broker.pause, self.broker.resume, _FROZEN_SECONDS)
            case Kind.BROKER_UNREACHABLE:
                self._outage(self.broker_link.cut, self.broker_link.mend, _UNREACHABLE_SECONDS)
            case Kind.DATABASE_RESTARTED:
                self.database.restart()
            case Kind.DATABASE_KILLED:
                self.database.kill()
                self.database.start()
            case Kind.DATABASE_FROZEN:
                self._outage(self.database.pause, self.database.resume, _FROZEN_SECONDS)
            case Kind.DATABASE_UNREACHABLE:
                self._outage(self.database_link.cut, self.database_link.mend, _UNREACHABLE_SECONDS)
            case Kind.DATABASE_READ_ONLY:
                self._outage(self.database.forbid_writes, self.database.allow_writes, _FROZEN_SECONDS)
            case Kind.UNITS_SEND_AGAIN:
                assert self.simulator is not None
                self.simulator.stop()
        self._recover(fault)

    def finish(self) -> None:
        """Send the whole month once more, at full speed: what is left goes out, what is not counts as duplicates."""
        assert self.simulator is not None
        self.simulating = False
        self.simulator.stop()
        last = ServiceProcess("simulator-last", self._simulate(None), self.logs / "simulator.log")
        last.start(lambda: True)
        self._until(lambda: not last.running, "the simulator did not end", 300)
        self._until(self.caught_up, "the ledger did not catch up", 120)

    def caught_up(self) -> bool:
        """Whether the ledger has passed every message on the broker."""
        ends, counted = self._log_end(), self._counted()
        return ends is not None and counted is not None and counted >= ends

    def tend(self) -> None:
        """What a supervisor does: start again what has ended by itself."""
        for worker in self.workers:
            if not worker.running:
                if time.monotonic() - self._started[worker.name] > _START_SECONDS:
                    self.ended.append(f"{worker.name}: {worker.last_words()}")
                self._start(worker)
        if self.simulating and self.simulator and not self.simulator.running:
            self.simulator.start(lambda: True)

    def _start(self, worker: ServiceProcess) -> None:
        worker.start(lambda: True)
        self._started[worker.name] = time.monotonic()

    def _recover(self, fault: Fault) -> None:
        before = self._counted() or 0
        self._until(lambda: self._goes_on(before), f"not survived: {fault.kind}", _RECOVERY_SECONDS)

    def _goes_on(self, before: int) -> bool:
        counted = self._counted()
        return counted is not None and (counted > before or self.caught_up())

    def _terminate(self, worker: ServiceProcess) -> None:
        begun = time.monotonic()
        worker.stop()
        if time.monotonic() - begun > 10:
            raise NotSurvived("a worker took more than 10 s to stop")

    def _storm(self) -> None:
        """Each join and each leave is a rebalance, and the next begins before the last has settled."""
        extras = [self._worker(f"worker-extra-{number}") for number in (1, 2)]
        for extra in extras:
            extra.start(lambda: True)
            self._wait(1.5)
        for extra in extras:
            extra.stop()
            self._wait(0.5)

    def _outage(self, begin: Callable[[], None], end: Callable[[], None], seconds: float) -> None:
        begin()
        try:
            self._wait(seconds)
        finally:
            end()

    def _wait(self, seconds: float) -> None:
        """A fault lasts for a time: the others are looked after meanwhile."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.tend()
            time.sleep(0.1)

    def _until(self, condition: Callable[[], bool], problem: str, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise NotSurvived(f"{problem} (within {seconds:.0f} s)")
            self.tend()
            time.sleep(0.2)

    def _counted(self) -> int | None:
        """The sum of the ledger's offsets; None while the database is away."""
        try:
            with self.engine.connect() as connection:
                return int(connection.execute(text("SELECT coalesce(sum(next_offset), 0) FROM source_offset")).scalar_one())
        except SQLAlchemyError:
            return None

    def _log_end(self) -> int | None:
        """The sum of the log's end offsets; None while the broker is away."""
        connection = KafkaConnection(self.broker.bootstrap)
        try:
            consumer = KafkaConsumer(**{**connection.client_options(), "bootstrap_timeout_ms": 2_000})
        except KafkaError:
            return None
        try:
            names = [topic_name(topic) for topic in EVENT_TOPICS]
            partitions = [TopicPartition(name, p) for name in names for p in consumer.partitions_for_topic(name) or ()]
            return sum(consumer.end_offsets(partitions, timeout_ms=5_000).values()) if partitions else None
        except KafkaError:
            return None
        finally:
            consumer.close(timeout_ms=1_000)

    def _worker(self, name: str) -> ServiceProcess:
        options = [
            "--database",
            self.database_url,
            "--session-timeout",
            str(SESSION_SECONDS),
            "--log-level",
            "warning",
        ]
        command = self._command(self.worker_module, "worker", *options)
        return ServiceProcess(name, command, self.logs / f"{name}.log", clean_environment())

    def _simulate(self, day_seconds: float | None) -> Sequence[str]:
        pace = ["--day-seconds", str(day_seconds)] if day_seconds else []
        return self._command("hipwatch", "simulate", str(self.folder), "--period", "2024-09", "--yes-into-this-broker", *pace)

    def _command(self, module: str, command: str, *options: str) -> list[str]:
        return [sys.executable, "-m", module, command, *options, "--bootstrap", self.broker.bootstrap]
