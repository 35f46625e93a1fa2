"""What hipwatch relies on in a broker, held against each broker that it runs on, through hipwatch's own clients."""

import logging
import os
import subprocess
import sys
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType

from broker.connection import KafkaConnection
from broker.topics import ensure_topics
from ingest.producer import EventProducer
from monitor.worker import kafka_source
from monitor.worker.broker_topics import TopicInfo, describe_topics
from monitor.worker.kafka_source import KafkaSource
from schemas.clock import to_millis
from schemas.errors import HipwatchError
from schemas.topics import EVENT_TOPICS, MAX_DEAD_LETTER_BYTES, MAX_MESSAGE_BYTES, PARTITIONS, Topic, topic_name
from tests.contract.conftest import drop_topics, make_topics
from tests.contract.member import Member, Places
from tests.contract.until import until
from tests.services.broker import Broker

TOPIC: Final = Topic.CDA_DOCUMENTS
KEYS: Final = [f"unit-{number}".encode() for number in range(20)]
MEGABYTE: Final = 1 << 20
SETTLED: Final = 8
"""Steps of a quarter of a second: longer than a member takes to hear of another rebalance."""


NEEDS_DATA: Final = pytest.mark.needs("keeps_data")


def produce(connection: KafkaConnection, numbers: Iterable[int]) -> dict[tuple[str, int], int]:
    """One message for every key and number, flushed once; where each partition goes on."""
    with EventProducer(connection) as producer:
        for number in numbers:
            for key in KEYS:
                producer.send(TOPIC, key, str(number).encode())
    return producer.next_offsets


def reached(places: Places, ends: dict[tuple[str, int], int], topics: Sequence[TopicInfo]) -> bool:
    ids = {topic_name(info.topic, ""): info.topic_id for info in topics}
    return all(places[ids["." + name.partition(".")[2]], partition] >= end for (name, partition), end in ends.items())


def by_key(*members: Member) -> dict[bytes, list[int]]:
    """The numbers that the members have read, in order, by key."""
    found: dict[bytes, list[int]] = defaultdict(list)
    for member in members:
        for batch in member.batches:
            for message in batch.messages:
                found[message.key or b""].append(int(message.value or b"-1"))
    return found


def in_any_order(*members: Member) -> dict[bytes, list[int]]:
    return {key: sorted(numbers) for key, numbers in by_key(*members).items()}


def at_once(*members: Member) -> Callable[[], None]:
    """Let the members take a step side by side, as processes do: a rebalance needs all of them."""

    def step() -> None:
        with ThreadPoolExecutor(len(members)) as pool:
            list(pool.map(Member.step, members))

    return step


# Topics


def test_topics_have_twelve_partitions(topics: Sequence[TopicInfo]) -> None:
    assert {info.topic for info in topics} == set(EVENT_TOPICS)
    assert all(info.partitions == list(range(PARTITIONS)) for info in topics)


@pytest.mark.needs("tells_settings")
def test_topics_have_the_size_limit(connection: KafkaConnection) -> None:
    settings = {topic: topic_settings(connection, topic_name(topic, connection.topic_prefix)) for topic in Topic}
    limits = {topic: int(values["max.message.bytes"]) for topic, values in settings.items()}
    assert limits == {**dict.fromkeys(Topic, MAX_MESSAGE_BYTES), Topic.DEAD_LETTERS: MAX_DEAD_LETTER_BYTES}


def test_making_topics_that_are_there_makes_none(connection: KafkaConnection) -> None:
    assert ensure_topics(connection) == []


def test_topics_can_be_described_as_soon_as_they_were_made(broker: Broker) -> None:
    connection = KafkaConnection(broker.bootstrap, f"at-once-{time.time_ns()}")
    ensure_topics(connection)
    assert len(describe_topics(connection)) == len(EVENT_TOPICS)


def test_a_topic_made_anew_has_another_id(connection: KafkaConnection, topics: Sequence[TopicInfo]) -> None:
    drop_topics(connection)
    until(lambda: len(ensure_topics(connection)) == len(Topic))
    make_topics(connection)
    assert not {info.topic_id for info in topics} & {info.topic_id for info in describe_topics(connection)}


