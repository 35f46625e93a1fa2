"""Batches of raw messages from Kafka, one per partition, from where the ledger stands. Shell: the only consumer.

Kafka's consumer group only distributes the partitions; the place to read from is the ledger's. A partition that has just
been assigned delivers nothing until it has been placed by `place`.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from kafka import ConsumerRebalanceListener, KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from kafka.structs import MemberState, OffsetAndMetadata

from monitor.ledger import Position
from schemas.clock import from_millis
from schemas.connection import KafkaConnection
from schemas.errors import HipwatchError
from schemas.refusal import entering
from schemas.topics import EVENT_TOPICS, Topic, topic_name

log = logging.getLogger(__name__)

MAX_BATCH: Final = 5_000
"""Messages per poll: large enough that a transaction costs little per event, small enough to fold in tenths of a second."""
_POLL_MS: Final = 250
_FETCH_WAIT_MS: Final = 100
_PARTITION_FETCH_BYTES: Final = 2 << 20
_REBALANCE_MS: Final = 60_000
"""A rebalance that takes longer is begun anew; the client's own five minutes are for those who poll seldom, as we never do."""
_METADATA_MS: Final = 10_000
"""So soon are partitions noticed that were added to a topic; the client's own five minutes would be long for an event."""
_LOG_APPEND_TIME: Final = 1
"""The timestamp type (KIP-32) of a message that is dated by the broker; 0 is the sender's clock, which may be wrong."""
_NO_TOPIC_ID: Final = "00000000-0000-0000-0000-000000000000"


class Raw(NamedTuple):
    """A message as it came. `received_at` is when the broker took it, where the topic keeps that, or else when we read it."""

    offset: int
    key: bytes | None
    value: bytes | None
    received_at: datetime


@dataclass(frozen=True)
class RawBatch:
    """Messages of one partition in offset order; reading goes on at `next_offset`."""

    topic: Topic
    topic_name: str
    start: Position
    next_offset: int
    messages: Sequence[Raw]


class TopicMissing(HipwatchError):
    """The broker answers, and lacks one of our topics."""


class TopicInfo(NamedTuple):
    """A topic as the broker has it now; a topic that was deleted and made anew has another id."""

    topic: Topic
    topic_id: str
    partitions: Sequence[int]


def describe_topics(connection: KafkaConnection) -> list[TopicInfo]:
    """The event topics on the broker. Raises HipwatchError when it cannot be reached or lacks a topic."""
    names = {topic_name(topic, connection.topic_prefix): topic for topic in EVENT_TOPICS}
    with entering(connection):
        admin = KafkaAdminClient(**connection.client_options())
        try:
            described = admin.describe_topics(list(names))
            cluster = str(admin.describe_cluster().get("cluster_id"))
        finally:
            admin.close()
    found = []
    for topic in described:
        name = topic["name"]
        if topic["error_code"] or not topic["partitions"]:
            raise TopicMissing(f"the broker {connection.bootstrap} has no topic {name} yet; a worker makes it")
        topic_id = str(topic.get("topic_id") or _NO_TOPIC_ID)
        if topic_id == _NO_TOPIC_ID:  # brokers before 3.1 have none
            topic_id = f"{cluster}/{name}"
        partitions = sorted(partition["partition_index"] for partition in topic["partitions"])
        found.append(TopicInfo(names[name], topic_id, partitions))
    return found


