"""Look whether topics hold messages that the simulator did not send: before a made-up month is published among them. Shell."""

import time
from collections.abc import Iterable
from contextlib import closing
from typing import Any, Final

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from broker.connection import KafkaConnection
from broker.diagnosis import explained
from schemas.codec.reasons import DecodeError
from schemas.codec.records import read_record
from schemas.errors import HipwatchError
from schemas.simulated import may_be_simulated
from schemas.topics import EVENT_TOPICS, Topic, topic_name

_LOOKED_AT: Final = 5
"""Messages at the beginning and at the end of each partition: whoever writes there, writes first or last."""
_PATIENCE_SECONDS: Final = 10.0
_POLL_MS: Final = 200
_QUIET_POLLS: Final = 3


def require_no_strangers(connection: KafkaConnection) -> None:
    """Raise HipwatchError with what to do when an event topic of this prefix holds what the simulator did not send.

    A topic that may not be read may hold anything. Reads a few messages of each partition, and commits nothing.
    """
    try:
        with explained(connection):
            consumer = KafkaConsumer(**connection.client_options(), enable_auto_commit=False)
        with closing(consumer):
            strange = _strange_topic(consumer, connection)
    except KafkaError as error:
        why = f"cannot be read ({error or type(error).__name__}) and may hold real messages"
        raise HipwatchError(_refusal(connection, f"{connection.topic_prefix}.*", why)) from None
    if strange is not None:
        raise HipwatchError(_refusal(connection, strange, "holds messages that were not simulated"))


def _refusal(connection: KafkaConnection, topic: str, why: str) -> str:
    return (
        f"the topic {topic} on {connection.bootstrap} {why}: a made-up month would be counted among them; give it topics of its "
        "own with --topic-prefix NAME, or add --yes-into-this-broker (HIPWATCH_YES_INTO_THIS_BROKER=1)"
    )


def _strange_topic(consumer: Any, connection: KafkaConnection) -> str | None:
    there = consumer.topics()
    for topic in EVENT_TOPICS:
        name = topic_name(topic, connection.topic_prefix)
        if name in there and _holds_strange(_sample(consumer, name), topic):
            return name
    return None


def _holds_strange(values: Iterable[bytes | None], topic: Topic) -> bool:
    """Whether one was not simulated. What cannot be read is the simulator's only among others of the simulator's."""
    unread = simulated = 0
    for value in values:
        try:
            series = read_record(value, topic)["series"]
        except DecodeError:
            unread += 1
            continue
        if not may_be_simulated(series):
            return True
        simulated += 1
    return unread > 0 and simulated == 0


def _sample(consumer: Any, name: str) -> list[bytes | None]:
    """The first and the last few messages of each partition."""
    partitions = [TopicPartition(name, number) for number in consumer.partitions_for_topic(name) or ()]
    begins, ends = consumer.beginning_offsets(partitions), consumer.end_offsets(partitions)
    held = {partition for partition in partitions if begins[partition] < ends[partition]}
    first = _read(consumer, {partition: begins[partition] for partition in partitions}, held)
    long = {partition for partition in held if ends[partition] - begins[partition] > _LOOKED_AT}
    return first + _read(consumer, {partition: ends[partition] - _LOOKED_AT for partition in long}, long)


def _read(consumer: Any, starts: dict[TopicPartition, int], held: set[TopicPartition]) -> list[bytes | None]:
    """A few messages of each partition from its start on; fewer where there are no more, as behind a transaction's marker.

    `held` are those that are known to hold something: the embedded broker says so only of those with two batches and more.
    """
    consumer.assign(list(starts))
    for partition, offset in starts.items():
        consumer.seek(partition, offset)
    values: list[bytes | None] = []
    waiting, quiet = set(starts), 0
    end = time.monotonic() + _PATIENCE_SECONDS
    while waiting and time.monotonic() < end:
        got = consumer.poll(timeout_ms=_POLL_MS)
        for partition, records in got.items():
            values += [record.value for record in (*records[:_LOOKED_AT], *records[-_LOOKED_AT:])]
            waiting.discard(partition)
        consumer.pause(*(set(starts) - waiting))
        quiet = 0 if got else quiet + 1
        if quiet >= _QUIET_POLLS and all(consumer.position(partition) > starts[partition] for partition in waiting & held):
            break
    return values