def test_a_topic_that_is_made_anew_while_a_member_reads_it_is_told_from_the_one_that_was(
    connection: KafkaConnection, topics: Sequence[TopicInfo]
) -> None:
    places = Places(topics)
    with Member(connection, topics, places) as member:
        until(lambda: owns_all(member, places), doing=member.step)
        with deleted(TOPIC, connection):
            pass
        with pytest.raises(HipwatchError, match=r"cda-documents\.v1 was deleted and made anew .*; start it again"):
            until(lambda: False, doing=member.step)


def test_a_missing_topic_is_named(broker: Broker) -> None:
    with pytest.raises(HipwatchError, match=r"has no topic nowhere\."):
        describe_topics(KafkaConnection(broker.bootstrap, "nowhere"))


# Reading what was written


@pytest.mark.parametrize("whole_batches", [False, True], ids=["message by message", "batch by batch"])
def test_messages_come_back_whole_and_in_order_per_key(
    connection: KafkaConnection, topics: Sequence[TopicInfo], whole_batches: bool
) -> None:
    ends = produce(connection, range(300))
    places = Places(topics)
    with Member(connection, topics, places, whole_batches=whole_batches) as member:
        until(lambda: reached(places, ends, topics), doing=member.step)
        assert by_key(member) == {key: list(range(300)) for key in KEYS}
    assert sum(places.values()) == sum(ends.values()) == 300 * len(KEYS)


def test_batch_by_batch_comes_what_comes_message_by_message(connection: KafkaConnection, topics: Sequence[TopicInfo]) -> None:
    """From the middle of a batch on, too: a worker goes on where another has stopped."""
    ends = produce(connection, range(200))
    found = []
    for whole_batches in (False, True):
        places = Places(topics)
        for place in places:
            if place[0] == topic_id(topics):
                places[place] = ends.get((topic_name(TOPIC, connection.topic_prefix), place[1]), 0) // 3
        with Member(connection, topics, places, whole_batches=whole_batches) as member:
            until(partial(reached, places, ends, topics), doing=member.step)
            messages = [(batch.start.partition, *message[:3]) for batch in member.batches for message in batch.messages]
        found.append(sorted(messages))
    assert found[0] == found[1]


def test_the_end_is_told_only_when_everything_was_read(connection: KafkaConnection, topics: Sequence[TopicInfo]) -> None:
    produce(connection, range(100))
    ends = produce(connection, range(100, 200))
    places = Places(topics)
    with Member(connection, topics, places) as member:
        until(lambda: member.owned, doing=member.step)
        while not reached(places, ends, topics):
            for position in member.source.at_end():
                name = topic_name(TOPIC, connection.topic_prefix)
                if position.topic_id == topic_id(topics):
                    assert position.offset == ends.get((name, position.partition), 0)
            member.step()
        until(lambda: len(member.source.at_end()) == PARTITIONS * len(EVENT_TOPICS), doing=member.step)
        more = produce(connection, range(200, 201))
        at_end = {position for position in member.source.at_end() if position.topic_id == topic_id(topics)}
        grown = {partition for (_, partition), end in more.items()}
        assert not grown & {position.partition for position in at_end}


def test_a_log_that_ends_in_a_transaction_marker_is_read_to_its_end(
    connection: KafkaConnection, topics: Sequence[TopicInfo]
) -> None:
    name = topic_name(TOPIC, connection.topic_prefix)
    producer = KafkaProducer(**connection.client_options(), transactional_id=connection.topic_prefix)
    producer.init_transactions()
    producer.begin_transaction()
    producer.send(name, key=b"unit", value=b"1", partition=3).get(timeout=120)
    producer.commit_transaction()
    producer.close()
    places = Places(topics)
    with Member(connection, topics, places) as member:
        until(lambda: member.batches, doing=member.step)
        until(lambda: len(member.source.at_end()) == len(places), doing=member.step, seconds=60)


@pytest.mark.needs("drops_records")
def test_a_partition_that_has_dropped_all_its_messages_is_read_to_its_end(
    connection: KafkaConnection, topics: Sequence[TopicInfo]
) -> None:
    ends = produce(connection, range(5))
    admin = KafkaAdminClient(**connection.client_options())
    admin.delete_records({TopicPartition(*place): end for place, end in ends.items()})
    admin.close()
    places = Places(topics)
    with Member(connection, topics, places) as member:
        until(lambda: len(member.source.at_end()) == len(places), doing=member.step, seconds=60)


