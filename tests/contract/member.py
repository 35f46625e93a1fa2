"""One member of a consumer group, as the worker drives it, with a dict for a ledger. Also a program, to be killed."""

import argparse
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from broker.connection import KafkaConnection
from monitor.counting.batch import Position, RawBatch
from monitor.worker.broker_topics import TopicInfo, describe_topics
from monitor.worker.kafka_source import KafkaSource


class Places(dict[tuple[str, int], int]):
    """Where each partition stands, by topic id and partition: the ledger's part in it."""

    def __init__(self, topics: Sequence[TopicInfo]) -> None:
        """Every partition at its beginning."""
        super().__init__({(info.topic_id, partition): 0 for info in topics for partition in info.partitions})
        self._lock = threading.Lock()

    def move(self, batch: RawBatch) -> bool:
        """By compare-and-set, from the batch's first offset to where reading goes on; whether it stood there."""
        with self._lock:
            key = batch.start.topic_id, batch.start.partition
            stands = self[key] == batch.start.offset
            if stands:
                self[key] = batch.next_offset
            return stands


class Member:
    """Polls like the worker: place what is waiting, poll, move the place by compare-and-set, or forget the partition."""

    def __init__(
        self,
        connection: KafkaConnection,
        topics: Sequence[TopicInfo],
        places: Places,
        *,
        session_timeout_ms: int = 6_000,
        whole_batches: bool = False,
    ) -> None:
        self._topics = topics
        self._places = places
        group = connection.topic_prefix  # a test's own, as the topics are
        self.source = KafkaSource(
            connection, topics, group=group, session_timeout_ms=session_timeout_ms, whole_batches=whole_batches
        )
        self.batches: list[RawBatch] = []

    def step(self) -> None:
        if self.source.unplaced():
            self.source.place(self._places)
        for batch in self.source.poll():
            if self._places.move(batch):
                self.batches.append(batch)
            else:
                self.source.forget(batch.start)

    @property
    def owned(self) -> set[tuple[str, int]]:
        """The partitions that are assigned and placed."""
        every = [(info.topic_id, partition) for info in self._topics for partition in info.partitions]
        return {place for place in every if self.source.owns(Position(*place, 0))}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.source.close()


def main() -> None:
    """Be a member until killed; print the number of partitions owned whenever it changes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("bootstrap")
    parser.add_argument("prefix")
    parser.add_argument("session_timeout_ms", type=int)
    arguments = parser.parse_args()
    connection = KafkaConnection(arguments.bootstrap, arguments.prefix)
    topics = describe_topics(connection)
    with Member(connection, topics, Places(topics), session_timeout_ms=arguments.session_timeout_ms) as member:
        before = -1
        while True:
            member.step()
            if (owned := len(member.owned)) != before:
                before = owned
                print(owned, flush=True)


if __name__ == "__main__":
    main()
