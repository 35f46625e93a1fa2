"""The ledger: append a batch of events and move the source's offset, in one transaction. Shell around `fold`.

Invariant: what a partition's offset has passed is in the sums, and nothing else is. So every event counts exactly once
through crashes, rebalances and zombies, and any number of workers may share the work.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection, Engine, bindparam, delete, func, or_, select, update

from monitor import tables
from monitor.database import insert, of_streams, sentences, table_of, writing
from monitor.fold import Arrival, Gap, Stream, StreamKey, fold, resent, stream_of
from monitor.postings import post, post_letters
from schemas.codec import Reason
from schemas.events import DeadLetter
from schemas.topics import Topic


class Position(NamedTuple):
    """A place in a partition: the next offset to be read."""

    topic_id: str
    partition: int
    offset: int


@dataclass(frozen=True)
class Batch:
    """What one poll took from one partition. `start` is where the ledger stood, `next_offset` where it will stand."""

    topic: Topic
    start: Position
    next_offset: int
    arrivals: Sequence[Arrival]
    letters: Sequence[DeadLetter]
    letter_for: Callable[[int, Reason, str], DeadLetter]
    received_at: datetime


class Appended(NamedTuple):
    """What an append did. `moved` is False when another worker owns the partition: nothing was written then."""

    moved: bool
    accepted: int = 0
    duplicates: int = 0
    letters: int = 0


_OFFSET: Final = table_of(tables.SourceOffset)
_CLOCK: Final = table_of(tables.PlatformClock)
_STREAM: Final = table_of(tables.StreamState)
_GAP: Final = table_of(tables.OpenGap)
_COUNTED: Final = table_of(tables.CountedEvent)
_LETTER: Final = table_of(tables.DeadLetterRow)


class Ledger:
    """The write side of the ledger. Every method is one transaction and raises LedgerUnavailable when it cannot be."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def register_partitions(self, topic: Topic, topic_id: str, partitions: Iterable[int]) -> None:
        """Know every partition of a topic before the first event: the platform clock waits for all of them.

        Rows of an earlier topic of this name (deleted and made anew, or another broker) go: its offsets mean nothing now,
        and what it held stays counted.
        """
        rows = [{"topic_id": topic_id, "partition": p, "topic": topic, "next_offset": 0} for p in partitions]
        with sentences(self._engine), writing(self._engine) as connection:
            connection.execute(delete(_OFFSET).where(_OFFSET.c.topic == topic, _OFFSET.c.topic_id != topic_id))
            connection.execute(insert(connection, _OFFSET).on_conflict_do_nothing(), rows)

    def next_offsets(self) -> dict[tuple[str, int], int]:
        """Where every partition stands, by topic id and partition."""
        with sentences(self._engine), self._engine.connect() as connection:
            rows = connection.execute(select(_OFFSET.c.topic_id, _OFFSET.c.partition, _OFFSET.c.next_offset))
            return {(topic_id, partition): offset for topic_id, partition, offset in rows}

    def greatest_event_at(self) -> datetime | None:
        """The greatest event time counted so far, in whichever partition."""
        with sentences(self._engine), self._engine.connect() as connection:
            moment: datetime | None = connection.execute(select(_CLOCK.c.greatest_event_at)).scalar()
            return moment

    def append(self, batch: Batch) -> Appended:
        """Count a batch, once.

        1. move the partition's offset from the batch's start to its end by compare-and-set; if it does not move,
           somebody else owns the partition: drop the batch
        2. lock and read the streams that the batch touches, and the receipts of numbers seen before
        3. fold
        4. add the sums, marks, receipts and dead letters
        5. commit: all of it or nothing
        """
        with sentences(self._engine), writing(self._engine) as connection:
            if not self._move(connection, batch.start, batch.next_offset):  # 1
                return Appended(moved=False)
            before = self._streams(connection, {stream_of(arrival.event) for arrival in batch.arrivals})  # 2
            gaps_before = {key: list(stream.gaps) for key, stream in before.items()}
            duplicates_before = sum(stream.duplicates for stream in before.values())
            counted = self._receipts(connection, resent(batch.arrivals, before))
            changes = fold(batch.arrivals, before, counted, batch.received_at)  # 3
            post(connection, changes, gaps_before)  # 4
            self._advance_marks(connection, batch.start, changes.greatest_event_at)
            detail = "this sequence number was counted as another event"
            conflicts = [batch.letter_for(offset, Reason.SEQUENCE_CONFLICT, detail) for offset in changes.conflicts]
            letters = [*batch.letters, *conflicts]
            post_letters(connection, batch.start.topic_id, batch.topic, letters)
            duplicates = sum(stream.duplicates for stream in changes.streams.values()) - duplicates_before
            return Appended(True, len(changes.receipts), duplicates, len(letters))  # 5: leaving the block commits

    def mark_complete(self, positions: Sequence[Position], until: datetime) -> None:
        """Everything up to `until` has been counted in these partitions, which were read to their end; advance the clock.

        A partition counts only while it still stands at the given offset, and its mark never goes back. A partition that
        is not at its end is complete up to its own greatest event time. The platform clock follows the slowest.
        """
        with sentences(self._engine), writing(self._engine) as connection:
            statement = (
                update(_OFFSET)
                .where(
                    _OFFSET.c.topic_id == bindparam("b_topic_id"),
                    _OFFSET.c.partition == bindparam("b_partition"),
                    _OFFSET.c.next_offset == bindparam("b_offset"),
                    or_(_OFFSET.c.complete_until.is_(None), _OFFSET.c.complete_until < until),
                )
                .values(complete_until=until)
            )
            marks = [{"b_topic_id": p.topic_id, "b_partition": p.partition, "b_offset": p.offset} for p in positions]
            if marks:
                connection.execute(statement, marks)
            self._advance_clock(connection)

    def unpublished_letters(self, most: int = 100) -> list[tuple[Position, DeadLetter]]:
        """Dead letters that are not yet on the dead-letter topic, oldest first."""
        statement = select(_LETTER).where(_LETTER.c.published_at.is_(None)).order_by(_LETTER.c.received_at).limit(most)
        with sentences(self._engine), self._engine.connect() as connection:
            return [
                (
                    Position(row.topic_id, row.partition, row.position),
                    DeadLetter(
                        row.topic, row.partition, row.position, row.received_at, row.reason, row.detail, row.key, row.value
                    ),
                )
                for row in connection.execute(statement)
            ]

    def mark_published(self, letters: Sequence[Position]) -> None:
        """These letters are on the dead-letter topic now."""
        with sentences(self._engine), writing(self._engine) as connection:
            for letter in letters:
                connection.execute(
                    update(_LETTER)
                    .where(
                        _LETTER.c.topic_id == letter.topic_id,
                        _LETTER.c.partition == letter.partition,
                        _LETTER.c.position == letter.offset,
                    )
                    .values(published_at=datetime.now(UTC))
                )

    def _move(self, connection: Connection, start: Position, next_offset: int) -> bool:
        moved = connection.execute(
            update(_OFFSET)
            .where(
                _OFFSET.c.topic_id == start.topic_id,
                _OFFSET.c.partition == start.partition,
                _OFFSET.c.next_offset == start.offset,
            )
            .values(next_offset=next_offset)
        )
        return moved.rowcount == 1

    def _streams(self, connection: Connection, keys: set[StreamKey]) -> dict[StreamKey, Stream]:
        """Every stream in `keys`, locked (in one order, so that two workers cannot block each other for ever)."""
        if not keys:
            return {}
        ordered = sorted(keys)
        fresh = {"next_sequence": 1, "accepted": 0, "duplicates": 0, "skipped": 0, "filled": 0, "ahead": 0}
        rows = [{"unit_id": key.unit_id, "topic": key.topic, "series": key.series, **fresh} for key in ordered]
        connection.execute(insert(connection, _STREAM).on_conflict_do_nothing(), rows)
        found: dict[StreamKey, Stream] = {}
        for row in connection.execute(of_streams(select(_STREAM), _STREAM, ordered).with_for_update()):
            key = StreamKey(row.unit_id, Topic(row.topic), row.series)
            found[key] = Stream(row.next_sequence, [], row.accepted, row.duplicates, row.skipped, row.filled, row.ahead)
        gaps = of_streams(select(_GAP), _GAP, ordered).order_by(_GAP.c.first_missing)
        for row in connection.execute(gaps):
            found[StreamKey(row.unit_id, Topic(row.topic), row.series)].gaps.append(Gap(row.first_missing, row.last_missing))
        return found

    def _receipts(self, connection: Connection, numbers: set[tuple[StreamKey, int]]) -> dict[tuple[StreamKey, int], str]:
        found: dict[tuple[StreamKey, int], str] = {}
        by_stream: dict[StreamKey, list[int]] = {}
        for key, sequence in numbers:
            by_stream.setdefault(key, []).append(sequence)
        for key, sequences in by_stream.items():
            statement = select(_COUNTED.c.sequence, _COUNTED.c.event_id).where(
                _COUNTED.c.unit_id == key.unit_id,
                _COUNTED.c.topic == key.topic,
                _COUNTED.c.series == key.series,
                _COUNTED.c.sequence.between(min(sequences), max(sequences)),
            )
            found |= {(key, sequence): event_id for sequence, event_id in connection.execute(statement)}
        return found

    def _advance_marks(self, connection: Connection, start: Position, moment: datetime | None) -> None:
        """Units send in order of event time: what a partition has counted up to, it is complete up to."""
        if moment is None:
            return
        behind = or_(_CLOCK.c.greatest_event_at.is_(None), _CLOCK.c.greatest_event_at < moment)
        connection.execute(update(_CLOCK).where(behind).values(greatest_event_at=moment))
        connection.execute(
            update(_OFFSET)
            .where(
                _OFFSET.c.topic_id == start.topic_id,
                _OFFSET.c.partition == start.partition,
                or_(_OFFSET.c.complete_until.is_(None), _OFFSET.c.complete_until < moment),
            )
            .values(complete_until=moment)
        )

    def _advance_clock(self, connection: Connection) -> None:
        slowest, unknown = connection.execute(
            select(func.min(_OFFSET.c.complete_until), func.count().filter(_OFFSET.c.complete_until.is_(None)))
        ).one()
        if slowest is not None and not unknown:
            behind = or_(_CLOCK.c.complete_until.is_(None), _CLOCK.c.complete_until < slowest)
            connection.execute(update(_CLOCK).where(behind).values(complete_until=slowest, advanced_at=datetime.now(UTC)))