@pytest.mark.needs("drops_records")
def test_messages_that_the_broker_has_dropped_are_passed_over_with_a_warning(
    connection: KafkaConnection, topics: Sequence[TopicInfo], caplog: pytest.LogCaptureFixture
) -> None:
    ends = produce(connection, range(50))
    (name, partition), end = max(ends.items(), key=lambda item: item[1])
    admin = KafkaAdminClient(**connection.client_options())
    admin.delete_records({TopicPartition(name, partition): end - 10})
    admin.close()
    places = Places(topics)
    with Member(connection, topics, places) as member, caplog.at_level(logging.WARNING, "monitor.worker.kafka_source"):
        until(lambda: reached(places, ends, topics), doing=member.step)
        batches = [batch for batch in member.batches if batch.start.partition == partition]
        offsets = [message.offset for batch in batches for message in batch.messages]
        assert offsets == list(range(end - 10, end))
    assert f"{name}-{partition}: offsets 0 to {end - 11} are no longer on the broker" in caplog.text


def topic_id(topics: Sequence[TopicInfo]) -> str:
    return next(info.topic_id for info in topics if info.topic is TOPIC)


def topic_settings(connection: KafkaConnection, name: str) -> dict[str, str]:
    admin = KafkaAdminClient(**connection.client_options())
    try:
        answer: Any = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])
    finally:
        admin.close()
    return {key: value["value"] for key, value in answer["topic"][name].items()}


# Time of receipt


YEARS: Final = 30 * 365 * 24 * 3600 * 1000


@pytest.mark.parametrize("wrong_by_ms", [-YEARS, 0, YEARS])
def test_a_message_is_dated_by_its_receipt_whatever_its_senders_clock_says(
    connection: KafkaConnection, topics: Sequence[TopicInfo], wrong_by_ms: int
) -> None:
    before = datetime.now(UTC)
    producer = KafkaProducer(**connection.client_options())
    name = topic_name(TOPIC, connection.topic_prefix)
    producer.send(name, key=KEYS[0], value=b"1", timestamp_ms=to_millis(before) + wrong_by_ms).get(timeout=120)
    producer.close()
    places = Places(topics)
    with Member(connection, topics, places) as member:
        until(lambda: member.batches, doing=member.step)
    (message,) = member.batches[0].messages
    assert before - timedelta(seconds=1) < message.received_at < datetime.now(UTC) + timedelta(seconds=1)


@pytest.mark.needs("keeps_data")
def test_a_message_that_waits_is_dated_by_when_it_came_and_not_by_when_it_is_read(
    connection: KafkaConnection, topics: Sequence[TopicInfo]
) -> None:
    produce(connection, range(1))
    sent = datetime.now(UTC)
    time.sleep(2)
    places = Places(topics)
    with Member(connection, topics, places) as member:
        until(lambda: sum(places.values()) == len(KEYS), doing=member.step)
    received = [message.received_at for batch in member.batches for message in batch.messages]
    assert max(received) < sent + timedelta(seconds=1)


# Size


@pytest.mark.parametrize("megabytes", [2, 7])
def test_a_large_message_passes(connection: KafkaConnection, topics: Sequence[TopicInfo], megabytes: int) -> None:
    value = os.urandom(megabytes * MEGABYTE)
    with EventProducer(connection) as producer:
        producer.send(TOPIC, KEYS[0], value)
    places = Places(topics)
    with Member(connection, topics, places) as member:
        until(lambda: member.batches, doing=member.step)
        assert [message.value for batch in member.batches for message in batch.messages] == [value]


def test_a_message_over_the_limit_is_refused_and_the_topic_named(connection: KafkaConnection) -> None:
    with EventProducer(connection) as producer, pytest.raises(HipwatchError, match=r"cda-documents\.v1.* does not take"):
        producer.send(TOPIC, KEYS[0], os.urandom(MAX_MESSAGE_BYTES + MEGABYTE))


@pytest.mark.needs("limits_size")
def test_a_message_that_fills_the_limit_is_refused_by_the_broker(connection: KafkaConnection) -> None:
    with pytest.raises(HipwatchError, match=r"cda-documents\.v1.* does not take"), EventProducer(connection) as producer:
        producer.send(TOPIC, KEYS[0], os.urandom(MAX_MESSAGE_BYTES))


