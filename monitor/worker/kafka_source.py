"""Batches of raw messages from Kafka, one per partition, from where the ledger stands. Shell: the only consumer.

Kafka's consumer group only distributes the partitions; the place to read from is the ledger's. A partition that has just
been assigned delivers nothing until it has been placed by `place`.
"""

import contextlib
import logging
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError, RetriableError, UnknownError
from kafka.structs import MemberState, OffsetAndMetadata

from broker.connection import KafkaConnection
from broker.diagnosis import explained
from broker.topics import never_make_topics
from monitor.counting.batch import Position, RawBatch
from monitor.worker.bounded_records import BoundedRecords, EnoughTaken, read_bounded
from monitor.worker.broker_pulse import BrokerPulse
from monitor.worker.broker_topics import TopicInfo
from monitor.worker.large_reads import large_reads
from monitor.worker.packed_messages import packed_batch
from monitor.worker.raw_batch import raw_batch, received_at
from monitor.worker.read_progress import ReadProgress
from monitor.worker.rebalances import ForgetPlaces
from monitor.worker.record_batches import WholeBatches
from monitor.worker.source import Behind, Source, Trouble
from monitor.worker.topic_watch import TopicWatch
from schemas.errors import HipwatchError
from schemas.topics import topic_name

log = logging.getLogger(__name__)
MAX_BATCH: Final = 5_000
"""Messages per poll: large enough that a transaction costs little per event, small enough to fold in tenths of a second."""
_POLL_MS: Final = 500
_FETCH_WAIT_MS: Final = 500
"""How long the broker waits for something to come before it says that there is nothing: what an idle worker's requests cost."""
_FETCH_BYTES: Final = 4 << 20
"""Of all partitions together: what was fetched lies in memory, several times over, until it is read. One partition may fill it,
and the next answer begins with another: much of few units makes fewer sums than little of all."""
_REBALANCE_MS: Final = 60_000
"""A rebalance that takes longer is begun anew; the client's own five minutes are for those who poll seldom, as we never do."""
_METADATA_MS: Final = 10_000
"""So soon are partitions noticed that were added to a topic; the client's own five minutes would be long for an event."""
_AWAY: Final = (RetriableError, UnknownError, OSError)
"""What says that the broker is away or not itself, and not that it refuses us."""
_NOT_THERE: Final = (KeyError, AttributeError)
"""What kafka-python 3.0 stumbles over when asked for the ends of a topic that has just been deleted."""
_BEGIN_SECONDS: Final = 5.0
"""How long an answer holds that says where a log begins: with transactions, something is left out at nearly every poll."""


