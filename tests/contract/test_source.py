"""What the worker's loop relies on in a source, held against the one over Kafka and the one in memory that stands in for it."""

import gc
from collections.abc import Callable, Iterator
from typing import Final, Protocol

import pytest
from kafka import KafkaProducer

from broker.connection import KafkaConnection
from monitor.counting.batch import Position, RawBatch
from monitor.worker import bounded_records
from monitor.worker.broker_topics import TopicInfo
from monitor.worker.kafka_source import KafkaSource
from monitor.worker.record_batches import RecordBatch
from monitor.worker.source import Source
from schemas.topics import EVENT_TOPICS, PARTITIONS, Topic, topic_name
from tests.contract.conftest import SERVERS, make_topics
from tests.contract.until import until
from tests.memory_source import MemorySource, MemoryTopics

TOPIC: Final = Topic.CDA_DOCUMENTS


class Closing(Source, Protocol):
    """A source that can be given up."""

    def close(self) -> None: ...


class Log:
    """Topics of a test's own, with a source for each member of its group."""

    def __init__(self, topics: list[TopicInfo], send: Callable[[int, bytes], None], join: Callable[[], Closing]) -> None:
        self.topics = topics
        self.send = send
        self.members: list[Closing] = []
        self._join = join
        self.topic_id = next(info.topic_id for info in topics if info.topic is TOPIC)
        self.places = {(info.topic_id, partition): 0 for info in topics for partition in info.partitions}

    def join(self) -> Closing:
        self.members.append(self._join())
        return self.members[-1]

    def read(self, source: Source, count: int) -> list[RawBatch]:
        """Step as the worker does until so many messages have come."""
        batches: list[RawBatch] = []

        def step() -> None:
            if source.unplaced():
                source.place(self.places)
            for batch in source.poll():
                self.places[batch.start.topic_id, batch.start.partition] = batch.next_offset
                batches.append(batch)

        until(lambda: sum(len(batch.messages) for batch in batches) >= count, doing=step)
        return batches


@pytest.fixture(params=["memory", *SERVERS, "kafka, batch by batch"])
def log(request: pytest.FixtureRequest) -> Iterator[Log]:
    if request.param == "memory":
        topics = MemoryTopics([TopicInfo(topic, f"id-of-{topic}", range(PARTITIONS)) for topic in EVENT_TOPICS])
        infos = list(topics.topics.values())
        found = Log(infos, lambda partition, value: send_to(topics, partition, value), lambda: MemorySource(topics))
    else:
        found = request.getfixturevalue("kafka_log")
    yield found
    for member in found.members:
        member.close()


def send_to(topics: MemoryTopics, partition: int, value: bytes) -> None:
    topics.send(f"id-of-{TOPIC}", partition, b"gulou", value)


@pytest.fixture
def kafka_log(request: pytest.FixtureRequest) -> Iterator[Log]:
    from uuid import uuid4

    from monitor.worker.broker_topics import describe_topics

    kind, _, whole = request.node.callspec.params["log"].partition(", ")
    with SERVERS[kind]() as broker:
        connection = KafkaConnection(broker.bootstrap, f"s{uuid4().hex[:8]}")
        make_topics(connection)
        infos = describe_topics(connection)
        producer = KafkaProducer(**connection.client_options())
        name = topic_name(TOPIC, connection.topic_prefix)

        def send(partition: int, value: bytes) -> None:
            producer.send(name, key=b"gulou", value=value, partition=partition).get(timeout=120)

        def join() -> KafkaSource:
            return KafkaSource(connection, infos, group="contract", session_timeout_ms=6_000, whole_batches=bool(whole))

        yield Log(infos, send, join)
        producer.close()


def values(batches: list[RawBatch], partition: int = 0) -> list[bytes | None]:
    return [message.value for batch in batches if batch.start.partition == partition for message in batch.messages]


def test_a_source_does_what_the_loop_relies_on(log: Log) -> None:
    for number in range(4):
        log.send(0, b"%d" % number)
    log.send(5, b"other")
    source = log.join()
    until(lambda: len(source.unplaced()) == len(log.places), doing=source.poll)
    assert source.poll() == [], "nothing comes before a partition is placed"
    assert not source.owns(Position(log.topic_id, 0, 0))

    batches = log.read(source, 5)
    assert values(batches) == [b"0", b"1", b"2", b"3"]
    assert [(batch.start.offset, batch.next_offset) for batch in batches if batch.start.partition == 5] == [(0, 1)]
    assert all(batch.topic is TOPIC and batch.messages[0].key == b"gulou" for batch in batches)
    assert source.owns(Position(log.topic_id, 0, 0))
    until(lambda: Position(log.topic_id, 0, 4) in source.at_end(), doing=source.poll)
    assert {(found.partition, found.messages) for found in source.behind() if found.messages} == set()
    assert source.troubles() == []
    source.commit(batches)

    log.send(0, b"4")
    assert Position(log.topic_id, 0, 4) not in source.at_end(), "there is more"
    source.hold()
    assert [source.poll() for _ in range(3)] == [[], [], []], "what is held gives nothing"
    source.release()
    assert values(log.read(source, 1)) == [b"4"]

    source.forget(Position(log.topic_id, 0, 0))
    assert not source.owns(Position(log.topic_id, 0, 0))
    assert Position(log.topic_id, 0, -1) in source.unplaced()
    log.places[log.topic_id, 0] = 2
    assert values(log.read(source, 3)) == [b"2", b"3", b"4"], "it is read again from where the ledger stands"


def test_whoever_comes_next_goes_on_where_the_ledger_stands(log: Log) -> None:
    log.send(0, b"0")
    log.send(0, b"1")
    first = log.join()
    log.read(first, 2)
    first.close()
    log.members.remove(first)
    log.send(0, b"2")
    assert values(log.read(log.join(), 1)) == [b"2"]


@pytest.mark.parametrize("log", ["tansu, batch by batch"], indirect=True)
def test_what_was_polled_leaves_memory_without_the_garbage_collector(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_records, "_MAX_TAKEN_BYTES", 1)
    for number in range(10):
        log.send(number % 2, b"%d" % number)
    source = log.join()
    gc.collect()
    gc.disable()  # it comes by rarely where few objects are made: a backlog would fill the memory meanwhile
    try:
        log.read(source, 10)
        held = sum(isinstance(found, RecordBatch) for found in gc.get_objects())
    finally:
        gc.enable()
    assert held <= 1, "but for the last poll's"