class KafkaSource:
    """One member of the consumer group."""

    def __init__(self, connection: KafkaConnection, topics: Sequence[TopicInfo], *, group: str, session_timeout_ms: int) -> None:
        self._topics = {topic_name(info.topic, connection.topic_prefix): info for info in topics}
        self._placed: dict[TopicPartition, int] = {}
        options = connection.client_options()
        with entering(connection):
            self._consumer = KafkaConsumer(
                **options,
                group_id=group,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                max_poll_records=MAX_BATCH,
                session_timeout_ms=session_timeout_ms,
                max_poll_interval_ms=max(_REBALANCE_MS, session_timeout_ms),
                heartbeat_interval_ms=max(200, session_timeout_ms // 5),
                fetch_max_wait_ms=_FETCH_WAIT_MS,
                max_partition_fetch_bytes=_PARTITION_FETCH_BYTES,
                reconnect_backoff_max_ms=2_000,
                metadata_max_age_ms=_METADATA_MS,
                allow_auto_create_topics=False,
            )
            self._consumer.subscribe(list(self._topics), listener=_Forget(self._placed))
            self._consumer.topics()  # kafka-python 3.0 has to know them before it joins: else it joins twice

    def unplaced(self) -> list[Position]:
        """Partitions that were assigned and wait to be placed; their offset is not known here (-1)."""
        return [self._position(tp, -1) for tp in sorted(self._consumer.assignment()) if tp not in self._placed]

    def place(self, next_offsets: Mapping[tuple[str, int], int]) -> None:
        """Read each waiting partition from where the ledger stands (by topic id and partition).

        Raises HipwatchError when the ledger lacks one: partitions are registered when a worker starts.
        """
        for position in self.unplaced():
            tp = self._partition(position)
            offset = next_offsets.get((position.topic_id, position.partition))
            if offset is None:
                raise HipwatchError(
                    f"{tp.topic}-{tp.partition} is new: the topic has changed since this worker began; start it again"
                )
            self._consumer.seek(tp, offset)
            self._placed[tp] = offset

    def poll(self) -> list[RawBatch]:
        """What has arrived, at most MAX_BATCH messages in all; waits up to a quarter of a second.

        Raises KafkaError when the broker refuses, HipwatchError when a log ends before where the ledger stands or a topic
        is not the one that it was; a broker that is away gives empty answers.
        """
        records = self._consumer.poll(timeout_ms=_POLL_MS)
        self._remember_to_join()
        self._require_same_topics()
        now = datetime.now(UTC)
        batches = []
        for tp, found in records.items():
            start = self._placed.get(tp)
            if start is None:
                continue  # assigned during this poll: placed before the next
            if found[0].offset < start:
                self._require_log(tp)
            messages = [_raw(record, now) for record in found if record.offset >= start]
            if not messages:
                continue
            if messages[0].offset > start:
                log.warning("%s-%d: offsets %d to %d are no longer on the broker", *tp, start, messages[0].offset - 1)
            next_offset = messages[-1].offset + 1
            self._placed[tp] = next_offset
            info = self._topics[tp.topic]
            batches.append(RawBatch(info.topic, tp.topic, self._position(tp, start), next_offset, messages))
        return batches

    def _remember_to_join(self) -> None:
        """Go on with a join that the poll has left under way.

        kafka-python 3.0 joins when the group's leader finds that the topics have changed, and keeps that reason no longer
        than the answer takes. An answer that comes between two polls is dropped: nobody asks for it any more, the heartbeat
        stays off, and the member waits for ever. Asked to rejoin, it joins until it has its partitions.
        """
        if self._consumer.group_metadata().state == MemberState.REBALANCING:
            self._consumer._coordinator.request_rejoin()

    def _require_same_topics(self) -> None:
        """Raise HipwatchError if a topic was made anew, or has partitions that it had not when this worker began.

        What is sent to either would not be counted, and nobody would be told. Looks at what the client knows, asks nobody.
        """
        known = self._consumer._cluster
        for name, info in self._topics.items():
            topic_id = known.topic_id(name)  # a broker that has no topic ids says nothing, or the id of none
            if topic_id and str(topic_id) not in (info.topic_id, _NO_TOPIC_ID):
                raise HipwatchError(f"{name} was deleted and made anew since this worker began; start it again")
            if added := (known.partitions_for_topic(name) or set()).difference(info.partitions):
                raise HipwatchError(f"{name}-{min(added)} is new: the topic has changed since this worker began; start it again")

    def at_end(self) -> list[Position]:
        """The partitions that were just found read to their end, asked of the broker. Empty when it does not answer.

        Raises HipwatchError when a log ends before where the ledger stands.
        """
        placed = [tp for tp in sorted(self._consumer.assignment()) if tp in self._placed]
        if not placed:
            return []
        try:
            ends = self._consumer.end_offsets(placed, timeout_ms=2_000)
        except KafkaError:
            return []
        return [self._position(tp, self._placed[tp]) for tp in placed if self._is_end(tp, ends[tp])]

    def _is_end(self, tp: TopicPartition, end: int) -> bool:
        # The embedded broker gives the first offset of the last batch as the end: the high watermark of the last fetch
        # knows better. Where a log ends in transaction markers, or retention has emptied it, the position has passed what
        # no message can show.
        try:
            found = self._consumer.position(tp, timeout_ms=0)
        except KafkaError:
            found = None
        position = -1 if found is None else found
        if 0 <= position < self._placed.get(tp, -1):
            self._require_log(tp)
        return bool(max(self._placed.get(tp, -1), position) >= max(end, self._consumer.highwater(tp) or 0))

    def _require_log(self, tp: TopicPartition) -> None:
        """Raise HipwatchError if the log ends before where the ledger stands.

        The client then goes back to the beginning of the log by itself. What is sent from now on gets offsets that the
        ledger has passed: waiting would skip it.
        """
        start = self._placed.get(tp, 0)
        try:
            end = max(self._consumer.end_offsets([tp], timeout_ms=2_000)[tp], self._consumer.highwater(tp) or 0)
        except KafkaError:
            return  # asked again soon
        if end < start:
            raise HipwatchError(
                f"{tp.topic}-{tp.partition} ends at offset {end} on the broker, and the ledger has counted up to {start}: "
                "the broker has lost messages, or the ledger is another broker's; "
                "'The broker has lost messages' in ops/operations.md says what to do"
            )

    def forget(self, position: Position) -> None:
        """Somebody else has counted in this partition: place it anew before reading on."""
        self._placed.pop(self._partition(position), None)

    def commit(self, batches: Sequence[RawBatch]) -> None:
        """Tell Kafka how far we have counted, for its lag displays. Advisory: the ledger's offset is what counts.

        One request for all: of more than five at a time, kafka-python drops what is too much.
        """
        offsets = {self._partition(batch.start): OffsetAndMetadata(batch.next_offset, "", -1) for batch in batches}
        if offsets:
            self._consumer.commit_async(offsets)

    def owns(self, position: Position) -> bool:
        """Whether the partition is still assigned and has not been placed anew since `position`."""
        return self._partition(position) in self._placed

    def hold(self) -> None:
        """Fetch nothing, but stay a member: poll goes on and returns nothing."""
        self._consumer.pause(*self._consumer.assignment())

    def release(self) -> None:
        """End a hold."""
        self._consumer.resume(*self._consumer.paused())

    def close(self) -> None:
        """Leave the group at once, so that others take over without waiting for the session to time out."""
        self._consumer.close(autocommit=False, timeout_ms=2_000)

    def _position(self, tp: TopicPartition, offset: int) -> Position:
        return Position(self._topics[tp.topic].topic_id, tp.partition, offset)

    def _partition(self, position: Position) -> TopicPartition:
        for name, info in self._topics.items():
            if info.topic_id == position.topic_id:
                return TopicPartition(name, position.partition)
        raise KeyError(position)


def _raw(record: Any, now: datetime) -> Raw:
    received_at = from_millis(record.timestamp) if record.timestamp_type == _LOG_APPEND_TIME else now
    return Raw(record.offset, record.key, record.value, received_at)


class _Forget(ConsumerRebalanceListener):  # type: ignore[misc]
    """Every rebalance unplaces all partitions: the client gives up all that it has, and is given all that it gets."""

    def __init__(self, placed: dict[TopicPartition, int]) -> None:
        self._placed = placed

    def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        self._placed.clear()

    def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        self._placed.clear()
