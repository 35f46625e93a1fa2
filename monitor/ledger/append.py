"""The ledger: append a batch of events and move the source's offset, in one transaction. Shell.

Invariant: what a partition's offset has passed is in the sums, and nothing else is. So every event counts exactly once
through crashes, rebalances and zombies, and any number of workers may share the work.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Engine, and_, delete, select

from monitor.counting.batch import Appended, Batch, Position, RawBatch
from monitor.counting.changes import Changes
from monitor.counting.kept import MAX_SUM
from monitor.counting.streams import MAX_SERIES
from monitor.ledger import platform_clock, tables
from monitor.ledger.bulk import SumOverflow, read
from monitor.ledger.canaries import post_canaries
from monitor.ledger.count import count, read_key
from monitor.ledger.database import writing
from monitor.ledger.errors import friendly_errors
from monitor.ledger.letter_posting import post_dead_letters
from monitor.ledger.statements import insert, insert_rows, table_of
from schemas.codec.reasons import Reason
from schemas.topics import Topic

_OFFSET: Final = table_of(tables.SourceOffset)
WHY_REFUSED: Final[Mapping[Reason, str]] = {
    Reason.SEQUENCE_CONFLICT: "this sequence number was counted as another event",
    Reason.SUM_OVERFLOW: f"a sum would be greater than {MAX_SUM}",
    Reason.TOO_MANY_SERIES: f"the unit has {MAX_SERIES} series on this topic already",
}


class Ledger:
    """The write side of the ledger. Every method is one transaction and raises LedgerUnavailable when it cannot be.

    `units` are the ids that the register knows: a dead letter is filed under the unit that its key names.
    """

    def __init__(self, engine: Engine, units: Container[str]) -> None:
        self._engine = engine
        self._units = units
        self._key: bytes | None = None

    def register_partitions(self, topic: Topic, topic_id: str, partitions: Iterable[int]) -> None:
        """Know every partition of a topic before the first event: the platform clock waits for all of them.

        Rows of an earlier topic of this name (deleted and made anew, or another broker) go: its offsets mean nothing now,
        and what it held stays counted.
        """
        rows = [{"topic_id": topic_id, "partition": p, "topic": topic, "next_offset": 0} for p in partitions]
        with friendly_errors(self._engine), writing(self._engine) as connection:
            platform_clock.keep_greatest(connection, gone := and_(_OFFSET.c.topic == topic, _OFFSET.c.topic_id != topic_id))
            connection.execute(delete(_OFFSET).where(gone))
            insert_rows(connection, insert(connection, _OFFSET).on_conflict_do_nothing(), rows)

    def next_offsets(self) -> dict[tuple[str, int], int]:
        """Where every partition stands, by topic id and partition."""
        return next_offsets(self._engine)

    def greatest_event_at(self) -> datetime | None:
        """The greatest event time counted so far, in whichever partition."""
        with friendly_errors(self._engine), self._engine.connect() as connection:
            return platform_clock.read_greatest_event_at(connection)

    def append(self, batch: Batch) -> Appended:
        """Count a batch, once."""
        return self.append_all([batch])[0]

    def append_all(self, batches: Sequence[Batch]) -> list[Appended]:
        """Count batches of different partitions, each once, in one transaction.

        1. move each partition's offset from its batch's start to its end by compare-and-set; where one does not move,
           somebody else owns the partition: drop that batch
        2. count the events: sums, feed progress, streams, receipts
        3. note how far the partitions are complete, keep the dead letters, and count the canary where nobody else is counted
        4. commit: all of it or nothing
        """
        try:
            return self._append(batches, near_limit=False)
        except SumOverflow:  # rare: some events find no room in a sum; which, is asked of each
            return self._append(batches, near_limit=True)

    def _append(self, batches: Sequence[Batch], *, near_limit: bool) -> list[Appended]:
        with friendly_errors(self._engine), writing(self._engine) as connection:
            moved = _move(connection, [batch.raw for batch in batches])  # 1
            ours = [batch for batch in batches if batch.raw.start in moved]
            self._key = self._key or read_key(connection)
            changes = count(connection, [batch.arrivals for batch in ours], self._key, near_limit=near_limit)  # 2
            platform_clock.note_event_times(
                connection, {batch.raw.start: found.greatest_event_at for batch, found in zip(ours, changes, strict=True)}
            )  # 3
            appended = {
                batch.raw.start: Appended(
                    True, found.accepted, found.duplicates, self._keep_dead_letters(connection, batch, found)
                )
                for batch, found in zip(ours, changes, strict=True)
            }
            post_canaries(connection, ours)
            return [appended.get(batch.raw.start, Appended(moved=False)) for batch in batches]  # 4: leaving the block commits

    def _keep_dead_letters(self, connection: Connection, batch: Batch, changes: Changes) -> int:
        raw = batch.raw
        refused = [raw.dead_letter(offset, reason, WHY_REFUSED[reason]) for offset, reason in changes.refused]
        post_dead_letters(connection, raw.start.topic_id, raw.topic, [*batch.dead_letters, *refused], self._units)
        return len(batch.dead_letters) + len(refused)

    def raise_complete_until(self, positions: Sequence[Position], until: datetime) -> None:
        """Everything up to `until` has been counted in these partitions, which were read to their end; advance the clock.

        A partition counts only while it still stands at the given offset, and what is complete never goes back. A partition
        that is not at its end is complete up to its own greatest event time. The platform clock follows the slowest.
        """
        with friendly_errors(self._engine), writing(self._engine) as connection:
            platform_clock.raise_complete_until(connection, positions, until)
            platform_clock.advance(connection)


def next_offsets(engine: Engine) -> dict[tuple[str, int], int]:
    """Where every partition stands in the ledger, by topic id and partition. Raises LedgerUnavailable."""
    with friendly_errors(engine), engine.connect() as connection:
        rows = connection.execute(select(_OFFSET.c.topic_id, _OFFSET.c.partition, _OFFSET.c.next_offset))
        return {(topic_id, partition): offset for topic_id, partition, offset in rows}


def _move(connection: Connection, raws: Sequence[RawBatch]) -> set[Position]:
    """The starts of the batches whose partitions moved. PostgreSQL locks them in one order first."""
    given = [(*raw.start, raw.next_offset) for raw in raws]
    if len({row[:2] for row in given}) < len(given):
        raise ValueError("the batches of one append are of different partitions")
    same = "found.topic_id = given.topic_id AND found.partition = given.partition AND found.next_offset = given.start"
    if connection.dialect.name == "postgresql":
        order = "ORDER BY found.topic_id, found.partition FOR UPDATE OF found"
        locked = f", ours AS MATERIALIZED (SELECT given.* FROM given JOIN source_offset AS found ON {same} {order}) "
    else:
        locked = ", ours AS (SELECT * FROM given) "
    move = (
        "UPDATE source_offset SET next_offset = ours.next_offset FROM ours WHERE source_offset.topic_id = ours.topic_id"
        " AND source_offset.partition = ours.partition AND source_offset.next_offset = ours.start"
        " RETURNING source_offset.topic_id, source_offset.partition"
    )
    columns: dict[str, type[str] | type[int]] = {"topic_id": str, "partition": int, "start": int, "next_offset": int}
    moved = {(row[0], row[1]) for row in read(connection, columns, given, locked + move)}
    return {raw.start for raw in raws if raw.start[:2] in moved}
