"""What the measurements run on: a broker, PostgreSQL and a folder, each started when it is first asked for. Shell."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from sqlalchemy import text

from bench.running import Running
from broker.connection import KafkaConnection
from hipwatch.local.embedded_broker import start_broker
from hipwatch.local.processes import LOOPBACK, Processes, answers, free_port
from monitor.ledger.database import closing_engine, open_database
from tests.services.kafka import KafkaServer
from tests.services.postgres import PostgresServer

DATABASES: Final = ("SQLite", "PostgreSQL")
_JAVA: Final = "-Xms256m -Xmx512m -XX:+UseSerialGC"
_AS_SHIPPED: Final = {"group.initial.rebalance.delay.ms": "3000"}
"""Kafka's own default: workers that start together share the partitions out once."""


@dataclass(frozen=True)
class Sizes:
    """How much is measured: events, rounds, and seconds of each live phase."""

    events: int
    rounds: int
    seconds: float


class Stage:
    """A context manager that ends whatever it started."""

    def __init__(self, broker: str) -> None:
        """`broker`: embedded, or kafka."""
        self.broker = broker
        self._stack = ExitStack()
        self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="hipwatch-bench-")))
        self._names = 0

    @cached_property
    def bootstrap(self) -> str:
        """The broker's address."""
        if self.broker == "embedded":
            return start_broker(self._stack.enter_context(Processes(self.folder)))
        server = KafkaServer(logs=self.folder, java_options=_JAVA, properties=_AS_SHIPPED)
        return self._stack.enter_context(server).bootstrap

    @cached_property
    def _postgres(self) -> PostgresServer:
        return self._stack.enter_context(PostgresServer(logs=self.folder))

    def kafka(self, prefix: str) -> KafkaConnection:
        """The broker, with topics of our own."""
        return KafkaConnection(self.bootstrap, prefix)

    def new_name(self, what: str) -> str:
        """A name that nothing has yet: of a group, a database, a folder."""
        self._names += 1
        return f"{what}-{self._names}"

    def new_database(self, kind: str) -> str:
        """The URL of an empty database, one of DATABASES."""
        return self._postgres.new_database() if kind == "PostgreSQL" else f"sqlite:///{self.folder / self.new_name('ledger')}.db"

    def hipwatch(self, name: str, *arguments: str, database: str) -> Running:
        """Start a command of hipwatch's."""
        command = [sys.executable, "-m", "hipwatch", name, *arguments]
        return Running(command, self.folder / f"{name}.log", {"HIPWATCH_DATABASE": database})

    def worker(self, kafka: KafkaConnection, database: str, group: str, *more: str) -> Running:
        """Start a worker."""
        reach = ["--bootstrap", kafka.bootstrap, "--topic-prefix", kafka.topic_prefix, "--group", group]
        return self.hipwatch("worker", *reach, "--log-level", "warning", *more, database=database)

    @contextmanager
    def serve(self, database: str, *more: str) -> Iterator[tuple[Running, str]]:
        """A web process that answers, and its address."""
        port = free_port()
        address = f"http://{LOOPBACK}:{port}"
        with self.hipwatch("serve", "--port", str(port), "--log-level", "warning", *more, database=database) as process:
            process.wait_until(lambda: answers(port))
            yield process, address

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.__exit__(kind, error, trace)


def size_of(database: str) -> int:
    """Bytes that a ledger takes, what is still to be checkpointed put in its place."""
    with closing_engine(open_database(database, create=True)) as engine, engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            return int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    return Path(database.removeprefix("sqlite:///")).stat().st_size


def folder_size(folder: Path) -> int:
    """Bytes of all files in it."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
