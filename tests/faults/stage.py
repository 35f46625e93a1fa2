"""The stage of a fault: topics, a ledger and a consumer group of the test's own, and real workers between them."""

import subprocess
import sys
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from kafka import KafkaAdminClient
from sqlalchemy import Engine, text

from broker.connection import KafkaConnection
from broker.topics import ensure_topics
from monitor.ledger.database import make_engine, open_database
from tests.services.process import ServiceProcess, clean_environment

SESSION_SECONDS: Final = 2.0


class Counts(NamedTuple):
    """What a ledger says it has taken in."""

    passed: int
    accepted: int
    in_sums: int
    duplicates: int
    gaps: int
    letters: int


@dataclass
class Stage:
    """`database` is a SQLAlchemy URL; the tables are there from the beginning. Ends every worker that it has started."""

    kafka: KafkaConnection
    database: str
    folder: Path
    engine: Engine = field(init=False)
    _workers: list[ServiceProcess] = field(default_factory=list)

    def __post_init__(self) -> None:
        ensure_topics(self.kafka)
        open_database(self.database, create=True).dispose()
        self.engine = make_engine(self.database)

    @property
    def group(self) -> str:
        return self.kafka.topic_prefix

    def worker(self, name: str, *options: str, module: str = "hipwatch") -> ServiceProcess:
        """A worker that has not been started; PostgreSQL knows its connections by its name."""
        process = ServiceProcess(name, self._command(name, options, module), self.folder / f"{name}.log", clean_environment())
        self._workers.append(process)
        return process

    def sentence(self, *options: str) -> str:
        """What a worker says that cannot start: one line on stderr."""
        command = self._command("futile", options)
        ended = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, timeout=60, check=False)
        assert (ended.returncode, ended.stdout) == (1, ""), ended
        assert ended.stderr.count("\n") == 1, ended.stderr
        return ended.stderr

    def _command(self, name: str, options: Sequence[str], module: str = "hipwatch") -> list[str]:
        database = self.database
        if database.startswith("postgresql"):
            database += f"?application_name={name}"
        command = [sys.executable, "-m", module, "worker", "--bootstrap", self.kafka.bootstrap, "--database", database]
        command += ["--topic-prefix", self.kafka.topic_prefix, "--group", self.group]
        return [*command, "--session-timeout", str(SESSION_SECONDS), *options]

    def counting(self, name: str, *options: str) -> ServiceProcess:
        """A worker that has begun to count."""
        process = self.worker(name, *options)
        begin(process)
        return process

    def counts(self) -> Counts:
        with self.engine.connect() as connection:
            row = connection.execute(
                text(
                    "SELECT (SELECT sum(next_offset) FROM source_offset), (SELECT sum(accepted) FROM stream_state),"
                    " (SELECT sum(events) FROM upload_day), (SELECT sum(duplicates) FROM stream_state),"
                    " (SELECT count(*) FROM open_gap), (SELECT sum(total) FROM dead_letter_count)"
                )
            ).one()
        return Counts(*(int(value or 0) for value in row))

    def passed(self) -> int:
        return self.counts().passed

    def members(self) -> list[str]:
        """The ids of the group's members."""
        admin = KafkaAdminClient(**self.kafka.client_options())
        try:
            described = admin.describe_groups([self.group])
        finally:
            admin.close()
        return sorted(member["member_id"] for member in described[self.group]["members"])

    def close(self) -> None:
        """End every worker; of a test that has failed, pytest shows what they said last."""
        for worker in self._workers:
            worker.resume()
            worker.kill()
            if worker.log.exists():
                print(f"--- {worker.name}\n{worker.last_words()}")
        self.engine.dispose()


def once(sent: int) -> Counts:
    """What a ledger says that has counted so many events, each once."""
    return Counts(passed=sent, accepted=sent, in_sums=sent, duplicates=0, gaps=0, letters=0)


def begin(worker: ServiceProcess) -> None:
    """Start a worker and wait until it counts."""
    worker.start(lambda: worker.said("counting from"))


def new_prefix() -> str:
    return f"t{uuid.uuid4().hex[:8]}"
