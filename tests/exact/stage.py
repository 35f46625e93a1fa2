"""Where the events are sent and counted: two workers, and a real broker and database of either kind."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from broker.connection import KafkaConnection
from hipwatch.local.processes import Processes
from hipwatch.local.stack import LocalStack, open_stack, start_workers
from tests.services.kafka import KafkaServer
from tests.services.postgres import PostgresServer

WORKERS: Final = 2


@contextmanager
def apache_kafka_and_postgresql(folder: Path) -> Iterator[tuple[LocalStack, Processes]]:
    """What users run."""
    with KafkaServer(logs=folder) as broker, PostgresServer(logs=folder) as database, Processes(folder) as processes:
        stage = open_stack(processes, KafkaConnection(broker.bootstrap), database.new_database())
        yield from _at_work(stage, processes)


@contextmanager
def embedded_broker_and_sqlite(folder: Path) -> Iterator[tuple[LocalStack, Processes]]:
    """What the demo runs."""
    with Processes(folder) as processes:
        yield from _at_work(open_stack(processes, KafkaConnection(""), f"sqlite:///{folder / 'ledger.db'}"), processes)


def _at_work(stage: LocalStack, processes: Processes) -> Iterator[tuple[LocalStack, Processes]]:
    try:
        start_workers(processes, stage, WORKERS, "exact")
        yield stage, processes
    finally:
        stage.engine.dispose()
