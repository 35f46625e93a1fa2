"""The brokers that the contract is held against, one process each for the whole run, and topics of a test's own."""

import uuid
from collections.abc import Callable, Iterator, Sequence

import pytest
from kafka import KafkaAdminClient

from hipwatch.topics import ensure_topics
from monitor.source import TopicInfo, describe_topics
from schemas.connection import KafkaConnection
from schemas.topics import PARTITIONS, Topic, topic_name
from tests.contract.until import until
from tests.services.broker import Broker
from tests.services.kafka import KafkaServer
from tests.services.tansu import TansuServer

SERVERS: dict[str, Callable[[], Broker]] = {"tansu": TansuServer, "kafka": KafkaServer}


@pytest.fixture(scope="session", params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[Broker]:
    with SERVERS[request.param]() as broker:
        yield broker


@pytest.fixture
def broker(server: Broker) -> Iterator[Broker]:
    """A broker that runs, whatever the test before did to it."""
    server.resume()
    if not server.running:
        server.start()
    yield server
    server.resume()


@pytest.fixture
def connection(broker: Broker) -> Iterator[KafkaConnection]:
    """To a broker that has the topics, under a prefix that only this test uses."""
    connection = KafkaConnection(broker.bootstrap, f"t{uuid.uuid4().hex[:8]}")
    make_topics(connection)
    yield connection
    broker.resume()
    if broker.running and broker.keeps_data:
        drop_topics(connection)


@pytest.fixture
def topics(connection: KafkaConnection) -> Sequence[TopicInfo]:
    return describe_topics(connection)


def make_topics(connection: KafkaConnection) -> None:
    """Make them, and wait until the broker tells of all of them: on Kafka they are known a moment after they were made."""
    ensure_topics(connection)
    names = [topic_name(topic, connection.topic_prefix) for topic in Topic]
    admin = KafkaAdminClient(**connection.client_options())
    try:
        until(lambda: all(len(topic["partitions"]) == PARTITIONS for topic in admin.describe_topics(names)))
    finally:
        admin.close()


def drop_topics(connection: KafkaConnection) -> None:
    admin = KafkaAdminClient(**connection.client_options())
    admin.delete_topics([topic_name(topic, connection.topic_prefix) for topic in Topic])
    admin.close()