# Sharing


@pytest.mark.needs("shares")
def test_every_member_gets_its_partitions_however_short_its_polls(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(8):
        connection = KafkaConnection(broker.bootstrap, f"poll-{uuid.uuid4().hex[:8]}")
        make_topics(connection)
        topics = describe_topics(connection)
        monkeypatch.setattr(kafka_source, "_POLL_MS", 10 + 11 * number)
        places = Places(topics)
        with Member(connection, topics, places) as member:
            until(partial(owns_all, member, places), doing=member.step, seconds=30)
        drop_topics(connection)


@pytest.mark.needs("shares")
def test_every_partition_has_one_owner_when_a_member_joins(connection: KafkaConnection, topics: Sequence[TopicInfo]) -> None:
    places = Places(topics)
    with Member(connection, topics, places) as first:
        until(lambda: len(first.owned) == len(places), doing=first.step)
        with Member(connection, topics, places) as second:
            settle(places, first, second)


@pytest.mark.needs("shares")
def test_everything_is_read_once_while_members_come_and_go(connection: KafkaConnection, topics: Sequence[TopicInfo]) -> None:
    places = Places(topics)
    produce(connection, range(50))
    with Member(connection, topics, places) as first:
        until(lambda: first.batches, doing=first.step)
        second = Member(connection, topics, places)
        until(lambda: second.owned, doing=at_once(first, second))
        produce(connection, range(50, 100))
        for _ in range(4):
            at_once(first, second)()
        second.source.close()
        ends = produce(connection, range(100, 150))
        until(lambda: reached(places, ends, topics), doing=first.step)
        assert in_any_order(first, second) == {key: list(range(150)) for key in KEYS}


@pytest.mark.needs("shares")
def test_a_member_gets_its_partitions_though_a_rebalance_has_ended_between_two_of_its_polls(
    connection: KafkaConnection, topics: Sequence[TopicInfo]
) -> None:
    places = Places(topics)
    gone = Topic.DECLARATIONS
    left = {(info.topic_id, partition) for info in topics if info.topic is not gone for partition in info.partitions}
    with Member(connection, topics, places) as leader, Member(connection, topics, places) as other:
        until(lambda: owns_all(leader, places), doing=leader.step)
        settle(places, leader, other)
        with deleted(gone, connection):
            until(lambda: not leader.owned, doing=leader.step)  # it has noticed, asked for a rebalance, and waits for the other
            until(lambda: not other.owned, doing=other.step)
            until(lambda: other.owned, doing=other.step)  # the leader has dealt out: without its polls, in its thread
            until(lambda: leader.owned and leader.owned | other.owned == left, doing=at_once(leader, other))


@pytest.mark.needs("shares")
def test_a_member_that_closes_hands_over_at_once(connection: KafkaConnection, topics: Sequence[TopicInfo]) -> None:
    places = Places(topics)
    timeout_ms = 30_000
    with Member(connection, topics, places, session_timeout_ms=timeout_ms) as first:
        second = Member(connection, topics, places, session_timeout_ms=timeout_ms)
        settle(places, first, second)
        second.source.close()
        seconds = until(lambda: len(first.owned) == len(places), doing=first.step)
    assert seconds < timeout_ms / 1000


@pytest.mark.needs("shares")
def test_a_member_that_is_killed_hands_over_after_its_session_timeout(
    connection: KafkaConnection, topics: Sequence[TopicInfo], tmp_path: Path
) -> None:
    places = Places(topics)
    half = len(places) // 2
    command = [sys.executable, "-m", "tests.contract.member", connection.bootstrap, connection.topic_prefix, "6000"]
    told = tmp_path / "owned"
    with (
        told.open("wb") as output,
        subprocess.Popen(command, stdout=output) as victim,
        Member(connection, topics, places, session_timeout_ms=6_000) as heir,
    ):

        def have_half() -> bool:
            return len(heir.owned) == half and told.read_text(encoding="ascii").split()[-1:] == [str(half)]

        until(have_half, doing=heir.step)
        for _ in range(SETTLED):
            heir.step()
        until(have_half, doing=heir.step)
        victim.kill()
        seconds = until(lambda: len(heir.owned) == len(places), doing=heir.step)
    assert seconds > 3  # the latest heartbeat may be a while ago, but nobody is told of the death


def test_after_a_rebalance_reading_goes_on_from_the_place_and_not_from_what_was_committed(
    connection: KafkaConnection, topics: Sequence[TopicInfo]
) -> None:
    ends = produce(connection, range(50))
    places = Places(topics)
    with Member(connection, topics, places) as first:
        until(lambda: reached(places, ends, topics), doing=first.step)
        first.source.commit(first.batches)
        first.step()
    behind = Places(topics)
    with Member(connection, topics, behind) as second:
        until(lambda: reached(behind, ends, topics), doing=second.step)
        assert by_key(second) == {key: list(range(50)) for key in KEYS}


def test_any_tool_sees_how_far_the_group_is_behind(connection: KafkaConnection, topics: Sequence[TopicInfo]) -> None:
    ends = produce(connection, range(30))
    places = Places(topics)
    with Member(connection, topics, places) as member:
        until(lambda: reached(places, ends, topics), doing=member.step)
        member.source.commit(member.batches)
        until(lambda: committed(connection) == ends, doing=member.step)
    behind = produce(connection, range(7))
    assert sum(behind[place] - offset for place, offset in committed(connection).items()) == 7 * len(KEYS)


def committed(connection: KafkaConnection) -> dict[tuple[str, int], int]:
    """The offsets that the group has committed, as kafka-consumer-groups.sh shows them."""
    admin = KafkaAdminClient(**connection.client_options())
    try:
        group = connection.topic_prefix  # see Member
        found = admin.list_group_offsets({group: None})[group]
    finally:
        admin.close()
    return {(tp.topic, tp.partition): offset.offset for tp, offset in found.items() if offset.offset > 0}


def test_a_forgotten_partition_is_read_again_from_its_place(connection: KafkaConnection, topics: Sequence[TopicInfo]) -> None:
    ends = produce(connection, range(20))
    places = Places(topics)
    with Member(connection, topics, places) as member:
        until(lambda: reached(places, ends, topics), doing=member.step)
        read, member.batches = member.batches, []
        for batch in read:
            places[batch.start.topic_id, batch.start.partition] = 0
            member.source.forget(batch.start)
        until(lambda: reached(places, ends, topics), doing=member.step)
        assert by_key(member) == {key: list(range(20)) for key in KEYS}


@pytest.mark.needs("shares")
def test_a_member_that_holds_reads_nothing_and_stays_a_member(connection: KafkaConnection, topics: Sequence[TopicInfo]) -> None:
    places = Places(topics)
    with Member(connection, topics, places) as holding, Member(connection, topics, places) as other:
        settle(places, holding, other)
        owned = holding.owned
        holding.source.hold()
        ends = produce(connection, range(20))
        start = time.monotonic()
        with ThreadPoolExecutor(1) as beside:
            while time.monotonic() - start < 10:  # longer than the session timeout
                step = beside.submit(other.step)
                assert holding.source.poll() == []
                step.result()
        assert holding.owned == owned
        holding.source.release()
        until(lambda: reached(places, ends, topics), doing=at_once(holding, other))
        assert by_key(holding, other) == {key: list(range(20)) for key in KEYS}


def owns_all(member: Member, places: Places) -> bool:
    return len(member.owned) == len(places)


def settle(places: Places, first: Member, second: Member) -> None:
    """Let both step until they share the partitions, and some steps more: on a busy machine a second rebalance may come."""
    until(lambda: shared(places, first, second), doing=at_once(first, second))
    for _ in range(SETTLED):
        at_once(first, second)()
    until(lambda: shared(places, first, second), doing=at_once(first, second))


@contextmanager
def deleted(topic: Topic, connection: KafkaConnection) -> Iterator[None]:
    """The topic is gone within the block, and made anew behind it."""
    admin = KafkaAdminClient(**connection.client_options())
    admin.delete_topics([topic_name(topic, connection.topic_prefix)])
    admin.close()
    yield
    until(lambda: ensure_topics(connection))


def shared(places: Places, first: Member, second: Member) -> bool:
    """Whether both own something, and together everything, with no partition twice."""
    one, other = first.owned, second.owned
    return bool(one) and bool(other) and not one & other and one | other == set(places)


# A broker that is away


def test_a_broker_that_is_away_gives_empty_answers(
    broker: Broker, connection: KafkaConnection, topics: Sequence[TopicInfo]
) -> None:
    ends = produce(connection, range(20))
    places = Places(topics)
    with Member(connection, topics, places) as member:
        until(lambda: reached(places, ends, topics), doing=member.step)
        broker.pause()
        assert member.source.at_end() == []
        assert member.source.poll() == []
        broker.resume()
        until(lambda: len(member.source.at_end()) == len(places), doing=member.step)
        broker.kill()
        assert member.source.at_end() == []
        assert member.source.poll() == []


@pytest.mark.needs("keeps_data")
def test_reading_goes_on_after_the_broker_was_restarted(
    broker: Broker, connection: KafkaConnection, topics: Sequence[TopicInfo]
) -> None:
    ends = produce(connection, range(20))
    places = Places(topics)
    with Member(connection, topics, places) as member:
        until(lambda: reached(places, ends, topics), doing=member.step)
        broker.restart()
        ends = produce(connection, range(20, 40))
        until(lambda: reached(places, ends, topics), doing=member.step)
        broker.kill()
        member.step()
        broker.start()
        ends = produce(connection, range(40, 60))
        until(lambda: reached(places, ends, topics), doing=member.step)
        assert by_key(member) == {key: list(range(60)) for key in KEYS}


@pytest.mark.parametrize("how", [pytest.param("restart", marks=NEEDS_DATA), pytest.param("kill", marks=NEEDS_DATA), "pause"])
def test_nothing_is_lost_or_doubled_when_the_broker_fails_while_a_producer_sends(
    broker: Broker, connection: KafkaConnection, topics: Sequence[TopicInfo], how: str
) -> None:
    hasty = KafkaConnection(connection.bootstrap, connection.topic_prefix, {"request_timeout_ms": 2_000})
    with ThreadPoolExecutor(1) as other, EventProducer(hasty) as producer:
        trouble = None
        for number in range(1500):
            if number == 500:
                trouble = other.submit(FAILURES[how], broker)
            for key in KEYS:
                producer.send(TOPIC, key, str(number).encode())
        assert trouble is not None
        trouble.result()
        producer.flush()
    places = Places(topics)
    with Member(connection, topics, places) as member:
        until(lambda: reached(places, producer.next_offsets, topics), doing=member.step)
        until(lambda: len(member.source.at_end()) == len(places), doing=member.step)
        assert by_key(member) == {key: list(range(1500)) for key in KEYS}


def pause_for_a_while(broker: Broker) -> None:
    broker.pause()
    time.sleep(5)  # longer than a request may take: the client sends again what the broker will find twice
    broker.resume()


def kill_and_start(broker: Broker) -> None:
    broker.kill()
    broker.start()


FAILURES: Final[dict[str, Callable[[Broker], None]]] = {
    "restart": lambda broker: broker.restart(),
    "kill": kill_and_start,
    "pause": pause_for_a_while,
}


@pytest.mark.parametrize("how", ["nobody listens", "nobody answers"])
def test_a_broker_out_of_reach_is_an_error_within_ten_seconds(broker: Broker, how: str) -> None:
    if how == "nobody answers":
        broker.pause()
    else:
        broker.kill()
    connection = KafkaConnection(broker.bootstrap)
    info = [TopicInfo(TOPIC, "id", [0])]
    attempts: dict[str, Callable[[], object]] = {
        "describe": lambda: describe_topics(connection),
        "ensure": lambda: ensure_topics(connection),
        "produce": lambda: EventProducer(connection),
        "consume": lambda: KafkaSource(connection, info, group="contract", session_timeout_ms=6_000),
    }

    def attempt(action: Callable[[], object]) -> tuple[str, float]:
        start = time.monotonic()
        with pytest.raises(HipwatchError) as caught:
            action()
        return str(caught.value), time.monotonic() - start

    with ThreadPoolExecutor(len(attempts)) as pool:
        for sentence, seconds in pool.map(attempt, attempts.values()):
            assert f"no Kafka broker answers at {broker.bootstrap}" in sentence
            assert seconds < 15
