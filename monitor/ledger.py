"""The ledger: append a batch of events and move the source's offset, in one transaction. Shell; `counting` folds and posts.

Invariant: what a partition's offset has passed is in the sums, and nothing else is. So every event counts exactly once
through crashes, rebalances and zombies, and any number of workers may share the work.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection, Engine, delete, func, or_, select, tuple_, update

from monitor import tables
from monitor.counting import count
from monitor.database import insert, insert_rows, sentences, table_of, writing
from monitor.fold import Arrival
from monitor.postings import post_letters
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


class Appended(NamedTuple):
    """What an append did. `moved` is False when another worker owns the partition: nothing was written then."""

    moved: bool
    accepted: int = 0
    duplicates: int = 0
    letters: int = 0


_OFFSET: Final = table_of(tables.SourceOffset)
_CLOCK: Final = table_of(tables.PlatformClock)


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
            insert_rows(connection, insert(connection, _OFFSET).on_conflict_do_nothing(), rows)

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
        2. count the events: sums, feed marks, streams, receipts
        3. raise the partition's mark, and keep the dead letters
        4. commit: all of it or nothing
        """
        with sentences(self._engine), writing(self._engine) as connection:
            if not self._move(connection, batch.start, batch.next_offset):  # 1
                return Appended(moved=False)
            changes, duplicates = count(connection, batch.arrivals)  # 2
            self._advance_marks(connection, batch.start, changes.greatest_event_at)  # 3
            detail = "this sequence number was counted as another event"
            conflicts = [batch.letter_for(offset, Reason.SEQUENCE_CONFLICT, detail) for offset in changes.conflicts]
            letters = [*batch.letters, *conflicts]
            post_letters(connection, batch.start.topic_id, batch.topic, letters)
            return Appended(True, len(changes.receipts), duplicates, len(letters))  # 4: leaving the block commits

    def mark_complete(self, positions: Sequence[Position], until: datetime) -> None:
        """Everything up to `until` has been counted in these partitions, which were read to their end; advance the clock.

        A partition counts only while it still stands at the given offset, and its mark never goes back. A partition that
        is not at its end is complete up to its own greatest event time. The platform clock follows the slowest.
        """
        with sentences(self._engine), writing(self._engine) as connection:
            if positions:
                here = tuple_(_OFFSET.c.topic_id, _OFFSET.c.partition, _OFFSET.c.next_offset).in_([tuple(p) for p in positions])
                behind = or_(_OFFSET.c.complete_until.is_(None), _OFFSET.c.complete_until < until)
                connection.execute(update(_OFFSET).where(here, behind).values(complete_until=until))
            self._advance_clock(connection)

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