class KafkaSource(Source):
    """One member of the consumer group."""

    def __init__(
        self,
        connection: KafkaConnection,
        topics: Sequence[TopicInfo],
        *,
        group: str,
        session_timeout_ms: int,
        whole_batches: bool = False,
    ) -> None:
        """Join the group. With `whole_batches`, messages are PackedMessages, for whoever reads many of them at once."""
        self._whole_batches = whole_batches
        self._topics = {topic_name(info.topic, connection.topic_prefix): info for info in topics}
        self._placed: dict[TopicPartition, int] = {}
        self._all_at_end: dict[TopicPartition, int] = {}
        self._begins: dict[TopicPartition, tuple[float, int]] = {}
        self._progress = ReadProgress()
        options = large_reads() | connection.client_options()
        with explained(connection):
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
                max_partition_fetch_bytes=_FETCH_BYTES,
                reconnect_backoff_max_ms=2_000,
                metadata_max_age_ms=_METADATA_MS,
                fetch_max_bytes=_FETCH_BYTES,
                isolation_level="read_committed",
                allow_auto_create_topics=False,
            )
            never_make_topics(self._consumer._cluster)
            self._taken = read_bounded(self._consumer, WholeBatches if whole_batches else BoundedRecords)
            self._pulse = BrokerPulse(self._consumer, self._topics, self._progress)
            self._watch = TopicWatch(self._consumer._cluster, self._topics)
            self._consumer.subscribe(list(self._topics), listener=ForgetPlaces(self._placed))
            self._consumer.topics()  # kafka-python 3.0 has to know them before it joins: else it joins twice

    def unplaced(self) -> list[Position]:
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
        """What has arrived, at most MAX_BATCH messages in all; waits up to half a second.

        Raises KafkaError when the broker refuses, HipwatchError when a log ends before where the ledger stands or a topic
        is not the one that it was; a broker that is away gives empty answers.
        """
        records = self._records()
        self._remember_to_join()
        self._watch.look()
        self._pulse.look()
        now = datetime.now(UTC)
        batches = []
        for tp, found in records.items():
            start = self._placed.get(tp)
            if start is None:
                continue  # assigned during this poll: placed before the next
            if found[0].offset < start:
                self._require_log(tp)
            news = [record for record in found if record.offset >= start]
            if news:
                batches.append(self._batch(tp, start, news, now))
        return batches

    def _records(self) -> dict[TopicPartition, list[Any]]:
        for _ in range(2):
            self._taken.start()
            try:
                found: dict[TopicPartition, list[Any]] = self._consumer.poll(timeout_ms=_POLL_MS)
                return found
            except EnoughTaken as said:  # of the poll before, which had taken all that it might
                said.__traceback__ = None  # a ring: it holds what that poll took until the garbage collector comes by
            except _AWAY as error:
                self._wait_for_broker(error)
                break
        return {}

    def _wait_for_broker(self, error: Exception) -> None:
        """A broker that restarts refuses connections for a moment, and the client lets that out of whatever it does just then."""
        log.warning("waiting for the broker: %s", error)
        self._progress.broker_away()
        time.sleep(_POLL_MS / 1000)

    def _batch(self, tp: TopicPartition, start: int, records: Sequence[Any], now: datetime) -> RawBatch:
        """What was read of one partition; it stands behind that from now on."""
        begins = getattr(records[0], "at", records[0].offset)  # a whole batch stands at its last message
        if begins > start and self._log_begins_behind(tp, start):
            log.warning("%s-%d: offsets %d to %d are no longer on the broker", *tp, start, begins - 1)
        made = packed_batch if self._whole_batches else raw_batch
        batch = made(self._topics[tp.topic].topic, tp.topic, self._position(tp, start), records, now)
        self._placed[tp] = batch.next_offset
        self._progress.has_read(tp, received_at(records[-1], now))
        return batch

    def _log_begins_behind(self, tp: TopicPartition, offset: int) -> bool:
        """Whether the broker has dropped what stood at `offset`. What a transaction leaves out, and its end, are no messages."""
        asked_at, begin = self._begins.get(tp, (-_BEGIN_SECONDS, 0))
        if time.monotonic() - asked_at >= _BEGIN_SECONDS:
            with contextlib.suppress(KafkaError, *_NOT_THERE):
                begin = self._consumer.beginning_offsets([tp], timeout_ms=2_000)[tp]
            self._begins[tp] = (time.monotonic(), begin)
        return begin > offset

    def _remember_to_join(self) -> None:
        """Go on with a join that the poll has left under way.

        kafka-python 3.0 joins when the group's leader finds that the topics have changed, and keeps that reason no longer
        than the answer takes. An answer that comes between two polls is dropped: nobody asks for it any more, the heartbeat
        stays off, and the member waits for ever. Asked to rejoin, it joins until it has its partitions.
        """
        if self._consumer.group_metadata().state == MemberState.REBALANCING:
            self._consumer._coordinator.request_rejoin()

    def at_end(self) -> list[Position]:
        """Asks the broker; empty when it does not answer. Raises HipwatchError when a log ends before where the ledger stands."""
        placed = [tp for tp in sorted(self._consumer.assignment()) if tp in self._placed]
        if not placed:
            return []
        self._pulse.asked()
        try:
            ends = self._consumer.end_offsets(placed, timeout_ms=2_000)
        except KafkaError:
            self._progress.broker_away()
            return []
        except _NOT_THERE:
            return []
        self._progress.broker_here()
        found = {tp: self._placed[tp] for tp in placed if self._is_end(tp, ends[tp])}
        for tp in placed:
            self._progress.look(tp, at_end=tp in found, open_transaction=tp not in found and self._waits_for_commit(tp, ends[tp]))
        self._all_at_end = found if len(found) == len(placed) else {}
        return [self._position(tp, offset) for tp, offset in found.items()]

    def at_rest(self) -> bool:
        """Whether nothing has been read or placed since every partition was found read to its end. Asks nobody."""
        if self._pulse.is_due():
            return False
        return bool(self._placed) and self._placed == self._all_at_end

    def behind(self) -> list[Behind]:
        now = datetime.now(UTC)
        return [self._progress.behind(tp, self._unread(tp), now) for tp in sorted(self._placed)]

    def troubles(self) -> list[Trouble]:
        return [*self._progress.troubles(), *self._watch.troubles()]

    def _unread(self, tp: TopicPartition) -> int:
        return max(0, (self._consumer.highwater(tp) or 0) - max(self._placed.get(tp, 0), self._position_of(tp)))

    def _waits_for_commit(self, tp: TopicPartition, end: int) -> bool:
        """Whether all is read that is committed, and more is there: the end that we are told is that of the committed."""
        stands = max(self._placed.get(tp, -1), self._position_of(tp))
        return end <= stands < (self._consumer.highwater(tp) or 0)

    def _position_of(self, tp: TopicPartition) -> int:
        """Where the client reads next, which may be behind messages that are not handed out; -1 if that is not known."""
        state = self._consumer._subscription.assignment.get(tp)  # `position` looks at all partitions each time
        return -1 if state is None or state.position is None else int(state.position.offset)

    def _is_end(self, tp: TopicPartition, end: int) -> bool:
        # The embedded broker gives the first offset of the last batch as the end: the high watermark of the last fetch
        # knows better. Where a log ends in transaction markers, or retention has emptied it, the position has passed what
        # no message can show.
        position = self._position_of(tp)
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
        except (KafkaError, *_NOT_THERE):
            return  # asked again soon
        if end < start:
            raise HipwatchError(
                f"{tp.topic}-{tp.partition} ends at offset {end} on the broker, and the ledger has counted up to {start}: "
                "the broker has lost messages, or the ledger is another broker's; "
                "'The broker has lost messages' in docs/operations.md says what to do"
            )

    def forget(self, position: Position) -> None:
        self._placed.pop(self._partition(position), None)

    def commit(self, batches: Sequence[RawBatch]) -> None:
        """Tell Kafka how far we have counted, for its lag displays. Advisory: the ledger's offset is what counts.

        One request for all: of more than five at a time, kafka-python drops what is too much.
        """
        offsets = {self._partition(batch.start): OffsetAndMetadata(batch.next_offset, "", -1) for batch in batches}
        if offsets:
            self._consumer.commit_async(offsets)

    def owns(self, position: Position) -> bool:
        return self._partition(position) in self._placed

    def hold(self) -> None:
        self._consumer.pause(*self._consumer.assignment())

    def release(self) -> None:
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
