import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator

import pytest
from kafka.errors import KafkaTimeoutError

from broker.connection import KafkaConnection
from ingest import producer as producing
from ingest.player import play
from ingest.producer import EventProducer
from ingest.simulator import Faults, events, inject
from schemas.errors import HipwatchError
from schemas.topics import MAX_MESSAGE_BYTES, TOPIC_OF, Topic, topic_name
from tests.unit.ingest.broker import read_topic, running_broker
from tests.unit.ingest.months import SMALL_2020, plan_of

PREFIX = "test"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with running_broker(PREFIX) as address:
        yield address


def test_a_played_month_stands_on_the_broker_in_order_per_unit(address: str) -> None:
    messages = list(inject(events(plan_of(SMALL_2020)), Faults(duplicates=0.1, poison=0.1), 1))
    with EventProducer(KafkaConnection(address, PREFIX)) as producer:
        played = play(messages, producer)
        assert sum(producer.next_offsets.values()) == played.sent == len(messages)
        offsets = dict(producer.next_offsets)
    for topic in {message.topic for message in messages}:
        sent, found = defaultdict(list), defaultdict(list)
        for message in messages:
            if message.topic is topic:
                sent[message.key].append(message.value)
        for partition in read_topic(address, topic_name(topic, PREFIX), offsets).values():
            for key, value in partition:
                found[key].append(value)
        assert found == sent


def test_next_offsets_go_on_where_an_earlier_producer_ended(address: str) -> None:
    ends = []
    for _ in range(2):
        with EventProducer(KafkaConnection(address, PREFIX)) as producer:
            producer.send(Topic.HEALTH_RECORDS, b"one-unit", b"value")
            producer.flush()
            ends.append(producer.next_offsets)
    ((place, first),), ((same, second),) = ends[0].items(), ends[1].items()
    assert (place, first + 1) == (same, second)


def test_memory_in_flight_is_bounded(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(producing, "_IN_FLIGHT_MESSAGES", 100)
    with EventProducer(KafkaConnection(address, PREFIX)) as producer:
        for number in range(250):
            producer.send(Topic.REALTIME_FORMS, b"unit", b"%d" % number)
        assert sum(producer.next_offsets.values()) >= 150


def test_a_message_of_the_size_of_the_topic_limit_is_sent_and_a_larger_one_refused(address: str) -> None:
    with EventProducer(KafkaConnection(address, PREFIX)) as producer:
        producer.send(Topic.DECLARATIONS, b"large", bytes(MAX_MESSAGE_BYTES))
        producer.flush()
        with pytest.raises(HipwatchError, match=r"test\.declarations\.v1"):
            producer.send(Topic.DECLARATIONS, b"large", bytes(MAX_MESSAGE_BYTES + 100_000))


def test_a_missing_topic_is_an_error_that_names_it(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Tansu makes every topic that it is asked about, so the client's answer to a missing one is put in its place
    def send(*_: object, **__: object) -> None:
        raise KafkaTimeoutError("Failed to update metadata after 10 secs.")

    with EventProducer(KafkaConnection(address, PREFIX)) as producer:
        monkeypatch.setattr(producer._kafka, "send", send)
        with pytest.raises(HipwatchError, match=r"topic test\.cda-documents\.v1 .*Failed to update metadata"):
            producer.send(Topic.CDA_DOCUMENTS, b"unit", b"value")


def test_a_delivery_error_names_the_topic(monkeypatch: pytest.MonkeyPatch) -> None:
    with running_broker(PREFIX) as address:
        producer = EventProducer(KafkaConnection(address, PREFIX, {"delivery_timeout_ms": 1500, "request_timeout_ms": 1000}))
        producer.send(Topic.CDA_DOCUMENTS, b"unit", b"value")
        producer.flush()
    producer.send(Topic.CDA_DOCUMENTS, b"unit", b"value")
    with pytest.raises(HipwatchError, match=r"topic test\.cda-documents\.v1"):
        producer.close()


def test_who_waits_for_a_broker_that_died_may_give_up() -> None:
    dead = threading.Event()

    def check() -> None:
        if dead.is_set():
            raise HipwatchError("broker was ended by SIGKILL")

    with running_broker(PREFIX) as address:
        producer = EventProducer(KafkaConnection(address, PREFIX), check)
        producer.send(Topic.CDA_DOCUMENTS, b"unit", b"value")
        producer.flush()
    producer.send(Topic.CDA_DOCUMENTS, b"unit", b"value")
    threading.Timer(1.0, dead.set).start()
    with pytest.raises(HipwatchError, match="ended by SIGKILL"):
        producer.close()


def test_no_broker_is_an_error_within_ten_seconds() -> None:
    begun = time.monotonic()
    with pytest.raises(HipwatchError, match=r"no Kafka broker answers at 127\.0\.0\.1:1 \("):
        EventProducer(KafkaConnection("127.0.0.1:1"))
    assert time.monotonic() - begun < 10


def test_a_security_option_that_the_client_does_not_know_is_refused() -> None:
    with pytest.raises(HipwatchError, match=r"cannot be set up: .*no_such_option"):
        EventProducer(KafkaConnection("127.0.0.1:1", security={"no_such_option": 1}))


def test_the_key_decides_the_partition(address: str) -> None:
    plan = plan_of(SMALL_2020)
    with EventProducer(KafkaConnection(address, PREFIX)) as producer:
        play(inject(events(plan), Faults(), 1), producer)
        partitions = Counter(name for name, _ in producer.next_offsets)
    units = defaultdict(set)
    for event in events(plan):
        units[topic_name(TOPIC_OF[type(event)], PREFIX)].add(event.unit_id)
    assert all(number <= len(units[name]) for name, number in partitions.items())
