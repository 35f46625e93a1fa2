"""The brokers that the contract is held against, one process each for the whole run, and topics of a test's own."""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pytest
from kafka import KafkaAdminClient

from broker.connection import KafkaConnection
from broker.topics import ensure_topics
from monitor.worker.broker_topics import TopicInfo, describe_topics
from schemas.topics import PARTITIONS, Topic, topic_name
from tests.contract.until import until
from tests.services.broker import Broker
from tests.services.kafka import KafkaServer
from tests.services.tansu import TansuServer


@dataclass(frozen=True)
class Traits:
    """Where the brokers differ; what is said here is all that the tests make allowance for, by `@pytest.mark.needs`."""

    keeps_data: bool
    """What was acknowledged is there after a restart, also after a kill."""
    shares: bool
    """A group may have several members. Tansu gives a partition to two of them (the ledger counts it once all the same),
    misses a member that leaves only when its session times out, and a rebalance may take a minute."""
    tells_settings: bool
    """The settings of a topic can be read back."""
    limits_size: bool
    """The topic's limit holds, and counts what surrounds a message in its batch."""
    drops_records: bool
    """The beginning of a partition can be deleted."""


SERVERS: Final[Mapping[str, Callable[[], Broker]]] = {"tansu": TansuServer, "kafka": KafkaServer}
TRAITS: Final = {"kafka": Traits(True, True, True, True, True), "tansu": Traits(False, False, False, False, False)}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What a broker does not have is not asked of it: such a test is left out, for nothing is skipped that could be run."""
    out = [item for item in items if isinstance(item, pytest.Function) and not _has_all(item)]
    config.hook.pytest_deselected(items=out)
    items[:] = [item for item in items if item not in out]


def _has_all(item: pytest.Function) -> bool:
    """Whether the broker of a test has all that it `needs`."""
    needed = [str(mark.args[0]) for mark in item.iter_markers("needs")]
    return not needed or all(getattr(TRAITS[str(item.callspec.params["server"])], trait) for trait in needed)


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
