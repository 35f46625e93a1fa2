"""One Apache Kafka and one PostgreSQL for all fault tests of a run; each test finds them running and in order."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from broker.connection import KafkaConnection
from tests.faults.stage import Stage, new_prefix
from tests.services.kafka import KafkaServer
from tests.services.postgres import PostgresServer


@pytest.fixture(scope="session")
def kafka_server() -> Iterator[KafkaServer]:
    with KafkaServer() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture
def broker(kafka_server: KafkaServer) -> Iterator[KafkaServer]:
    yield kafka_server
    kafka_server.resume()


@pytest.fixture
def database(postgres_server: PostgresServer) -> Iterator[PostgresServer]:
    yield postgres_server
    postgres_server.resume()
    if not postgres_server.running:
        postgres_server.start()
    postgres_server.allow_writes()


@pytest.fixture
def stage(broker: KafkaServer, database: PostgresServer, tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(KafkaConnection(broker.bootstrap, new_prefix()), database.new_database(), tmp_path)
    yield stage
    stage.close()
