"""The producer: the only Kafka client on the side of the units. Shell.

Invariant: when `flush` returns, every message sent before is acknowledged by all in-sync replicas, and `next_offsets`
says where each partition goes on; otherwise an error has been raised.
"""

import contextlib
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Self

from kafka import KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError

from broker.connection import KafkaConnection
from broker.diagnosis import explained
from broker.topics import never_make_topics
from schemas.errors import HipwatchError
from schemas.topics import MAX_MESSAGE_BYTES, Topic, topic_name

_TOPIC_MS: Final = 10_000
"""Longest wait for a topic's partitions; a topic that is missing stays missing, for the producer creates none."""
_LINGER_MS: Final = 20
"""A batch waits this long for company: invisible next to the minutes of a deadline, and batches compress well."""
_BATCH_BYTES: Final = 256 << 10
_IN_FLIGHT_BYTES: Final = 32 << 20
_IN_FLIGHT_MESSAGES: Final = 50_000
"""The client itself buffers without bound, so that a slow broker would fill the memory of a fast simulator."""
_CLOSE_SECONDS: Final = 5
"""After an error there is nothing left to wait for but the sockets."""
_REQUEST_OVERHEAD: Final = 4 << 10
"""Room for the framing of a batch of one: the client weighs a message together with it."""
_LOOK_SECONDS: Final = 0.5
"""While waiting for acknowledgements, how often to ask whether that still makes sense."""


class EventProducer:
    """Publishes messages, idempotently and in order per unit. A context manager; not to be shared between threads.

    `next_offsets` maps (topic name, partition) to the offset after the last acknowledged message.
    """

    def __init__(
        self, connection: KafkaConnection, check: Callable[[], None] = lambda: None, *, linger_ms: int = _LINGER_MS
    ) -> None:
        """Connect. Raises HipwatchError within about ten seconds when no broker answers.

        `check` is asked again and again while acknowledgements are awaited; what it raises ends the wait. A batch waits for
        `linger_ms` to be filled.
        """
        self.next_offsets: dict[tuple[str, int], int] = {}
        self._check = check
        self._bootstrap = connection.bootstrap
        self._names = {topic: topic_name(topic, connection.topic_prefix) for topic in Topic}
        self._in_flight: deque[tuple[str, int, Any]] = deque()  # topic name, bytes, future; oldest first
        self._in_flight_bytes = 0
        self._kafka = _connect(connection, linger_ms)

    def partitions(self, topic: Topic) -> list[int]:
        """The partitions that a topic has now. Raises HipwatchError when it has none that can be found."""
        name = self._names[topic]
        try:
            return sorted(self._kafka.partitions_for(name))
        except KafkaError as error:
            raise self._undelivered(name, error) from error

    def send(self, topic: Topic, key: bytes, value: bytes, partition: int | None = None) -> None:
        """Hand over one message; `key` is the unit id, and chooses the partition. May wait for acknowledgements of earlier ones.

        The Kafka timestamp stays the time of sending: brokers delete by it, and a replayed month lies years back.
        Raises HipwatchError naming the topic when this message, or an earlier one, cannot be delivered.
        """
        name, size = self._names[topic], len(value)
        try:
            future = self._kafka.send(name, value=value, key=key, partition=partition)
        except (KafkaError, ValueError) as error:
            raise self._undelivered(name, error) from error
        self._in_flight.append((name, size, future))
        self._in_flight_bytes += size
        if len(self._in_flight) >= _IN_FLIGHT_MESSAGES or self._in_flight_bytes >= _IN_FLIGHT_BYTES:
            self._settle(len(self._in_flight) // 2)

    def flush(self) -> None:
        """Wait until every message sent so far is acknowledged.

        Raises HipwatchError naming the topic of the first that is not.
        """
        if self._in_flight:
            with contextlib.suppress(KafkaTimeoutError):  # what lingers goes out now; the wait proper comes next
                self._kafka.flush(timeout=_LOOK_SECONDS)
            self._settle(0)

    def close(self) -> None:
        """Flush, then leave the broker."""
        try:
            self.flush()
        finally:
            self._leave()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if kind is None:
            self.close()
        else:
            self._leave()

    def _settle(self, keep: int) -> None:
        """Collect acknowledgements, oldest first, until only the `keep` youngest messages are in flight."""
        while len(self._in_flight) > keep:
            name, size, future = self._in_flight.popleft()
            self._in_flight_bytes -= size
            try:
                placed = self._wait_for(future)
            except KafkaError as error:
                raise self._undelivered(name, error) from error
            place = (name, placed.partition)
            self.next_offsets[place] = max(self.next_offsets.get(place, 0), placed.offset + 1)

    def _wait_for(self, future: Any) -> Any:
        while True:
            self._check()
            try:
                return future.get(timeout=_LOOK_SECONDS)
            except KafkaTimeoutError:
                if future.is_done:  # the message's own time is up, not only this look's
                    raise

    def _leave(self) -> None:
        try:
            self._kafka.close(timeout=_CLOSE_SECONDS)
        except KafkaError:  # what could not be delivered has been, or is being, reported
            self._kafka._sender.force_close()  # kafka-python 3.0 waits for it first, and then does not close at all
            self._kafka._sender.join(_CLOSE_SECONDS)
            self._kafka.close(timeout=_CLOSE_SECONDS)

    def _undelivered(self, name: str, error: Exception) -> HipwatchError:
        return HipwatchError(f"topic {name} on {self._bootstrap} does not take messages: {_words(error)}")


def _connect(connection: KafkaConnection, linger_ms: int) -> Any:
    with explained(connection):
        producer = KafkaProducer(
            acks="all",
            enable_idempotence=True,
            linger_ms=linger_ms,
            batch_size=_BATCH_BYTES,
            compression_type="lz4",  # cheapest by far to unpack, and every client has it
            max_request_size=MAX_MESSAGE_BYTES + _REQUEST_OVERHEAD,
            max_block_ms=_TOPIC_MS,
            allow_auto_create_topics=False,
            **connection.client_options(),
        )
        never_make_topics(producer._metadata)
        return producer


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
